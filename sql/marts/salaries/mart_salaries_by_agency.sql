-- Each row is what the people of one agency, or of one group beside the agencies, earned from one city in one fiscal year.
with groups as (
    -- People whose salary is not stated are one group of the city: in their agencies, gross pay and salaries would be about different people.
    select
        city,
        fiscal_year,
        case when annual_salary is not null then agency_id end as agency_id,
        count(salary_id) as headcount,
        sum(annual_salary) as salary_amount,
        sum(gross_pay) as gross_pay_amount,
        median(cast(annual_salary as double)) as median_salary,
        median(cast(gross_pay as double)) as median_gross_pay,
        quantile_cont(cast(annual_salary as double), 0.1) as salary_p10,
        quantile_cont(cast(annual_salary as double), 0.2) as salary_p20,
        quantile_cont(cast(annual_salary as double), 0.3) as salary_p30,
        quantile_cont(cast(annual_salary as double), 0.4) as salary_p40,
        quantile_cont(cast(annual_salary as double), 0.6) as salary_p60,
        quantile_cont(cast(annual_salary as double), 0.7) as salary_p70,
        quantile_cont(cast(annual_salary as double), 0.8) as salary_p80,
        quantile_cont(cast(annual_salary as double), 0.9) as salary_p90
    from marts.fct_salaries
    group by city, fiscal_year, case when annual_salary is not null then agency_id end
),

ordered as (
    select
        *,
        coalesce(sum(headcount) over before, 0) as headcount_before
    from groups
    window before as (
        partition by city, fiscal_year order by headcount, agency_id rows between unbounded preceding and 1 preceding
    )
),

named as (
    select
        ordered.*,
        coalesce(agencies.agency_name, 'Salary not stated') as agency_name,
        is_masked_group(ordered.headcount, ordered.headcount_before) as is_masked
    from ordered
    left join marts.dim_agencies as agencies using (agency_id)
),

together as (
    select
        city,
        fiscal_year,
        sum(headcount) as headcount,
        sum(salary_amount) as salary_amount,
        sum(gross_pay_amount) as gross_pay_amount
    from named
    where is_masked
    group by city, fiscal_year
),

published as (
    select
        city,
        fiscal_year,
        agency_id,
        agency_name,
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
    from named
    union all
    select
        city,
        fiscal_year,
        null as agency_id,
        'Masked agencies together' as agency_name,
        headcount < 5 as is_masked,
        case when headcount >= 5 then headcount end as headcount,
        case when headcount >= 5 then salary_amount end as salary_amount,
        case when headcount >= 5 then gross_pay_amount end as gross_pay_amount,
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
)

select
    city,
    fiscal_year,
    agency_name,
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
