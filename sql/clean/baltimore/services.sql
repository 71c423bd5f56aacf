-- Each row is one service of the City, by its Workday code.
select
    clean_text(service_id) as service_code,
    clean_text(service_name) as service_name,
    clean_text(agency_id) as agency_code,
    lower(clean_text(service_type)) as service_type,
    clean_code(pillar_id) as pillar_code,
    clean_text(pillar_name) as pillar_name,
    parse_flag(active) as is_active,
    _capture_id
from raw.baltimore_services
