-- Each row is what one person earned from one city in one fiscal year. Baltimore: from the list of employee salaries.
with known as (
    select name_key(raw_name) as alias_key, min(agency_code) as agency_code
    from seeds.agency_aliases
    where city = 'baltimore'
    group by name_key(raw_name)
)

select
    salaries.salary_id,
    agencies.city,
    salaries.fiscal_year,
    agencies.agency_id,
    salaries.job_title,
    nullif(salaries.annual_salary, 0) as annual_salary,
    salaries.gross_pay
from clean.baltimore_salaries as salaries
left join known on known.alias_key = name_key(salaries.agency_name)
left join marts.dim_agencies as agencies
    on agencies.city = 'baltimore' and agencies.agency_code = coalesce(known.agency_code, 'unmatched')
