-- Each row is what was reported of COVID-19 in one county or ZIP code on one day: counts, corrections, rates and flags.
with adjusted as (
    select
        increments.*,
        coalesce(adjustments.adjustment, 0) as adjustment,
        increments.increment + coalesce(adjustments.adjustment, 0) as adjusted_daily
    from marts.fct_covid_increments as increments
    left join marts.fct_covid_adjustments as adjustments
        on
            adjustments.place = increments.place
            and adjustments.geography_kind = increments.geography_kind
            and adjustments.geography = increments.geography
            and adjustments.metric = increments.metric
            and adjustments.observed_date = increments.observed_date
),

weeks as (
    -- A week counts if all its seven daily increments are known.
    select
        *,
        case when count(reported_daily) over this_week = 7 then sum(reported_daily) over this_week end as count_7d,
        case when count(reported_daily) over last_week = 7 then sum(reported_daily) over last_week end as previous_7d,
        sum(reported_daily * reported_daily) over this_week as squares_7d,
        sum(reported_daily * reported_daily) over last_week as previous_squares_7d
    from adjusted
    window
        this_week as (
            partition by place, geography_kind, geography, metric order by observed_date
            range between interval 6 days preceding and current row
        ),
        last_week as (
            partition by place, geography_kind, geography, metric order by observed_date
            range between interval 13 days preceding and interval 7 days preceding
        )
),

days as (
    select
        place,
        geography_kind,
        geography,
        observed_date,
        max(cumulative_reported) filter (where metric = 'cases') as cases_cumulative_reported,
        max(reported_daily) filter (where metric = 'cases') as cases_reported_daily,
        max(gap_increment) filter (where metric = 'cases') as cases_gap_increment,
        max(adjusted_daily) filter (where metric = 'cases') as cases_adjusted_daily,
        max(adjustment) filter (where metric = 'cases') as cases_adjustment,
        cast(max(count_7d) filter (where metric = 'cases') as bigint) as cases_7d,
        cast(max(previous_7d) filter (where metric = 'cases') as bigint) as cases_previous_7d,
        max(squares_7d) filter (where metric = 'cases') as cases_squares_7d,
        max(previous_squares_7d) filter (where metric = 'cases') as cases_previous_squares_7d,
        max(cumulative_reported) filter (where metric = 'deaths_confirmed') as deaths_confirmed_cumulative_reported,
        max(reported_daily) filter (where metric = 'deaths_confirmed') as deaths_confirmed_reported_daily,
        max(gap_increment) filter (where metric = 'deaths_confirmed') as deaths_confirmed_gap_increment,
        max(adjusted_daily) filter (where metric = 'deaths_confirmed') as deaths_confirmed_adjusted_daily,
        max(adjustment) filter (where metric = 'deaths_confirmed') as deaths_confirmed_adjustment,
        cast(max(count_7d) filter (where metric = 'deaths_confirmed') as bigint) as deaths_confirmed_7d,
        max(cumulative_reported) filter (where metric = 'deaths_probable') as deaths_probable_cumulative_reported,
        max(reported_daily) filter (where metric = 'deaths_probable') as deaths_probable_reported_daily,
        max(gap_increment) filter (where metric = 'deaths_probable') as deaths_probable_gap_increment,
        max(adjusted_daily) filter (where metric = 'deaths_probable') as deaths_probable_adjusted_daily,
        max(adjustment) filter (where metric = 'deaths_probable') as deaths_probable_adjustment,
        cast(max(count_7d) filter (where metric = 'deaths_probable') as bigint) as deaths_probable_7d,
        bool_or(is_missing_as_zero) filter (where metric = 'cases') as is_cases_missing_as_zero,
        bool_or(is_missing_as_zero) filter (where metric = 'deaths_confirmed') as is_deaths_confirmed_missing_as_zero,
        bool_or(is_missing_as_zero) filter (where metric = 'deaths_probable') as is_deaths_probable_missing_as_zero,
        bool_or(is_correction) filter (where metric = 'cases') as is_cases_correction,
        bool_or(is_correction) filter (where metric = 'deaths_confirmed') as is_deaths_confirmed_correction,
        bool_or(is_correction) filter (where metric = 'deaths_probable') as is_deaths_probable_correction,
        bool_or(is_suppressed) as is_suppressed
    from weeks
    group by place, geography_kind, geography, observed_date
),

placed as (
    select
        days.*,
        populations.county_fips,
        cast(parse_integer(populations.population) as bigint) as population,
        cast(parse_integer(populations.population_year) as integer) as population_year,
        max(days.observed_date) over (partition by days.place, days.geography_kind) as newest_date,
        (
            overdispersion_7d(days.cases_7d, days.cases_squares_7d)
            + overdispersion_7d(days.cases_previous_7d, days.cases_previous_squares_7d)
        ) / 2 as cases_dispersion
    from days
    left join seeds.county_populations as populations
        on
            populations.place = days.place
            and days.geography_kind = 'county'
            and populations.county = days.geography
),

measured as (
    select
        placed.*,
        federal.deaths_certified_cumulative,
        federal.case_rate_7d as case_rate_cdc_7d_published,
        federal.is_case_rate_suppressed as is_case_rate_published_suppressed,
        federal.transmission_level,
        federal.positivity_pooled,
        federal.hospital_admission_rate_7d as hosp_admission_rate_7d,
        federal.inpatient_beds_covid_share as hosp_inpatient_beds_covid_share,
        federal.community_level,
        federal.dose1_people as vax_dose1_people,
        federal.series_people as vax_series_people,
        federal.booster_people as vax_booster_people,
        federal.series_share_total as vax_series_share_total,
        federal.series_share_5plus as vax_series_share_5plus,
        federal.series_share_12plus as vax_series_share_12plus,
        federal.series_share_65plus as vax_series_share_65plus,
        outages.first_date is not null as is_outage_window,
        case
            when placed.cases_7d < 100 then parse_decimal(limits.low)
            else poisson_low(placed.cases_7d)
        end as cases_7d_low,
        case
            when placed.cases_7d < 100 then parse_decimal(limits.high)
            else poisson_high(placed.cases_7d)
        end as cases_7d_high,
        case
            when placed.cases_7d > 0 and placed.cases_previous_7d > 0
                then ln(cast(placed.cases_7d as double) / placed.cases_previous_7d)
        end as log_trend,
        trend_half_width(
            case when placed.cases_7d > 0 then placed.cases_7d end,
            case when placed.cases_previous_7d > 0 then placed.cases_previous_7d end,
            placed.cases_dispersion
        ) as half_width
    from placed
    left join marts.fct_covid_federal_indicators as federal
        on
            placed.geography_kind = 'county'
            and federal.place = placed.place
            and federal.geography = placed.geography
            and federal.observed_date = placed.observed_date
    left join seeds.poisson_limits as limits on parse_integer(limits.event_count) = placed.cases_7d
    left join seeds.covid_outages as outages
        on
            outages.place = placed.place
            and placed.observed_date between parse_date(outages.first_date) and parse_date(outages.last_date)
)

select
    place,
    geography_kind,
    geography,
    observed_date,
    county_fips,
    population,
    population_year,
    cases_cumulative_reported,
    case when is_suppressed then 0 when not is_cases_missing_as_zero then cases_cumulative_reported end as cases_cumulative_low,
    case when is_suppressed then 7 when not is_cases_missing_as_zero then cases_cumulative_reported end as cases_cumulative_high,
    cases_reported_daily,
    cases_gap_increment,
    cases_adjusted_daily,
    cases_adjustment,
    cases_7d,
    rate_bchd_7d(cases_7d, population) as case_rate_bchd_7d,
    rate_maryland_7d(cases_7d, population) as case_rate_maryland_7d,
    rate_cdc_7d(cases_7d, population) as case_rate_cdc_7d,
    round(rate_cdc_7d(cases_7d_low, population), 6) as case_rate_cdc_7d_low,
    round(rate_cdc_7d(cases_7d_high, population), 6) as case_rate_cdc_7d_high,
    -- More than everything cannot be lost: a week that corrections made negative has no trend.
    case when cases_7d >= 0 and cases_previous_7d > 0 then round(cast(cases_7d as double) / cases_previous_7d - 1, 6) end as cases_trend_14d,
    round(exp(log_trend - half_width) - 1, 6) as cases_trend_14d_low,
    round(exp(log_trend + half_width) - 1, 6) as cases_trend_14d_high,
    deaths_confirmed_cumulative_reported,
    deaths_confirmed_reported_daily,
    deaths_confirmed_gap_increment,
    deaths_confirmed_adjusted_daily,
    deaths_confirmed_adjustment,
    deaths_confirmed_7d,
    rate_bchd_7d(deaths_confirmed_7d, population) as death_rate_bchd_7d,
    rate_cdc_7d(deaths_confirmed_7d, population) as death_rate_cdc_7d,
    deaths_probable_cumulative_reported,
    deaths_probable_reported_daily,
    deaths_probable_gap_increment,
    deaths_probable_adjusted_daily,
    deaths_probable_adjustment,
    deaths_probable_7d,
    deaths_certified_cumulative,
    case_rate_cdc_7d_published,
    is_case_rate_published_suppressed,
    transmission_level,
    positivity_pooled,
    cast(null as double) as positivity_mean_of_daily,
    cast(null as double) as positivity_people,
    hosp_admission_rate_7d,
    hosp_inpatient_beds_covid_share,
    community_level,
    vax_dose1_people,
    vax_series_people,
    vax_booster_people,
    vax_series_share_total,
    vax_series_share_5plus,
    vax_series_share_12plus,
    vax_series_share_65plus,
    is_cases_missing_as_zero,
    is_deaths_confirmed_missing_as_zero,
    is_deaths_probable_missing_as_zero,
    is_cases_correction,
    is_deaths_confirmed_correction,
    is_deaths_probable_correction,
    is_suppressed,
    is_outage_window,
    observed_date > newest_date - 7 as is_provisional,
    coalesce(cases_7d < 20, false) as is_unstable
from measured
