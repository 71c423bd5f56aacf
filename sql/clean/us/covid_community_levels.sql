-- Each row is what the CDC published of one county in one week: cases, hospital admissions, beds and the community level.
select
    lpad(clean_text(county_fips), 5, '0') as county_fips,
    date_updated as observed_date,
    clean_text(county) as county_name,
    clean_text(state) as state_name,
    cast(county_population as bigint) as population_2019,
    cast(covid_cases_per_100k as double) as case_rate_7d,
    cast(covid_hospital_admissions_per_100k as double) as hospital_admission_rate_7d,
    cast(covid_inpatient_bed_utilization as double) / 100 as inpatient_beds_covid_share,
    clean_text(covid_19_community_level) as community_level,
    _capture_id
from raw.us_covid_community_levels
