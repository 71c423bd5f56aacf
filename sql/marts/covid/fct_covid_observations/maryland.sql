-- Each row is one cumulative count of one place on one day, as published.
select
    'maryland' as place,
    'county' as geography_kind,
    county as geography,
    'cases' as metric,
    observed_date,
    cumulative_cases as value,
    false as is_suppressed,
    'maryland/covid_cases' as source
from clean.maryland_covid_cases
union all
select
    'maryland' as place,
    'county' as geography_kind,
    county as geography,
    'deaths_confirmed' as metric,
    observed_date,
    cumulative_deaths as value,
    false as is_suppressed,
    'maryland/covid_deaths' as source
from clean.maryland_covid_deaths
union all
select
    'maryland' as place,
    'county' as geography_kind,
    county as geography,
    'deaths_probable' as metric,
    observed_date,
    cumulative_probable_deaths as value,
    false as is_suppressed,
    'maryland/covid_probable_deaths' as source
from clean.maryland_covid_probable_deaths
union all
select
    'maryland' as place,
    'zip' as geography_kind,
    zip_code as geography,
    'cases' as metric,
    observed_date,
    cumulative_cases as value,
    is_suppressed,
    'maryland/covid_zip_cases' as source
from clean.maryland_covid_zip_cases
