-- Each row is one test of one agency's payments in one fiscal year.
with flagged as (
    select
        city,
        fiscal_year,
        agency_id,
        case when tier is null then test else test || ' ' || tier end as test,
        count(*) as flag_count,
        sum(amount_at_risk) as amount_at_risk
    from marts.fct_spend_flags
    where test in ('duplicate_payment', 'split_purchase')
    group by city, fiscal_year, agency_id, case when tier is null then test else test || ' ' || tier end
),

invoices as (
    select city, fiscal_year, agency_id, count(*) as unit_count
    from marts.fct_invoices
    -- Without numbers of invoices and checks, as before fiscal year 2022, nothing was tested: no row is better than a rate of zero.
    where paid_amount > 0 and invoice_key is not null
    group by city, fiscal_year, agency_id
),

purchases as (
    select city, fiscal_year, agency_id, count(distinct hash_id([vendor_id, spend_category])) as unit_count
    from marts.fct_payments
    where contract_number is null and check_number is not null and paid_amount > 0
    group by city, fiscal_year, agency_id
),

tiers as (
    select 'duplicate_payment ' || tier as test
    from (values ('D1'), ('D2'), ('D3'), ('D4')) as t(tier)
),

units as (
    select invoices.city, invoices.fiscal_year, invoices.agency_id, tiers.test, invoices.unit_count
    from invoices
    cross join tiers
    union all
    select city, fiscal_year, agency_id, 'split_purchase' as test, unit_count from purchases
),

rules as (
    select
        units.city,
        units.fiscal_year,
        units.agency_id,
        units.test,
        cast(0 as decimal(18, 2)) as threshold_amount,
        units.unit_count,
        coalesce(flagged.flag_count, 0) as flag_count,
        coalesce(flagged.amount_at_risk, 0) as amount_at_risk,
        cast(null as double) as statistic,
        cast(null as double) as statistic_low,
        cast(null as double) as statistic_high,
        cast(null as double) as p_value,
        cast(null as double) as q_value
    from units
    left join flagged
        on flagged.city = units.city
        and flagged.fiscal_year = units.fiscal_year
        and flagged.agency_id = units.agency_id
        and flagged.test = units.test
),

statistics as (
    select
        city,
        fiscal_year,
        agency_id,
        test,
        threshold_amount,
        unit_count,
        cast(is_flagged as bigint) as flag_count,
        cast(0 as decimal(38, 2)) as amount_at_risk,
        statistic,
        statistic_low,
        statistic_high,
        p_value,
        q_value
    from marts.fct_spend_statistics
    where agency_id is not null
),

tests as (
    select
        city, fiscal_year, agency_id, test, threshold_amount, unit_count, flag_count, amount_at_risk, statistic, statistic_low,
        statistic_high, p_value, q_value, true as is_rule
    from rules
    union all
    select
        city, fiscal_year, agency_id, test, threshold_amount, unit_count, flag_count, amount_at_risk, statistic, statistic_low,
        statistic_high, p_value, q_value, false as is_rule
    from statistics
)

select
    tests.city,
    tests.fiscal_year,
    tests.agency_id,
    tests.test,
    tests.threshold_amount,
    tests.unit_count,
    tests.flag_count,
    cast(tests.amount_at_risk as decimal(38, 2)) as amount_at_risk,
    case when tests.is_rule then cast(tests.flag_count as double) / tests.unit_count end as flag_rate,
    case when tests.is_rule then wilson_low(least(tests.flag_count, tests.unit_count), tests.unit_count) end as flag_rate_low,
    case when tests.is_rule then wilson_high(least(tests.flag_count, tests.unit_count), tests.unit_count) end as flag_rate_high,
    tests.statistic,
    tests.statistic_low,
    tests.statistic_high,
    tests.p_value,
    tests.q_value,
    quality.recall,
    quality.labelled_precision
from tests
left join marts.mart_integrity_test_quality as quality
    on quality.city = tests.city and quality.test = tests.test and quality.origin = 'all'
