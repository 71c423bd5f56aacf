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

published as (
    select
        totals.city,
        totals.fiscal_year,
        totals.phase,
        'published' as publication_status,
        cast(null as varchar) as not_published_reason,
        totals.fund_id,
        totals.fund_name,
        totals.revenue_group,
        totals.revenue_category,
        totals.revenue_source,
        totals.estimated_amount,
        case when previous_budgets.city is not null then coalesce(previous.estimated_amount, 0) end as previous_amount,
        budgets.city_amount
    from totals
    inner join budgets using (city, fiscal_year, phase)
    left join budgets as previous_budgets
        on previous_budgets.city = totals.city
        and previous_budgets.phase = totals.phase
        and previous_budgets.fiscal_year = totals.fiscal_year - 1
    left join totals as previous
        on previous.city = totals.city
        and previous.phase = totals.phase
        and previous.fiscal_year = totals.fiscal_year - 1
        and previous.fund_name = totals.fund_name
        and previous.revenue_group = totals.revenue_group
        and previous.revenue_category = totals.revenue_category
        and previous.revenue_source = totals.revenue_source
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
        city, fiscal_year, phase, publication_status, not_published_reason, fund_id, fund_name, revenue_group, revenue_category, revenue_source,
        estimated_amount, previous_amount, city_amount
    from published
    union all
    select
        missing.city,
        missing.fiscal_year,
        missing.phase,
        'not_published' as publication_status,
        coalesce(reasons.reason, 'No dataset with the revenue of this fiscal year is in the catalog.') as not_published_reason,
        cast(null as varchar) as fund_id,
        cast(null as varchar) as fund_name,
        cast(null as varchar) as revenue_group,
        cast(null as varchar) as revenue_category,
        cast(null as varchar) as revenue_source,
        cast(null as decimal(38, 2)) as estimated_amount,
        cast(null as decimal(38, 2)) as previous_amount,
        cast(null as decimal(38, 2)) as city_amount
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
    revenue.city_amount,
    cast(revenue.estimated_amount / nullif(revenue.city_amount, 0) as double) as city_share,
    cast(round(cast(revenue.estimated_amount / years.residents as double), 2) as decimal(18, 2)) as estimated_amount_per_resident,
    years.base_fiscal_year,
    cast(round(revenue.estimated_amount * years.price_factor, 2) as decimal(38, 2)) as estimated_amount_real
from rows_of_both as revenue
left join marts.dim_fiscal_years as years
    on years.city = revenue.city and years.fiscal_year = revenue.fiscal_year
