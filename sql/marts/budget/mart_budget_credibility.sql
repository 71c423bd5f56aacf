-- Each row is how close one city's payments to others in one fiscal year came to the budget for them, by PEFA PI-1 and PI-2.
with agencies as (
    -- PI-2 leaves out contingency; interest is no object of the group third_party. Payments from a fund without a budget have nothing
    -- to be compared with.
    select
        execution.city,
        execution.fiscal_year,
        execution.agency_id,
        sum(execution.comparable_amount) as budgeted,
        sum(execution.paid_amount) as paid
    from marts.mart_budget_execution as execution
    inner join marts.dim_agencies as named using (agency_id)
    left join seeds.pefa_exclusions as excluded
        on excluded.city = execution.city and excluded.agency_code = named.agency_code
    where execution.execution_status = 'comparable' and excluded.city is null
    group by execution.city, execution.fiscal_year, execution.agency_id
),

unmatched as (
    select city, fiscal_year, sum(unmatched_amount) as unmatched_amount
    from marts.mart_budget_execution
    group by city, fiscal_year
),

ranked as (
    select
        city,
        fiscal_year,
        agency_id,
        budgeted,
        paid,
        row_number() over largest_first as size_rank,
        sum(budgeted) over largest_first as budgeted_so_far,
        sum(budgeted) over (partition by city, fiscal_year) as city_budgeted,
        count(*) over (partition by city, fiscal_year) as agency_count
    from agencies
    window largest_first as (partition by city, fiscal_year order by budgeted desc, agency_id)
),

heads as (
    -- Of more than twenty heads, the largest that cover 75% count, at least twenty; the rest are one line.
    select
        city,
        fiscal_year,
        case
            when agency_count <= 20 or size_rank <= 20 or budgeted_so_far - budgeted < 0.75 * city_budgeted then agency_id
            else 'rest'
        end as head,
        sum(budgeted) as budgeted,
        sum(paid) as paid
    from ranked
    group by 1, 2, 3
),

totals as (
    select city, fiscal_year, sum(budgeted) as budgeted, sum(paid) as paid, count(*) as head_count
    from heads
    group by city, fiscal_year
),

variances as (
    -- adjusted = budgeted * paid of the city / budgeted of the city.
    select
        heads.city,
        heads.fiscal_year,
        sum(abs(heads.paid - heads.budgeted * cast(totals.paid as double) / cast(totals.budgeted as double))) as absolute_variance
    from heads
    inner join totals using (city, fiscal_year)
    where totals.budgeted > 0 and totals.paid > 0
    group by heads.city, heads.fiscal_year
),

years as (
    select
        totals.city,
        totals.fiscal_year,
        totals.budgeted,
        totals.paid,
        totals.head_count,
        round(cast(totals.paid / nullif(totals.budgeted, 0) as double), 6) as outturn_rate,
        round(variances.absolute_variance / cast(totals.paid as double), 6) as composition_variance
    from totals
    left join variances using (city, fiscal_year)
),

graded as (
    select
        city,
        fiscal_year,
        budgeted,
        paid,
        head_count,
        outturn_rate,
        round(abs(outturn_rate - 1), 6) as outturn_deviation,
        composition_variance
    from years
),

three_years as (
    -- A grade needs two of the last three years: it is that of the middle of the three.
    select
        this.city,
        this.fiscal_year,
        this.budgeted,
        this.paid,
        this.head_count,
        this.outturn_rate,
        this.outturn_deviation,
        this.composition_variance,
        this.outturn_deviation + last_year.outturn_deviation + before.outturn_deviation
            - greatest(this.outturn_deviation, last_year.outturn_deviation, before.outturn_deviation)
            - least(this.outturn_deviation, last_year.outturn_deviation, before.outturn_deviation) as middle_deviation,
        this.composition_variance + last_year.composition_variance + before.composition_variance
            - greatest(this.composition_variance, last_year.composition_variance, before.composition_variance)
            - least(this.composition_variance, last_year.composition_variance, before.composition_variance) as middle_variance
    from graded as this
    left join graded as last_year
        on last_year.city = this.city and last_year.fiscal_year = this.fiscal_year - 1
    left join graded as before
        on before.city = this.city and before.fiscal_year = this.fiscal_year - 2
)

select
    three_years.city,
    three_years.fiscal_year,
    three_years.budgeted as comparable_amount,
    three_years.paid as paid_amount,
    coalesce(unmatched.unmatched_amount, 0) as unmatched_amount,
    cast(three_years.head_count as integer) as head_count,
    three_years.outturn_rate,
    pefa_outturn_grade(three_years.outturn_deviation) as outturn_grade,
    pefa_outturn_grade(round(three_years.middle_deviation, 6)) as outturn_score,
    three_years.composition_variance,
    pefa_composition_grade(three_years.composition_variance) as composition_grade,
    pefa_composition_grade(round(three_years.middle_variance, 6)) as composition_score,
    reasons.reason as by_object_not_published
from three_years
left join unmatched using (city, fiscal_year)
left join seeds.not_published as reasons
    on reasons.city = three_years.city and reasons.what = 'budget_by_spend_object'
