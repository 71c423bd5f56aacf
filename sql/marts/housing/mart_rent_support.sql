-- Each row is what one program of a city to support renters did in one period, as the city stated it.
select
    city,
    program,
    parse_date(period_start) as period_start,
    parse_date(period_end) as period_end,
    cast(parse_integer(households) as bigint) as household_count,
    parse_money(dollars) as paid_amount,
    cast(parse_integer(evictions_prevented) as bigint) as prevented_eviction_count,
    cast(parse_money(dollars) / nullif(parse_integer(households), 0) as double) as amount_per_household,
    is_rounded = 'true' as is_rounded,
    coverage_note,
    'No record of a payment or a household is open data.' as not_published_reason,
    source,
    parse_date(recorded) as recorded_date
from seeds.rent_support
