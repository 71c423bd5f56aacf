-- A returned row is a breakdown of a fiscal year whose denominators do not add up to what was paid.
-- severity: critical
-- subject: participation
-- holds back: marts.mart_mwbe_participation
with published as (
    select city, fiscal_year, breakdown, sum(denominator_amount) as denominator_amount
    from marts.mart_mwbe_participation
    -- The denominator of a group of owners is that of all payees.
    where denominator = 'all' and certified_group = 'unduplicated' and fiscal_quarter is not null
        and breakdown in ('city', 'agency', 'industry', 'agency and industry')
    group by city, fiscal_year, breakdown
),

spent as (
    select city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.fct_participation_spend
    group by city, fiscal_year
)

select
    published.city,
    published.fiscal_year,
    published.breakdown,
    published.denominator_amount,
    spent.paid_amount
from published
left join spent using (city, fiscal_year)
where published.denominator_amount is distinct from spent.paid_amount
