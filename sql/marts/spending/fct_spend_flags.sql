-- Each row is one indicator: payments that deserve a look, with what may explain them.
with duplicates as (
    select
        hash_id([city, 'duplicate_payment', invoice_payment_id]) as flag_id,
        city,
        fiscal_year,
        'duplicate_payment' as test,
        tier,
        agency_id,
        vendor_id,
        cast(null as decimal(18, 2)) as threshold_amount,
        earlier_date as first_date,
        payment_date as last_date,
        cast(paid_amount as decimal(38, 2)) as flagged_amount,
        cast(amount_at_risk as decimal(38, 2)) as amount_at_risk,
        is_recovered,
        cast(null as double) as statistic,
        cast(null as double) as p_value,
        cast(null as double) as q_value,
        evidence_row_ids
    from marts.fct_duplicate_payments
),

purchases as (
    select
        hash_id([city, 'split_purchase', split_purchase_id]) as flag_id,
        city,
        fiscal_year,
        'split_purchase' as test,
        cast(null as varchar) as tier,
        agency_id,
        vendor_id,
        threshold_amount,
        first_date,
        last_date,
        paid_amount as flagged_amount,
        cast(0 as decimal(38, 2)) as amount_at_risk,
        false as is_recovered,
        round(cast(largest_window_amount as double) / cast(threshold_amount as double), 6) as statistic,
        cast(null as double) as p_value,
        cast(null as double) as q_value,
        evidence_row_ids
    from marts.fct_split_purchases
),

suspects as (
    select city, fiscal_year, test, unit_id, agency_id, vendor_id, threshold_amount, statistic, p_value, q_value
    from marts.fct_spend_statistics
    where is_flagged
),

splits as (
    -- The splits that a flagged unit is about: of an agency, or of a vendor.
    select
        suspects.city,
        suspects.fiscal_year,
        suspects.test,
        suspects.unit_id,
        suspects.threshold_amount,
        payments.payment_split_id,
        payments.payment_date,
        payments.paid_amount
    from suspects
    inner join marts.fct_payments as payments
        on payments.city = suspects.city
        and payments.fiscal_year = suspects.fiscal_year
        and suspects.unit_id = case when suspects.vendor_id is null then payments.agency_id else payments.vendor_id end
    where
        payments.paid_amount > 0
        and case suspects.test
            when 'year_end_share' then payments.fiscal_period = 12
            when 'bunching_below_threshold'
                then cast(payments.paid_amount as double) >= 0.9 * cast(suspects.threshold_amount as double)
                and payments.paid_amount < suspects.threshold_amount
            else true
        end
),

evidence as (
    -- allow total_order: payment_split_id names a row
    -- The twenty largest of them.
    select
        city,
        fiscal_year,
        test,
        unit_id,
        threshold_amount,
        min(payment_date) as first_date,
        max(payment_date) as last_date,
        sum(paid_amount) as flagged_amount,
        string_agg(payment_split_id, ' ' order by payment_split_id) filter (where size_rank <= 20) as evidence_row_ids
    from (
        select
            *,
            row_number() over (
                partition by city, fiscal_year, test, unit_id, threshold_amount order by paid_amount desc, payment_split_id
            ) as size_rank
        from splits
    )
    group by city, fiscal_year, test, unit_id, threshold_amount
),

units as (
    select
        hash_id([
            suspects.city, suspects.test, cast(suspects.fiscal_year as varchar), suspects.unit_id,
            cast(suspects.threshold_amount as varchar)
        ]) as flag_id,
        suspects.city,
        suspects.fiscal_year,
        suspects.test,
        cast(null as varchar) as tier,
        suspects.agency_id,
        suspects.vendor_id,
        nullif(suspects.threshold_amount, 0) as threshold_amount,
        evidence.first_date,
        evidence.last_date,
        cast(coalesce(evidence.flagged_amount, 0) as decimal(38, 2)) as flagged_amount,
        cast(0 as decimal(38, 2)) as amount_at_risk,
        false as is_recovered,
        suspects.statistic,
        suspects.p_value,
        suspects.q_value,
        evidence.evidence_row_ids
    from suspects
    left join evidence
        on evidence.city = suspects.city
        and evidence.fiscal_year = suspects.fiscal_year
        and evidence.test = suspects.test
        and evidence.unit_id = suspects.unit_id
        and evidence.threshold_amount = suspects.threshold_amount
),

flags as (
    select
        flag_id, city, fiscal_year, test, tier, agency_id, vendor_id, threshold_amount, first_date, last_date, flagged_amount, amount_at_risk,
        is_recovered, statistic, p_value, q_value, evidence_row_ids
    from duplicates
    union all
    select
        flag_id, city, fiscal_year, test, tier, agency_id, vendor_id, threshold_amount, first_date, last_date, flagged_amount, amount_at_risk,
        is_recovered, statistic, p_value, q_value, evidence_row_ids
    from purchases
    union all
    select
        flag_id, city, fiscal_year, test, tier, agency_id, vendor_id, threshold_amount, first_date, last_date, flagged_amount, amount_at_risk,
        is_recovered, statistic, p_value, q_value, evidence_row_ids
    from units
),

tested as (
    select city, fiscal_year, 'duplicate_payment' as test, count(*) as tested_count
    from marts.fct_invoices
    where paid_amount > 0 and invoice_key is not null
    group by city, fiscal_year
    union all
    select city, fiscal_year, 'split_purchase' as test, count(distinct hash_id([vendor_id, agency_id, spend_category])) as tested_count
    from marts.fct_payments
    where contract_number is null and check_number is not null and paid_amount > 0
    group by city, fiscal_year
    union all
    select city, fiscal_year, test, count(*) as tested_count
    from marts.fct_spend_statistics
    group by city, fiscal_year, test
)

select
    flags.flag_id,
    flags.city,
    flags.fiscal_year,
    flags.test,
    flags.tier,
    flags.agency_id,
    flags.vendor_id,
    flags.threshold_amount,
    flags.first_date,
    flags.last_date,
    flags.flagged_amount,
    flags.amount_at_risk,
    flags.is_recovered,
    flags.statistic,
    flags.p_value,
    flags.q_value,
    tested.tested_count,
    cast(count(*) over (partition by flags.city, flags.fiscal_year, flags.test, flags.tier) as double) / tested.tested_count as base_rate,
    explanations.plain_explanation,
    explanations.innocent_explanations,
    flags.evidence_row_ids
from flags
left join tested
    on tested.city = flags.city and tested.fiscal_year = flags.fiscal_year and tested.test = flags.test
left join seeds.spend_test_explanations as explanations
    on explanations.test = flags.test and coalesce(explanations.tier, '') = coalesce(flags.tier, '')
