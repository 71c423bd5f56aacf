-- A returned row is a total, of the city or of an agency and industry, that is not the sum of its groups of owners. Cents of expected dollars are rounded by group.
-- severity: critical
-- subject: participation
-- holds back: marts.mart_mwbe_participation
with by_group as (
    select
        case breakdown when 'owner group' then 'city' else 'agency and industry' end as breakdown,
        city,
        fiscal_year,
        fiscal_quarter,
        agency_id,
        industry,
        certified_group,
        denominator,
        count(*) as group_count,
        sum(expected_amount) as expected_amount,
        sum(low_amount) as low_amount,
        sum(high_amount) as high_amount
    from marts.mart_mwbe_participation
    where breakdown in ('owner group', 'agency, industry and owner group')
    group by breakdown, city, fiscal_year, fiscal_quarter, agency_id, industry, certified_group, denominator
)

select
    whole.breakdown,
    whole.city,
    whole.fiscal_year,
    whole.fiscal_quarter,
    whole.agency_id,
    whole.industry,
    whole.certified_group,
    whole.denominator,
    whole.expected_amount,
    by_group.expected_amount as expected_by_group,
    whole.high_amount,
    by_group.high_amount as high_by_group
from marts.mart_mwbe_participation as whole
left join by_group
    on by_group.breakdown = whole.breakdown
    and by_group.city = whole.city
    and by_group.fiscal_year = whole.fiscal_year
    and by_group.fiscal_quarter is not distinct from whole.fiscal_quarter
    and by_group.agency_id is not distinct from whole.agency_id
    and by_group.industry is not distinct from whole.industry
    and by_group.certified_group = whole.certified_group
    and by_group.denominator = whole.denominator
where
    whole.breakdown in ('city', 'agency and industry')
    and (
        whole.low_amount <> coalesce(by_group.low_amount, 0)
        or whole.high_amount <> coalesce(by_group.high_amount, 0)
        or abs(whole.expected_amount - coalesce(by_group.expected_amount, 0)) > 0.03 * coalesce(by_group.group_count, 0)
    )
