-- A returned row is an agency and fiscal year whose payments are counted otherwise by one first digit than by two.
-- severity: critical
-- subject: spending
-- holds back: marts.fct_payment_sizes
with counted as (
    select
        city,
        fiscal_year,
        agency_id,
        coalesce(sum(payment_count) filter (where size_kind = 'first digit'), 0) as by_one_digit,
        coalesce(sum(payment_count) filter (where size_kind = 'first two digits'), 0) as by_two_digits
    from marts.fct_payment_sizes
    group by city, fiscal_year, agency_id
)

select city, fiscal_year, agency_id, by_one_digit, by_two_digits
from counted
where by_one_digit <> by_two_digits
