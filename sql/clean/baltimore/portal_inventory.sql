-- Each row is one item in the portal's own catalog.
select
    clean_text(landingpage) as landing_page,
    clean_text(title) as title,
    case when not is_unfilled(description) then clean_text(regexp_replace(description, '<[^>]*>', ' ', 'g')) end as description,
    is_unfilled(description) as is_description_unfilled,
    len(regexp_extract_all(keyword, '"[^"]+"')) as keyword_count,
    parse_date(issued) as issued_on,
    parse_date(modified) as modified_on,
    clean_text(json_extract_string(publisher, '$.name')) as publisher_name,
    contactpoint is not null as has_contact,
    case when not is_unfilled(spatial) then clean_text(spatial) end as spatial_extent,
    array_to_string(regexp_extract_all(distribution, '"format":"([^"]+)"', 1), ' | ') as formats,
    regexp_matches(
        distribution, '"mediaType":"(text/csv|application/(vnd\.geo\+json|geo\+json|zip|vnd\.google-earth\.kml\+xml))"'
    ) as has_download,
    regexp_matches(distribution, '"format":"ArcGIS GeoServices REST API"') as has_api,
    nullif(regexp_extract(distribution, '"format":"ArcGIS GeoServices REST API"[^}]*"accessURL":"([^"]*)"', 1), '') as api_url,
    modified as _published_modified,
    distribution as _published_distribution,
    _capture_id
from raw.baltimore_portal_inventory
