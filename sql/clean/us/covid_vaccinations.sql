-- Each row is the number of residents of one county who were vaccinated against COVID-19 by one day.
select
    clean_text(recip_state) as state_code,
    case when clean_text(fips) = 'UNK' then 'UNK' else lpad(clean_text(fips), 5, '0') end as county_fips,
    date as observed_date,
    clean_text(recip_county) as county_name,
    cast(completeness_pct as double) / 100 as known_county_share,
    cast(administered_dose1_recip as bigint) as dose1_people,
    cast(series_complete_yes as bigint) as series_people,
    cast(series_complete_5plus as bigint) as series_people_5plus,
    cast(series_complete_12plus as bigint) as series_people_12plus,
    cast(series_complete_65plus as bigint) as series_people_65plus,
    cast(booster_doses as bigint) as booster_people,
    cast(census2019 as bigint) as population_2019,
    cast(census2019_5pluspop as bigint) as population_2019_5plus,
    cast(census2019_12pluspop as bigint) as population_2019_12plus,
    cast(census2019_65pluspop as bigint) as population_2019_65plus,
    _capture_id
from raw.us_covid_vaccinations
