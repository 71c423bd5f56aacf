-- A returned row is a day whose CDC rate is not seven times its Health Department rate, or whose Maryland rate is another one.
-- severity: critical
-- subject: covid
-- holds back: marts.mart_covid_indicators_daily
select place, geography, observed_date, case_rate_bchd_7d, case_rate_maryland_7d, case_rate_cdc_7d, death_rate_bchd_7d, death_rate_cdc_7d
from marts.mart_covid_indicators_daily
where
    (case_rate_bchd_7d is null) <> (case_rate_cdc_7d is null)
    or abs(case_rate_cdc_7d - 7 * case_rate_bchd_7d) > 1e-9 * greatest(1, abs(case_rate_cdc_7d))
    or case_rate_maryland_7d is distinct from case_rate_bchd_7d
    or (death_rate_bchd_7d is null) <> (death_rate_cdc_7d is null)
    or abs(death_rate_cdc_7d - 7 * death_rate_bchd_7d) > 1e-9 * greatest(1, abs(death_rate_cdc_7d))
