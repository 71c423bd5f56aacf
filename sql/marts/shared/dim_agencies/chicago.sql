-- Each row is one agency or department of one city. Chicago: the departments, with their names in the newest budget.
with agencies as (
    select
        department_number as agency_code,
        max_by(department_name, (fiscal_year, department_name)) as agency_name
    from clean.chicago_budget
    group by department_number
    union all
    select 'unmatched' as agency_code, 'Unmatched agency name' as agency_name
)

select
    hash_id(['chicago', agency_code]) as agency_id,
    'chicago' as city,
    agency_code,
    agency_name
from agencies
