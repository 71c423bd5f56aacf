-- Each row is one boundary as a city draws it: of a neighborhood, a statistical area, a council district or an area of a ZIP code.
select
    boundary_id,
    'baltimore' as city,
    'neighborhood' as kind,
    neighborhood as geography_name,
    name_key(neighborhood) as geography_key,
    residents,
    housing_units,
    geometry
from clean.baltimore_neighborhoods
union all
select
    boundary_id,
    'baltimore' as city,
    'statistical area' as kind,
    statistical_area as geography_name,
    name_key(statistical_area) as geography_key,
    null as residents,
    null as housing_units,
    geometry
from clean.baltimore_statistical_areas
union all
select
    boundary_id,
    'baltimore' as city,
    'council district' as kind,
    'District ' || cast(council_district as varchar) as geography_name,
    cast(council_district as varchar) as geography_key,
    null as residents,
    null as housing_units,
    geometry
from clean.baltimore_council_districts
union all
select
    boundary_id,
    'baltimore' as city,
    'zip code' as kind,
    zip_code as geography_name,
    zip_code as geography_key,
    null as residents,
    null as housing_units,
    geometry
from clean.baltimore_zip_codes
