-- Each row is what an agency paid one vendor for one industry in a fiscal quarter, and how much of it on days on which its assigned firm was certified.
with excluded_categories as (
    select
        payments.city,
        payments.spend_category,
        min(exclusions.reason) as exclusion_reason
    from (select distinct city, spend_category from marts.fct_payments) as payments
    inner join seeds.participation_exclusions as exclusions
        on exclusions.city = payments.city
        and contains(' ' || name_key(payments.spend_category) || ' ', ' ' || exclusions.word || ' ')
    group by payments.city, payments.spend_category
),

firm_periods as (
    -- Periods of one type are taken as continuous from the first to the last day.
    select
        firms.firm_id,
        min(certified.valid_from) filter (where certified.certification_type = 'MBE') as mbe_from,
        max(coalesce(certified.valid_to, date '9999-12-31')) filter (where certified.certification_type = 'MBE') as mbe_to,
        min(certified.valid_from) filter (where certified.certification_type = 'WBE') as wbe_from,
        max(coalesce(certified.valid_to, date '9999-12-31')) filter (where certified.certification_type = 'WBE') as wbe_to
    from marts.bridge_certified_firms as firms
    inner join marts.dim_certified_firms as certified
        on certified.certification_id = firms.certification_id and certified.is_valid_period
    group by firms.firm_id
),

assigned as (
    -- The city's own register: certifications of another authority do not count for its program.
    select
        matches.vendor_id,
        matches.firm_id,
        matches.match_probability,
        periods.mbe_from,
        periods.mbe_to,
        periods.wbe_from,
        periods.wbe_to
    from marts.fct_vendor_certification_matches as matches
    left join firm_periods as periods on periods.firm_id = matches.firm_id
    where matches.is_assigned and matches.authority = matches.city
),

groups as (
    -- MALE or FEMALE after a group says nothing of the group: AFRICAN AMERICAN / FEMALE is AFRICAN AMERICAN.
    select
        firms.firm_id,
        max(mapped.owner_group) as owner_group,
        max(certified.register) as owner_group_register
    from marts.bridge_certified_firms as firms
    inner join marts.dim_certified_firms as certified on certified.certification_id = firms.certification_id
    inner join seeds.owner_groups as mapped
        on mapped.published_group = coalesce(
            nullif(trim(regexp_replace(name_key(certified.owner_group), ' FEMALE$', '')), ''), name_key(certified.owner_group)
        )
    group by firms.firm_id
    having count(distinct mapped.owner_group) = 1
),

vendor_groups as (
    -- allow total_order: a vendor has at most one assigned firm per register
    -- The city's own register first. Another authority's firm must be the vendor at least probably (0.80).
    select matches.vendor_id, groups.owner_group, groups.owner_group_register
    from marts.fct_vendor_certification_matches as matches
    inner join groups on groups.firm_id = matches.firm_id
    where matches.is_assigned and (matches.authority = matches.city or matches.match_probability >= 0.8)
    qualify row_number() over (
        partition by matches.vendor_id order by case when matches.authority = matches.city then 0 else 1 end, matches.authority
    ) = 1
),

payments as (
    select
        paid.city,
        paid.fiscal_year,
        cast((paid.fiscal_period + 2) // 3 as integer) as fiscal_quarter,
        paid.agency_id,
        coalesce(industries.industry, 'unmapped') as industry,
        coalesce(excluded.exclusion_reason, 'none') as exclusion_reason,
        paid.vendor_id,
        assigned.firm_id,
        assigned.match_probability,
        case when assigned.firm_id is not null then vendor_groups.owner_group end as owner_group,
        case when assigned.firm_id is not null then vendor_groups.owner_group_register end as owner_group_register,
        paid.paid_amount,
        coalesce(paid.payment_date between assigned.mbe_from and assigned.mbe_to, false) as is_mbe,
        coalesce(paid.payment_date between assigned.wbe_from and assigned.wbe_to, false) as is_wbe
    from marts.fct_payments as paid
    left join seeds.spend_industries as industries
        on industries.city = paid.city and industries.spend_category = paid.spend_category
    left join excluded_categories as excluded
        on excluded.city = paid.city and excluded.spend_category = paid.spend_category
    left join assigned on assigned.vendor_id = paid.vendor_id
    left join vendor_groups on vendor_groups.vendor_id = paid.vendor_id
)

select
    hash_id([
        city, cast(fiscal_year as varchar), cast(fiscal_quarter as varchar), agency_id, industry, exclusion_reason, vendor_id
    ]) as participation_spend_id,
    city,
    fiscal_year,
    fiscal_quarter,
    agency_id,
    industry,
    exclusion_reason,
    vendor_id,
    any_value(firm_id) as firm_id,
    any_value(match_probability) as match_probability,
    any_value(owner_group) as owner_group,
    any_value(owner_group_register) as owner_group_register,
    sum(paid_amount) as paid_amount,
    coalesce(sum(paid_amount) filter (where is_mbe and not is_wbe), 0) as mbe_only_amount,
    coalesce(sum(paid_amount) filter (where is_wbe and not is_mbe), 0) as wbe_only_amount,
    coalesce(sum(paid_amount) filter (where is_mbe and is_wbe), 0) as dual_amount
from payments
group by city, fiscal_year, fiscal_quarter, agency_id, industry, exclusion_reason, vendor_id
