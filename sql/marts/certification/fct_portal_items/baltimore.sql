-- Each row is one item in the catalog of one city's portal: Baltimore's has items of others, too, which share the portal.
select
    'baltimore' as city,
    landing_page,
    title,
    description,
    is_description_unfilled,
    publisher_name,
    coalesce(publisher_name = 'Baltimore City', false) as is_of_city,
    issued_on,
    modified_on,
    has_contact,
    formats,
    coalesce(has_download, false) as has_download,
    coalesce(has_api, false) as has_api,
    api_url
from clean.baltimore_portal_inventory
