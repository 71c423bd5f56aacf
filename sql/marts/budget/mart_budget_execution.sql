-- Each row is what one agency could spend on others from one fund in one fiscal year, and what it paid them.
with budgets as (
    select
        lines.city,
        lines.fiscal_year,
        lines.agency_id,
        lines.fund_id,
        sum(lines.appropriated_amount) as appropriated_amount,
        coalesce(sum(lines.appropriated_amount) filter (where objects.object_group = 'third_party'), 0) as comparable_amount
    from marts.fct_budget_lines as lines
    inner join marts.dim_objects as objects using (object_id)
    where lines.phase = 'adopted'
    group by lines.city, lines.fiscal_year, lines.agency_id, lines.fund_id
),

paid as (
    select city, fiscal_year, agency_id, fund_id, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city, fiscal_year, agency_id, fund_id
),

budget_years as (
    select distinct city, fiscal_year from budgets
),

covered as (
    select city, fiscal_year, count(*) filter (where status = 'complete') as covered_months
    from marts.dim_coverage
    where source = 'spending'
    group by city, fiscal_year
),

payment_years as (
    select distinct paid.city, paid.fiscal_year, coalesce(covered.covered_months, 0) as covered_months
    from paid
    left join covered using (city, fiscal_year)
),

joined as (
    -- Dollars on one side only stay visible: payments without a budget line, and budget lines without payments.
    select
        coalesce(budgets.city, paid.city) as city,
        coalesce(budgets.fiscal_year, paid.fiscal_year) as fiscal_year,
        coalesce(budgets.agency_id, paid.agency_id) as agency_id,
        coalesce(budgets.fund_id, paid.fund_id) as fund_id,
        budgets.appropriated_amount,
        budgets.comparable_amount,
        paid.paid_amount
    from budgets
    full join paid using (city, fiscal_year, agency_id, fund_id)
),

stated as (
    select
        joined.city,
        joined.fiscal_year,
        joined.agency_id,
        joined.fund_id,
        case when budget_years.city is not null then coalesce(joined.appropriated_amount, 0) end as appropriated_amount,
        case when budget_years.city is not null then coalesce(joined.comparable_amount, 0) end as comparable_amount,
        case when payment_years.city is not null then coalesce(joined.paid_amount, 0) end as paid_amount,
        coalesce(payment_years.covered_months, 0) as covered_months,
        case
            when budget_years.city is null then 'budget_not_published'
            when payment_years.city is null then 'payments_not_published'
            when payment_years.covered_months < 12 then 'partly_covered'
            when coalesce(joined.comparable_amount, 0) <= 0 then 'no_comparable_budget'
            else 'comparable'
        end as execution_status
    from joined
    left join budget_years using (city, fiscal_year)
    left join payment_years using (city, fiscal_year)
)

select
    stated.city,
    stated.fiscal_year,
    stated.agency_id,
    agencies.agency_name,
    stated.fund_id,
    funds.fund_name,
    stated.appropriated_amount,
    stated.comparable_amount,
    cast(stated.comparable_amount / nullif(stated.appropriated_amount, 0) as double) as comparable_share,
    stated.paid_amount,
    case when stated.execution_status = 'no_comparable_budget' then stated.paid_amount end as unmatched_amount,
    stated.execution_status,
    cast(stated.covered_months as integer) as covered_months,
    case when stated.execution_status = 'comparable' then stated.paid_amount - stated.comparable_amount end as variance_amount,
    case
        when stated.execution_status = 'comparable' then cast(stated.paid_amount / stated.comparable_amount as double)
    end as execution_rate,
    case stated.execution_status
        when 'budget_not_published' then 'No dataset with the adopted budget of this fiscal year is in the catalog.'
        when 'payments_not_published' then coalesce(reasons.reason, 'No dataset with the payments of this fiscal year is in the catalog.')
        when 'partly_covered' then 'The checkbook covers ' || stated.covered_months || ' of the 12 months.'
    end as not_published
from stated
inner join marts.dim_agencies as agencies using (agency_id)
inner join marts.dim_funds as funds using (fund_id)
left join seeds.not_published as reasons
    on reasons.city = stated.city and reasons.what = 'payments'
