-- Each row is one case of which it is known whether payments were wrong, and whether a test reports it.
with known as (
    select
        cases.city,
        cases.case_id,
        cases.test,
        nullif(cases.tier, '') as tier,
        cases.is_true = 'true' as is_true,
        cases.origin,
        name_key(cases.agency_name) as agency_key,
        case when cases.vendor_name <> '' then hash_id([cases.city, vendor_key(cases.vendor_name)]) end as vendor_id,
        parse_money(cases.amount) as amount,
        parse_date(cases.first_date) as first_date,
        parse_date(cases.last_date) as last_date,
        cases.note
    from seeds.labelled_payment_cases as cases
),

agency_names as (
    select city, name_key(raw_name) as agency_key, min(agency_code) as agency_code
    from seeds.agency_aliases
    group by city, name_key(raw_name)
),

cases as (
    select
        known.city,
        known.case_id,
        known.test,
        known.tier,
        known.is_true,
        known.origin,
        agencies.agency_id,
        known.vendor_id,
        known.amount,
        known.first_date,
        known.last_date,
        known.note
    from known
    left join agency_names
        on agency_names.city = known.city and agency_names.agency_key = known.agency_key
    left join marts.dim_agencies as agencies
        on agencies.city = known.city and agencies.agency_code = agency_names.agency_code
),

published as (
    select distinct cases.case_id
    from cases
    inner join marts.fct_invoices as invoices
        on invoices.city = cases.city
        and (cases.agency_id is null or invoices.agency_id = cases.agency_id)
        and (cases.vendor_id is null or invoices.vendor_id = cases.vendor_id)
        and invoices.payment_date between cases.first_date and cases.last_date
        and (cases.test <> 'duplicate_payment' or invoices.paid_amount = cases.amount)
),

reported as (
    select
        cases.case_id,
        min(flags.tier) as reported_tier,
        min(flags.flag_id) as flag_id,
        bool_or(flags.is_recovered) as is_recovered
    from cases
    inner join marts.fct_spend_flags as flags
        on flags.city = cases.city
        and flags.test = cases.test
        and (cases.agency_id is null or flags.agency_id = cases.agency_id)
        and (cases.vendor_id is null or flags.vendor_id = cases.vendor_id)
        and flags.first_date <= cases.last_date
        and flags.last_date >= cases.first_date
        and (cases.test <> 'duplicate_payment' or flags.flagged_amount = cases.amount)
    group by cases.case_id
)

select
    cases.case_id,
    cases.city,
    cases.test,
    cases.tier,
    cases.is_true,
    cases.origin,
    cases.agency_id,
    cases.amount,
    cases.first_date,
    cases.last_date,
    published.case_id is not null as is_published,
    reported.case_id is not null as is_reported,
    reported.reported_tier,
    coalesce(reported.is_recovered, false) as is_recovered,
    reported.flag_id,
    cases.note
from cases
left join published
    on published.case_id = cases.case_id
left join reported
    on reported.case_id = cases.case_id
