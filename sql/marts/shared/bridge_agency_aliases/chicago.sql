-- Each row is one agency name as one source writes it, and its agency. Chicago: by the department number.
with names as (
    -- Every name belongs to the department number in its row.
    select
        department_name as raw_name,
        max_by(department_number, (fiscal_year, department_number)) as agency_code,
        count(*) as row_count
    from clean.chicago_budget
    group by department_name
)

select
    agencies.city,
    'budget' as source_system,
    names.raw_name,
    agencies.agency_id,
    true as is_matched,
    names.row_count
from names
inner join marts.dim_agencies as agencies
    on agencies.city = 'chicago' and agencies.agency_code = names.agency_code
