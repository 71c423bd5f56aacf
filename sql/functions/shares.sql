-- Intervals of shares.

-- Lower and upper end of the 95% interval of Wilson for a share of `hits` in `total`:
-- (3, 3) -> 0.438494 and 1.0, (0, 10) -> 0.0 and 0.277533, (5, 10) -> 0.236590 and 0.763410; total 0 -> null
create or replace macro wilson_low(hits, total) as (
    case when total > 0 then greatest(0.0, round(
        ((cast(hits as double) + 1.920729) - 1.959964 * sqrt(cast(hits as double) * (total - hits) / total + 0.960365))
        / (total + 3.841459), 6
    )) end
);

create or replace macro wilson_high(hits, total) as (
    case when total > 0 then least(1.0, round(
        ((cast(hits as double) + 1.920729) + 1.959964 * sqrt(cast(hits as double) * (total - hits) / total + 0.960365))
        / (total + 3.841459), 6
    )) end
);
