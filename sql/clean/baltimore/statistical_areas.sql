-- Each row is one community statistical area of Baltimore with its boundary.
select
    hash_id(['baltimore', 'statistical area', name_key(community)]) as boundary_id,
    clean_text(community) as statistical_area,
    _geometry as geometry,
    _capture_id
from raw.baltimore_statistical_areas
