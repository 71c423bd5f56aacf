-- Each row is one split of one invoice, paid by one check, as the Open Checkbook publishes it.
with published as (
    select
        clean_text(agency) as agency_name,
        clean_text(fund) as fund_name,
        clean_text(cost_center) as cost_center,
        clean_text(spend_category) as spend_category,
        clean_text(supplier_name) as vendor_name,
        clean_text(check_number) as check_number,
        clean_text(supplier_invoice_number) as invoice_number,
        clean_text(supplier_contract_number) as contract_number,
        parse_date(payment_date) as payment_date,
        parse_money(payment_amount_split) as amount,
        payment_date as _published_date,
        payment_amount_split as _published_amount,
        _capture_id
    from raw.baltimore_spending
),

numbered as (
    -- The ledger publishes no line number: identical splits of one invoice are numbered in order.
    select
        *,
        row_number() over (
            partition by check_number, payment_date, invoice_number, cost_center, spend_category, amount
            order by vendor_name, agency_name, fund_name, contract_number, _published_date, _published_amount
        ) as split_number
    from published
)

select
    hash_id([
        'baltimore', check_number, cast(payment_date as varchar), invoice_number, cost_center, spend_category,
        cast(amount as varchar), cast(split_number as varchar)
    ]) as payment_split_id,
    agency_name,
    fund_name,
    cost_center,
    spend_category,
    vendor_name,
    check_number,
    invoice_number,
    contract_number,
    payment_date,
    fiscal_year(payment_date, 7) as fiscal_year,
    fiscal_period(payment_date, 7) as fiscal_period,
    amount,
    _published_date,
    _published_amount,
    _capture_id
from numbered
