-- A returned row is a cell in which MBE plus WBE minus dual dollars are not the unduplicated dollars.
-- severity: critical
-- subject: participation
-- holds back: marts.mart_mwbe_participation
with signed as (
    select
        city,
        fiscal_year,
        fiscal_quarter,
        breakdown,
        agency_id,
        industry,
        owner_group,
        denominator,
        case when certified_group in ('mbe', 'wbe') then 1 else -1 end as sign,
        expected_amount,
        low_amount,
        high_amount
    from marts.mart_mwbe_participation
)

select
    city,
    fiscal_year,
    fiscal_quarter,
    breakdown,
    agency_id,
    industry,
    owner_group,
    denominator,
    sum(sign * expected_amount) as expected_difference,
    sum(sign * low_amount) as low_difference,
    sum(sign * high_amount) as high_difference
from signed
group by city, fiscal_year, fiscal_quarter, breakdown, agency_id, industry, owner_group, denominator
having sum(sign * expected_amount) <> 0 or sum(sign * low_amount) <> 0 or sum(sign * high_amount) <> 0
