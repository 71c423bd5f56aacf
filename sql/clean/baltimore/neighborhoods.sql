-- Each row is one neighborhood of Baltimore with its boundary.
select
    hash_id(['baltimore', 'neighborhood', name_key(name)]) as boundary_id,
    clean_text(name) as neighborhood,
    parse_integer(cast(try_cast(population as decimal(18, 4)) as varchar)) as residents,
    parse_integer(cast(try_cast(total_units as decimal(18, 4)) as varchar)) as housing_units,
    _geometry as geometry,
    _capture_id
from raw.baltimore_neighborhoods
