-- Each row is what one agency may spend under one contract of the Bureau of Purchases.
with published as (
    select
        clean_text(contractno) as contract_number,
        clean_text("desc") as contract_title,
        clean_text(vendorid) as vendor_number,
        clean_text(vendorname) as vendor_name,
        clean_text(agency) as agency_name,
        cast(begindate as date) as begin_date,
        cast(enddate as date) as end_date,
        parse_money(totalcontractamt) as authorized_amount,
        parse_money(amtspent) as spent_amount,
        parse_money(amtremaining) as remaining_amount,
        _capture_id
    from raw.baltimore_contracts
),

numbered as (
    select
        *,
        row_number() over (
            partition by contract_number, agency_name, vendor_number
            order by begin_date, end_date, authorized_amount, spent_amount, remaining_amount, contract_title, vendor_name
        ) as share_number
    from published
)

select
    hash_id(['baltimore', contract_number, agency_name, vendor_number, cast(share_number as varchar)]) as contract_share_id,
    contract_number,
    contract_title,
    vendor_number,
    vendor_name,
    agency_name,
    begin_date,
    end_date,
    authorized_amount,
    spent_amount,
    remaining_amount,
    _capture_id
from numbered
