-- Each row is one split of one invoice, paid by one check, as the Open Checkbook publishes it.
with published as (
    select
        clean_text(unique_id) as source_row_id,
        clean_text(agency) as agency_name,
        clean_text(fund_description) as fund_name,
        clean_text(cost_center_description) as cost_center,
        clean_text(spend_category_description) as spend_category,
        clean_text(supplier_name) as vendor_name,
        clean_text(check_number) as check_number,
        clean_text(supplier_invoice_number) as invoice_number,
        contract_number(supplier_contract_number) as contract_number,
        contract_release(supplier_contract_number) as contract_release,
        clean_text(supplier_contract_name) as contract_title,
        -- allow doubles_as_text: captures of the earlier layout hold dates and amounts as text, so all are read as text
        parse_date(cast(payment_date as varchar)) as payment_date,
        parse_money(payment_amount) as check_amount,
        parse_money(payment_amount_split) as amount,
        cast(payment_date as varchar) as _published_date,
        cast(payment_amount_split as varchar) as _published_amount,
        _capture_id
    from raw.baltimore_spending
),

numbered as (
    -- Unique_ID has not been seen to be unique, and the earlier layout has none: rows that it does not tell apart are numbered in order.
    select
        *,
        case when source_row_id is not null then row_number() over (
            partition by source_row_id
            order by
                check_number, payment_date, invoice_number, cost_center, spend_category, amount, vendor_name, agency_name, fund_name,
                contract_number, contract_release, contract_title, check_amount, _published_date, _published_amount
        ) end as copy_number,
        row_number() over (
            partition by check_number, payment_date, invoice_number, cost_center, spend_category, amount
            order by
                vendor_name, agency_name, fund_name, contract_number, contract_release, contract_title, check_amount, source_row_id,
                _published_date, _published_amount
        ) as split_number,
        -- Null if an amount of the check cannot be read.
        case
            when check_number is not null and count(*) over one_check = count(amount) over one_check
                then sum(amount) over one_check
        end as check_splits_amount
    from published
    window one_check as (partition by check_number, payment_date)
)

select
    case
        when source_row_id is not null then hash_id(['baltimore', source_row_id, cast(copy_number as varchar)])
        else hash_id([
            'baltimore', check_number, cast(payment_date as varchar), invoice_number, cost_center, spend_category,
            cast(amount as varchar), cast(split_number as varchar)
        ])
    end as payment_split_id,
    source_row_id,
    agency_name,
    fund_name,
    cost_center,
    spend_category,
    vendor_name,
    check_number,
    invoice_number,
    contract_number,
    contract_release,
    contract_title,
    payment_date,
    fiscal_year(payment_date, 7) as fiscal_year,
    fiscal_period(payment_date, 7) as fiscal_period,
    amount,
    check_amount,
    cast(check_splits_amount as decimal(18, 2)) as check_splits_amount,
    _published_date,
    _published_amount,
    _capture_id
from numbered
