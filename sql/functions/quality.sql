-- Scores of data sets, from 0 to 1.

-- How fresh data is that is `days` old and updated every `period` days: 1 when new, 0.98 at one period, 0.5 at two, near 0 at three.
-- (0, 90) -> 0.999665, (90, 90) -> 0.982014, (180, 90) -> 0.5, (-1, 90) -> 0.0, (400, null) -> 0.5; days null -> null
create or replace macro freshness(days, period) as (
    case
        when days is null then null
        when days < 0 then 0.0
        when period is null then 0.5
        else round(1 / (1 + exp(4 * (least(cast(days as double) / period, 100.0) - 2))), 6)
    end
);

-- Whether data is no older than its period: (89, 90) -> true, (90, 90) -> true, (91, 90) -> false, (-1, 90) -> false; a null -> null
create or replace macro is_fresh(days, period) as (
    days >= 0 and days <= period
);
