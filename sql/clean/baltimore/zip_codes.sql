-- Each row is one area of a ZIP code in or around Baltimore with its boundary.
select
    hash_id(['baltimore', 'zip code', clean_text(zipcode2)]) as boundary_id,
    nullif(regexp_extract(trim(zipcode1), '^\d{5}'), '') as zip_code,
    clean_text(zipname) as post_office,
    _geometry as geometry,
    zipcode1 as _published_zip_code,
    _capture_id
from raw.baltimore_zip_codes
