-- Each row is what federal agencies published of COVID-19 in one county on one day.
with days as (
    select county_fips, observed_date from clean.us_covid_transmission_levels
    union
    select county_fips, observed_date from clean.us_covid_community_levels
    union
    select county_fips, observed_date from clean.us_covid_vaccinations
    union
    select county_fips, observed_date from clean.us_covid_deaths
)

select
    populations.place,
    populations.county as geography,
    days.county_fips,
    days.observed_date,
    transmission.case_rate_7d,
    transmission.is_case_rate_suppressed,
    transmission.positivity_pooled,
    transmission.transmission_level,
    levels.hospital_admission_rate_7d,
    levels.inpatient_beds_covid_share,
    levels.community_level,
    vaccinations.dose1_people,
    vaccinations.series_people,
    vaccinations.booster_people,
    cast(vaccinations.series_people as double) / nullif(vaccinations.population_2019, 0) as series_share_total,
    cast(vaccinations.series_people_5plus as double) / nullif(vaccinations.population_2019_5plus, 0) as series_share_5plus,
    cast(vaccinations.series_people_12plus as double) / nullif(vaccinations.population_2019_12plus, 0) as series_share_12plus,
    cast(vaccinations.series_people_65plus as double) / nullif(vaccinations.population_2019_65plus, 0) as series_share_65plus,
    deaths.covid_deaths as deaths_certified_cumulative
from days
inner join seeds.county_populations as populations using (county_fips)
left join clean.us_covid_transmission_levels as transmission
    on transmission.county_fips = days.county_fips and transmission.observed_date = days.observed_date
left join clean.us_covid_community_levels as levels
    on levels.county_fips = days.county_fips and levels.observed_date = days.observed_date
left join clean.us_covid_vaccinations as vaccinations
    on vaccinations.county_fips = days.county_fips and vaccinations.observed_date = days.observed_date
left join clean.us_covid_deaths as deaths
    on deaths.county_fips = days.county_fips and deaths.observed_date = days.observed_date
