-- Each row is what one agency may spend under one contract of the Bureau of Purchases.
with published as (
    select
        contract_number(po_number) as contract_number,
        contract_release(po_number) as contract_release,
        clean_text(short_description) as contract_title,
        clean_text(vendor_name) as vendor_name,
        clean_text(department_allowed_to_purchase) as agency_name,
        -- allow doubles_as_text: files of the earlier layout hold dates and amounts as text, so all are read as text
        parse_date(cast(blanket_begin_date as varchar)) as begin_date,
        parse_date(cast(blanket_end_date as varchar)) as end_date,
        parse_money(blanket_dollar_limit) as authorized_amount,
        parse_money(dollar_amt_spent_to_date) as spent_amount,
        parse_money(dollars_left) as remaining_amount,
        _capture_id
    from raw.baltimore_contracts
),

numbered as (
    select
        *,
        row_number() over (
            partition by contract_number, contract_release, agency_name, vendor_name
            order by begin_date, end_date, authorized_amount, spent_amount, remaining_amount, contract_title
        ) as share_number
    from published
)

select
    hash_id([
        'baltimore', contract_number, contract_release, agency_name, vendor_name, cast(share_number as varchar)
    ]) as contract_share_id,
    contract_number,
    contract_release,
    contract_title,
    vendor_name,
    agency_name,
    begin_date,
    end_date,
    authorized_amount,
    spent_amount,
    remaining_amount,
    _capture_id
from numbered
