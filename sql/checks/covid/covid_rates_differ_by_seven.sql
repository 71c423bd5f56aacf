-- A returned row is a county's day whose CDC rate is not seven times its Health Department rate.
-- severity: critical
-- subject: covid
-- holds back: marts.mart_covid_daily
select county, metric, observed_date, rate_bchd_7d, rate_cdc_7d
from marts.mart_covid_daily
where
    (rate_bchd_7d is null) <> (rate_cdc_7d is null)
    or abs(rate_cdc_7d - 7 * rate_bchd_7d) > 1e-9 * greatest(1, abs(rate_cdc_7d))
