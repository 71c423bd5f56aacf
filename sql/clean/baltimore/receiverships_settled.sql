-- Each row is one case in which a court appointed a receiver of a vacant building.
select
    hash_id([
        'baltimore', block_lot(blocklot), cast(parse_date("Receiver Appointed") as varchar),
        upper(clean_text(concat_ws(' ', cast(housenum as varchar), dir, streetname, streettype)))
    ]) as receivership_id,
    block_lot(blocklot) as block_lot,
    upper(clean_text(concat_ws(' ', cast(housenum as varchar), dir, streetname, streettype))) as address,
    lpad(cast(parse_integer(cast(zip as varchar)) as varchar), 5, '0') as zip_code,
    clean_text(neighborhood) as neighborhood,
    clean_text("Project Name") as project_name,
    parse_date("Receiver Appointed") as appointed_date,
    blocklot as _published_block_lot,
    _capture_id
from raw.baltimore_receiverships_settled
