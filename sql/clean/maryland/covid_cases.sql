-- Each row is the cumulative number of COVID-19 cases one Maryland county reported by one day.
select
    maryland_county(county_column) as county,
    cast(date as date) as observed_date,
    cast(cumulative_cases as bigint) as cumulative_cases,
    _capture_id
from raw.maryland_covid_cases
unpivot include nulls (
    cumulative_cases for county_column in (
        allegany, anne_arundel, baltimore, baltimore_city, calvert, caroline, carroll, cecil, charles, dorchester, frederick, garrett,
        harford, howard, kent, montgomery, prince_georges, queen_annes, somerset, st_marys, talbot, washington, wicomico, worcester,
        unknown
    )
)
