-- Each row is the cumulative number of probable COVID-19 deaths one Maryland county reported by one day.
select
    county,
    cast(date as date) as observed_date,
    cast(cumulative_probable_deaths as bigint) as cumulative_probable_deaths,
    _capture_id
from raw.maryland_covid_probable_deaths
unpivot include nulls (
    cumulative_probable_deaths for county in (
        allegany as 'Allegany',
        anne_arundel as 'Anne Arundel',
        baltimore as 'Baltimore County',
        baltimore_city as 'Baltimore City',
        calvert as 'Calvert',
        caroline as 'Caroline',
        carroll as 'Carroll',
        cecil as 'Cecil',
        charles as 'Charles',
        dorchester as 'Dorchester',
        frederick as 'Frederick',
        garrett as 'Garrett',
        harford as 'Harford',
        howard as 'Howard',
        kent as 'Kent',
        montgomery as 'Montgomery',
        prince_georges as 'Prince George''s',
        queen_annes as 'Queen Anne''s',
        somerset as 'Somerset',
        st_marys as 'St. Mary''s',
        talbot as 'Talbot',
        washington as 'Washington',
        wicomico as 'Wicomico',
        worcester as 'Worcester',
        unknown as 'Unknown'
    )
)
