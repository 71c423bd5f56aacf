-- Each row is one parcel of the City.
select
    hash_id(['baltimore', clean_text(pin)]) as parcel_id,
    clean_text(pin) as parcel_number,
    coalesce(block_lot(blocklot), block_lot(block || ' ' || lot)) as block_lot,
    clean_text(fulladdr) as address,
    nullif(regexp_extract(trim(zip_code), '^\d{5}'), '') as zip_code,
    clean_text(neighbor) as neighborhood,
    nullif(parse_integer(cast(cast(year_build as integer) as varchar)), 0) as year_built,
    nullif(cast(structarea as double), 0) as structure_area,
    clean_text(zonecode) as zone_code,
    clean_text(usegroup) as use_group,
    parse_integer(cast(cast(dwelunit as integer) as varchar)) as dwelling_count,
    upper(clean_text(vacind)) as vacancy_indicator,
    parse_date(regexp_replace(lpad(trim(ldate), 8, '0'), '^(\d{2})(\d{2})(\d{4})$', '\1/\2/\3')) as transferred_date,
    blocklot as _published_block_lot,
    _capture_id
from raw.baltimore_real_property
