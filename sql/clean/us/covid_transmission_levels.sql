-- Each row is what the CDC first posted of one county on one day: case rate, share of positive tests and level of transmission.
select
    lpad(clean_text(fips_code), 5, '0') as county_fips,
    report_date as observed_date,
    clean_text(county_name) as county_name,
    clean_text(state_name) as state_name,
    cast(parse_figure(cases_per_100k_7_day_count) as double) as case_rate_7d,
    coalesce(lower(trim(cases_per_100k_7_day_count)) = 'suppressed', false) as is_case_rate_suppressed,
    cast(percent_test_results_reported as double) / 100 as positivity_pooled,
    clean_text(community_transmission_level) as transmission_level,
    cases_per_100k_7_day_count as _published_rate,
    _capture_id
from raw.us_covid_transmission_levels
