-- Official measures of COVID-19, each under the name of who publishes it.

-- Cases or deaths of seven days per 100,000 residents and day. Baltimore's Health Department: the mean of seven daily rates. (2.1, 100000) -> 0.3
create or replace macro rate_bchd_7d(count_7d, population) as (
    cast(count_7d as double) / 7 / nullif(population, 0) * 100000
);

-- Maryland's Department of Health documents the same formula as Baltimore's Health Department, so it is that one: (2.1, 100000) -> 0.3
create or replace macro rate_maryland_7d(count_7d, population) as (rate_bchd_7d(count_7d, population));

-- CDC: the sum of seven days per 100,000 residents, which is seven times as large. (2.1, 100000) -> 2.1
create or replace macro rate_cdc_7d(count_7d, population) as (
    cast(count_7d as double) / nullif(population, 0) * 100000
);

-- Shares of positive tests over the seven rows of a week. The three differ for the same tests, and all were published for the same counties.

-- Maryland, by county: the mean of the daily shares. A day without tests has no share and is left out.
create or replace macro positivity_mean_of_daily(positives, tests) as (
    round(avg(cast(positives as double) / nullif(tests, 0)), 6)
);

-- CDC, and Maryland for the State: all positives of the week divided by all tests.
create or replace macro positivity_pooled(positives, tests) as (
    cast(sum(positives) as double) / nullif(sum(tests), 0)
);

-- Johns Hopkins: new cases divided by new cases and people who tested negative. It counts people, not tests.
create or replace macro positivity_people(new_cases, people_negative) as (
    cast(sum(new_cases) as double) / nullif(sum(new_cases) + sum(people_negative), 0)
);

-- Ends of the 95% interval of a count of 100 and more (Wilson and Hilferty), which differ from the exact ones of Poisson's distribution (Garwood)
-- by less than 0.01%; the exact ones below 100 are in seeds.poisson_limits. 100 -> 81.36 and 121.63
create or replace macro poisson_low(event_count) as (
    event_count * power(1 - 1 / (9.0 * event_count) - 1.959964 / (3 * sqrt(event_count)), 3)
);

create or replace macro poisson_high(event_count) as (
    (event_count + 1) * power(1 - 1 / (9.0 * (event_count + 1)) + 1.959964 / (3 * sqrt(event_count + 1)), 3)
);

-- How much more the days of a week vary than Poisson's distribution says, by moments of the negative binomial distribution: variance = mean + k * mean^2.
-- `squares_7d` is the sum of the squares of the seven counts. (70, 700) -> 0.0, (70, 1300) -> 0.9
create or replace macro overdispersion_7d(count_7d, squares_7d) as (
    greatest(0.0, ((squares_7d - cast(count_7d as double) * count_7d / 7) / 6 - cast(count_7d as double) / 7) / power(nullif(count_7d, 0) / 7.0, 2))
);

-- Half the width of the 95% interval of the logarithm of this week's count divided by last week's; `dispersion` as above.
create or replace macro trend_half_width(count_7d, previous_7d, dispersion) as (
    1.959964 * sqrt(1.0 / nullif(count_7d, 0) + 1.0 / nullif(previous_7d, 0) + 2 * dispersion / 7)
);
