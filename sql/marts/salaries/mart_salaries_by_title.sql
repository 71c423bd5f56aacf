-- Each row is what the people of one title in one agency, or of one group beside the titles, earned from one city in one fiscal year.
with agencies as (
    -- The titles of a masked agency are not shown: they would add up to its total.
    select city, fiscal_year, agency_id, agency_name
    from marts.mart_salaries_by_agency
    where not is_masked and agency_id is not null
),

groups as (
    select
        salaries.city,
        salaries.fiscal_year,
        salaries.agency_id,
        agencies.agency_name,
        coalesce(salaries.job_title, 'Title not stated') as job_title,
        count(salaries.salary_id) as headcount,
        sum(salaries.annual_salary) as salary_amount,
        sum(salaries.gross_pay) as gross_pay_amount,
        median(cast(salaries.annual_salary as double)) as median_salary,
        median(cast(salaries.gross_pay as double)) as median_gross_pay,
        quantile_cont(cast(salaries.annual_salary as double), 0.1) as salary_p10,
        quantile_cont(cast(salaries.annual_salary as double), 0.2) as salary_p20,
        quantile_cont(cast(salaries.annual_salary as double), 0.3) as salary_p30,
        quantile_cont(cast(salaries.annual_salary as double), 0.4) as salary_p40,
        quantile_cont(cast(salaries.annual_salary as double), 0.6) as salary_p60,
        quantile_cont(cast(salaries.annual_salary as double), 0.7) as salary_p70,
        quantile_cont(cast(salaries.annual_salary as double), 0.8) as salary_p80,
        quantile_cont(cast(salaries.annual_salary as double), 0.9) as salary_p90
    from marts.fct_salaries as salaries
    inner join agencies
        on agencies.city = salaries.city
        and agencies.fiscal_year = salaries.fiscal_year
        and agencies.agency_id = salaries.agency_id
    where salaries.annual_salary is not null
    group by
        salaries.city,
        salaries.fiscal_year,
        salaries.agency_id,
        agencies.agency_name,
        coalesce(salaries.job_title, 'Title not stated')
),

ordered as (
    select
        *,
        coalesce(sum(headcount) over before, 0) as headcount_before
    from groups
    window before as (
        partition by city, fiscal_year, agency_id
        order by headcount, job_title
        rows between unbounded preceding and 1 preceding
    )
),

judged as (
    select *, is_masked_group(headcount, headcount_before) as is_masked
    from ordered
),

together as (
    select
        city,
        fiscal_year,
        agency_id,
        agency_name,
        sum(headcount) as headcount,
        sum(salary_amount) as salary_amount,
        sum(gross_pay_amount) as gross_pay_amount
    from judged
    where is_masked
    group by city, fiscal_year, agency_id, agency_name
),

published as (
    select
        city,
        fiscal_year,
        agency_id,
        agency_name,
        job_title,
        is_masked,
        case when not is_masked then headcount end as headcount,
        case when not is_masked then salary_amount end as salary_amount,
        case when not is_masked then gross_pay_amount end as gross_pay_amount,
        case when not is_masked then median_salary end as median_salary,
        case when not is_masked then median_gross_pay end as median_gross_pay,
        decile_of_group(headcount, salary_p10) as salary_p10,
        decile_of_group(headcount, salary_p20) as salary_p20,
        decile_of_group(headcount, salary_p30) as salary_p30,
        decile_of_group(headcount, salary_p40) as salary_p40,
        decile_of_group(headcount, salary_p60) as salary_p60,
        decile_of_group(headcount, salary_p70) as salary_p70,
        decile_of_group(headcount, salary_p80) as salary_p80,
        decile_of_group(headcount, salary_p90) as salary_p90
    from judged
    union all
    select
        city,
        fiscal_year,
        agency_id,
        agency_name,
        'Masked titles together' as job_title,
        false as is_masked,
        headcount,
        salary_amount,
        gross_pay_amount,
        null as median_salary,
        null as median_gross_pay,
        null as salary_p10,
        null as salary_p20,
        null as salary_p30,
        null as salary_p40,
        null as salary_p60,
        null as salary_p70,
        null as salary_p80,
        null as salary_p90
    from together
    union all
    -- Groups of the agencies' table that are no agency, as they are there: so both tables have the same total.
    select
        city,
        fiscal_year,
        agency_id,
        agency_name,
        'All titles' as job_title,
        is_masked,
        headcount,
        salary_amount,
        gross_pay_amount,
        median_salary,
        median_gross_pay,
        salary_p10,
        salary_p20,
        salary_p30,
        salary_p40,
        salary_p60,
        salary_p70,
        salary_p80,
        salary_p90
    from marts.mart_salaries_by_agency
    where agency_id is null
)

select
    city,
    fiscal_year,
    agency_name,
    job_title,
    agency_id,
    is_masked,
    cast(headcount as bigint) as headcount,
    cast(salary_amount as decimal(38, 2)) as salary_amount,
    cast(gross_pay_amount as decimal(38, 2)) as gross_pay_amount,
    cast(gross_pay_amount / nullif(salary_amount, 0) as double) as gross_to_salary_rate,
    cast(median_salary as decimal(18, 2)) as median_salary,
    cast(median_gross_pay as decimal(18, 2)) as median_gross_pay,
    salary_p10,
    salary_p20,
    salary_p30,
    salary_p40,
    salary_p60,
    salary_p70,
    salary_p80,
    salary_p90
from published
