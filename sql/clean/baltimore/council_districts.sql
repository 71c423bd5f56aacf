-- Each row is one council district of Baltimore with its boundary.
with numbered as (
    select
        parse_integer(nullif(regexp_extract(area_name, '\d+'), '')) as council_district,
        area_name,
        _geometry as geometry,
        _capture_id
    from raw.baltimore_council_districts
)

select
    hash_id(['baltimore', 'council district', cast(council_district as varchar)]) as boundary_id,
    council_district,
    geometry,
    area_name as _published_name,
    _capture_id
from numbered
