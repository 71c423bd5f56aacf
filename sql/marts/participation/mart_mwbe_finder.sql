-- Each row is one certified firm, with its trade, group, place and validity as far as its register publishes them, and what it was paid.
with certifications as (
    select
        firms.firm_id,
        firms.firm_name,
        firms.authority,
        string_agg(distinct certified.certification_type, ' | ' order by certified.certification_type) as certification_types,
        string_agg(distinct certified.certification_status, ' | ' order by certified.certification_status) as certification_statuses,
        string_agg(distinct certified.owner_group, ' | ' order by certified.owner_group) as owner_groups,
        string_agg(distinct certified.trades, ' | ' order by certified.trades) as trades,
        string_agg(distinct certified.naics_codes, ' | ' order by certified.naics_codes) as naics_codes,
        min(certified.street_address) as street_address,
        min(certified.city_name) as city_name,
        min(certified.county) as county,
        min(certified.zip_code) as zip_code,
        min(certified.valid_from) as valid_from,
        case when count(*) filter (where certified.is_valid_period and certified.valid_to is null) = 0 then max(certified.valid_to) end as valid_to,
        count(*) filter (where certified.is_valid_period and certified.valid_to is null) > 0 as is_certified,
        string_agg(distinct certified.register || ': ' || registers.not_published, ' | ' order by certified.register || ': ' || registers.not_published)
            as not_published
    from marts.bridge_certified_firms as firms
    inner join marts.dim_certified_firms as certified on certified.certification_id = firms.certification_id
    left join seeds.certifying_registers as registers on registers.register = certified.register
    group by firms.firm_id, firms.firm_name, firms.authority
),

probable as (
    select firm_id, vendor_id, vendor_name, match_probability
    from marts.fct_vendor_certification_matches
    where is_assigned and match_probability >= 0.5
),

vendors as (
    select
        probable.firm_id,
        string_agg(distinct probable.vendor_name, ' | ' order by probable.vendor_name) as vendor_names,
        max(probable.match_probability) as match_probability,
        sum(vendors.paid_amount) as paid_amount,
        max(vendors.last_paid_date) as last_paid_date
    from probable
    inner join marts.dim_vendors as vendors on vendors.vendor_id = probable.vendor_id
    group by probable.firm_id
),

payers as (
    select
        probable.firm_id,
        string_agg(distinct agencies.agency_name, ' | ' order by agencies.agency_name) as paying_agencies,
        sum(payments.paid_amount) filter (where payments.payment_date > certifications.valid_to) as paid_after_end_amount
    from probable
    inner join certifications on certifications.firm_id = probable.firm_id
    inner join marts.fct_payments as payments on payments.vendor_id = probable.vendor_id
    inner join marts.dim_agencies as agencies on agencies.agency_id = payments.agency_id
    group by probable.firm_id
)

select
    certifications.firm_id,
    certifications.firm_name,
    certifications.authority,
    certifications.certification_types,
    certifications.certification_statuses,
    certifications.is_certified,
    certifications.valid_from,
    certifications.valid_to,
    certifications.owner_groups,
    certifications.trades,
    certifications.naics_codes,
    certifications.street_address,
    certifications.city_name,
    certifications.county,
    certifications.zip_code,
    vendors.vendor_names,
    vendors.match_probability,
    coalesce(vendors.paid_amount, 0) as paid_amount,
    vendors.last_paid_date,
    case when certifications.valid_to is not null then coalesce(payers.paid_after_end_amount, 0) end as paid_after_end_amount,
    payers.paying_agencies,
    certifications.not_published
from certifications
left join vendors on vendors.firm_id = certifications.firm_id
left join payers on payers.firm_id = certifications.firm_id
