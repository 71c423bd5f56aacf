-- Each row is the cumulative number of COVID-19 cases reported for one Maryland ZIP code by one day.
with daily as (
    -- One column per day, f4_11_2020 at first and total05_21_2020 later: every column that ends in a date is a day. As text,
    -- because editions from a file are text.
    select zip_code, day_column, published_count, _edition, _capture_id
    from (
        select zip_code, _edition, _capture_id, cast(columns('\d_\d+_20\d\d$') as varchar)
        from raw.maryland_covid_zip_cases
    )
    unpivot include nulls (published_count for day_column in (columns('\d_\d+_20\d\d$')))
),

published as (
    -- An edition is a year. It has no columns of the other years: they are null in its rows and hide nothing. The layer that
    -- was the source before has no editions and holds all years.
    select zip_code, day_column, published_count, _capture_id
    from daily
    where published_count is not null or _edition is null or right(day_column, 4) = _edition
)

select
    regexp_extract(cast(zip_code as varchar), '\d{5}') as zip_code,
    parse_date(replace(regexp_extract(day_column, '\d+_\d+_20\d\d$'), '_', '/')) as observed_date,
    cast(parse_integer(published_count) as bigint) as cumulative_cases,
    published_count is null as is_suppressed,
    day_column as _published_column,
    published_count as _published_count,
    _capture_id
from published
