-- Each row is the revenue of one city from one source for one fund in one fiscal year, or that the city publishes none.
with totals as (
    select
        city,
        fiscal_year,
        phase,
        fund_id,
        fund_name,
        coalesce(revenue_group, 'Not grouped') as revenue_group,
        coalesce(revenue_category, 'Not grouped') as revenue_category,
        revenue_source,
        sum(estimated_amount) as estimated_amount
    from marts.fct_revenue_lines
    group by city, fiscal_year, phase, fund_id, fund_name, coalesce(revenue_group, 'Not grouped'), coalesce(revenue_category, 'Not grouped'), revenue_source
),

budgets as (
    select city, fiscal_year, phase, sum(estimated_amount) as city_amount
    from totals
    group by city, fiscal_year, phase
),

both_years as (
    -- Each budget counts in its own year and, as the year before, in the next one: so a source that ended is a row, too.
    select
        city, fiscal_year, phase, fund_id, fund_name, revenue_group, revenue_category, revenue_source,
        estimated_amount, cast(0 as decimal(38, 2)) as previous_amount
    from totals
    union all
    select
        city, fiscal_year + 1 as fiscal_year, phase, fund_id, fund_name, revenue_group, revenue_category, revenue_source,
        0 as estimated_amount, estimated_amount as previous_amount
    from totals
),

published as (
    select
        both_years.city,
        both_years.fiscal_year,
        both_years.phase,
        max(both_years.fund_id) as fund_id,
        both_years.fund_name,
        both_years.revenue_group,
        both_years.revenue_category,
        both_years.revenue_source,
        sum(both_years.estimated_amount) as estimated_amount,
        case when previous.city is not null then sum(both_years.previous_amount) end as previous_amount,
        budgets.city_amount
    from both_years
    inner join budgets using (city, fiscal_year, phase)
    left join budgets as previous
        on previous.city = both_years.city
        and previous.phase = both_years.phase
        and previous.fiscal_year = both_years.fiscal_year - 1
    group by
        both_years.city, both_years.fiscal_year, both_years.phase, both_years.fund_name, both_years.revenue_group, both_years.revenue_category,
        both_years.revenue_source, previous.city, budgets.city_amount
),

without_revenue as (
    -- A budget without published revenue is one row that says so.
    select distinct lines.city, lines.fiscal_year, lines.phase
    from marts.fct_budget_lines as lines
    left join budgets using (city, fiscal_year, phase)
    where budgets.city is null
),

rows_of_both as (
    select
        city, fiscal_year, phase, 'published' as publication_status, null as not_published_reason, fund_id, fund_name, revenue_group,
        revenue_category, revenue_source, estimated_amount, previous_amount, city_amount
    from published
    union all
    select
        missing.city,
        missing.fiscal_year,
        missing.phase,
        'not_published' as publication_status,
        coalesce(reasons.reason, 'No dataset with the revenue of this fiscal year is in the catalog.') as not_published_reason,
        null as fund_id,
        null as fund_name,
        null as revenue_group,
        null as revenue_category,
        null as revenue_source,
        null as estimated_amount,
        null as previous_amount,
        null as city_amount
    from without_revenue as missing
    left join seeds.not_published as reasons
        on reasons.city = missing.city and reasons.what = 'revenue'
)

select
    hash_id([
        revenue.city, cast(revenue.fiscal_year as varchar), revenue.phase, revenue.fund_name, revenue.revenue_group, revenue.revenue_category,
        revenue.revenue_source
    ]) as revenue_id,
    revenue.city,
    revenue.fiscal_year,
    revenue.phase,
    revenue.publication_status,
    revenue.not_published_reason,
    revenue.fund_id,
    revenue.fund_name,
    revenue.revenue_group,
    revenue.revenue_category,
    revenue.revenue_source,
    revenue.estimated_amount,
    revenue.previous_amount,
    change_rate(revenue.estimated_amount, revenue.previous_amount) as change_rate,
    coalesce(revenue.previous_amount <> 0 and revenue.estimated_amount = 0, false) as is_ended,
    revenue.city_amount,
    cast(revenue.estimated_amount / nullif(revenue.city_amount, 0) as double) as city_share,
    cast(round(cast(revenue.estimated_amount / years.residents as double), 2) as decimal(18, 2)) as estimated_amount_per_resident,
    years.base_fiscal_year,
    cast(round(revenue.estimated_amount * years.price_factor, 2) as decimal(38, 2)) as estimated_amount_real
from rows_of_both as revenue
left join marts.dim_fiscal_years as years
    on years.city = revenue.city and years.fiscal_year = revenue.fiscal_year
