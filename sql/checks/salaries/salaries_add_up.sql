-- A returned row is a city's fiscal year whose gross pay by agency or by title does not add up to the pay of all its people.
-- severity: critical
-- subject: salaries
-- holds back: marts.mart_salaries_by_title
with paid as (
    select city, fiscal_year, sum(gross_pay) as gross_pay_amount
    from marts.fct_salaries
    group by city, fiscal_year
    having count(*) >= 5
),

by_agency as (
    select city, fiscal_year, sum(gross_pay_amount) as gross_pay_amount
    from marts.mart_salaries_by_agency
    group by city, fiscal_year
),

by_title as (
    select city, fiscal_year, sum(gross_pay_amount) as gross_pay_amount
    from marts.mart_salaries_by_title
    group by city, fiscal_year
)

select
    paid.city,
    paid.fiscal_year,
    paid.gross_pay_amount,
    by_agency.gross_pay_amount as agency_amount,
    by_title.gross_pay_amount as title_amount
from paid
left join by_agency using (city, fiscal_year)
left join by_title using (city, fiscal_year)
where by_agency.gross_pay_amount is distinct from paid.gross_pay_amount
    or by_title.gross_pay_amount is distinct from paid.gross_pay_amount
