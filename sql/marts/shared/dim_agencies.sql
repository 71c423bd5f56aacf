-- Each row is one agency or department of one city.
with baltimore_agencies as (
    select city, agency_code, agency_name from seeds.agencies
),

chicago_departments as (
    -- Named as in the newest budget.
    select
        'chicago' as city,
        department_number as agency_code,
        max_by(department_name, (fiscal_year, department_name)) as agency_name
    from clean.chicago_budget
    group by department_number
),

unmatched as (
    select city, 'unmatched' as agency_code, 'Unmatched agency name' as agency_name
    from (values ('baltimore'), ('chicago')) as cities(city)
),

all_agencies as (
    select city, agency_code, agency_name from baltimore_agencies
    union all
    select city, agency_code, agency_name from chicago_departments
    union all
    select city, agency_code, agency_name from unmatched
)

select
    hash_id(json_array(city, agency_code)) as agency_id,
    city,
    agency_code,
    agency_name
from all_agencies
