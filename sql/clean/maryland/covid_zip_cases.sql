-- Each row is the cumulative number of COVID-19 cases reported for one Maryland ZIP code by one day.
with daily as (
    -- One column per day, F4_11_2020 at first and total05_21_2020 later: every column that ends in a date is a day.
    select zip_code, day_column, cumulative_cases, _capture_id
    from raw.maryland_covid_zip_cases
    unpivot include nulls (cumulative_cases for day_column in (columns('\d_\d+_20\d\d$')))
)

select
    regexp_extract(zip_code, '\d{5}') as zip_code,
    parse_date(replace(regexp_extract(day_column, '\d+_\d+_20\d\d$'), '_', '/')) as observed_date,
    cast(cumulative_cases as bigint) as cumulative_cases,
    cumulative_cases is null as is_suppressed,
    day_column as _published_column,
    _capture_id
from daily
