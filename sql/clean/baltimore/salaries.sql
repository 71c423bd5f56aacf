-- Each row is what one person earned from Baltimore City in one fiscal year.
with published as (
    select
        cast(id as varchar) as published_id,
        parse_integer(regexp_replace(clean_text(cast(fiscalyear as varchar)), '^FY ?', '')) as fiscal_year,
        clean_text(name) as employee_name,
        clean_text(jobtitle) as job_title,
        clean_text(agencyid) as payroll_code,
        -- The name without the number of the former payroll system: 'R&P-Parks (068)' -> 'R&P-Parks'
        regexp_replace(clean_text(agencyname), '\s*\(\d+\)$', '') as agency_name,
        clean_text(agencyname) as published_agency_name,
        parse_date(cast(hiredate as varchar)) as hire_date,
        parse_money(try_cast(annualsalary as decimal(18, 4))) as annual_salary,
        parse_money(try_cast(grosspay as decimal(18, 4))) as gross_pay,
        cast(fiscalyear as varchar) as published_fiscal_year,
        try_cast(annualsalary as decimal(18, 4)) as published_annual_salary,
        try_cast(grosspay as decimal(18, 4)) as published_gross_pay,
        _capture_id
    from raw.baltimore_salaries
),

numbered as (
    -- The form of 2022 has no ids: its rows are numbered within their year.
    -- allow total_order: rows that tie differ only in the name, and no id is made of a name
    select
        *,
        row_number() over (
            partition by published_id, fiscal_year
            order by agency_name, job_title, hire_date, annual_salary, gross_pay, payroll_code, published_agency_name,
                published_fiscal_year, published_annual_salary, published_gross_pay
        ) as place
    from published
)

select
    hash_id(['baltimore', published_id, cast(fiscal_year as varchar), cast(place as varchar)]) as salary_id,
    fiscal_year,
    employee_name,
    nullif(job_title, published_agency_name) as job_title,
    payroll_code,
    agency_name,
    hire_date,
    annual_salary,
    gross_pay,
    published_fiscal_year as _published_fiscal_year,
    published_annual_salary as _published_annual_salary,
    published_gross_pay as _published_gross_pay,
    _capture_id
from numbered
