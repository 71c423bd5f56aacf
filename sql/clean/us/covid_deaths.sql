-- Each row is the number of deaths in one county that involve COVID-19 by death certificates, up to one week.
select
    lpad(cast(cast(county_fips_code as bigint) as varchar), 5, '0') as county_fips,
    end_week as observed_date,
    start_week as first_date,
    data_as_of as analysed_date,
    clean_text(county_name) as county_name,
    clean_text(state_name) as state_code,
    cast(covid_death as bigint) as covid_deaths,
    cast(total_death as bigint) as all_deaths,
    covid_death is null as is_suppressed,
    _capture_id
from raw.us_covid_deaths
