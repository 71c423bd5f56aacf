-- Performance measures: how published figures are read, and how an actual is compared with its target.

-- A figure in any notation of a spreadsheet, without its unit: '1,234.5', '$1,234.50 ', '99%' -> 99, '.95' -> 0.95, '-0.15', '1.15977e+007' -> 11597700;
-- 'No Data', '6500-7000', '-', 'New', '0,84', '1234,5' or '' -> null. Thousands must be grouped by three.
create or replace macro parse_figure(text) as (
    case
        when regexp_matches(
            regexp_replace(text, '[$%\s\x{00A0}]', '', 'g'), '^-?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)([eE][+-]?\d+)?$'
        )
            then try_cast(try_cast(regexp_replace(text, '[$,%\s\x{00A0}]', '', 'g') as double) as decimal(24, 6))
    end
);

-- Which rule gives the scale of a figure of a percent measure, where `anchor` is the median of the figures of its record whose scale is plain:
-- with a sign 'percent_sign'; above 1.5 'over_1_5'; else 'as_is', unless a hundredth of it is nearer to the anchor by ratio: 'row_context'.
-- (1, false, 0.03) -> 'row_context', (1, false, 1.0) -> 'as_is', (0.5, false, 0.025) -> 'row_context', (84, false, null) -> 'over_1_5'
create or replace macro percent_scale(figure, has_sign, anchor) as (
    case
        when figure is null then null
        when has_sign then 'percent_sign'
        when abs(figure) > 1.5 then 'over_1_5'
        when figure > 0 and anchor > 0
            and abs(ln(cast(figure as double) / 100 / cast(anchor as double))) < abs(ln(cast(figure as double) / cast(anchor as double)))
            then 'row_context'
        else 'as_is'
    end
);

-- How much of its target a measure attained, 1 or more if it met it. Increase: actual / target. Decrease: target / actual; an actual of 0 meets it.
-- Maintain: 1 within 5% of the target, else 1 less the distance. Where the ratio has no meaning (a target of 0 or below), 1 if met, else 0:
-- ('increase', 90, 100) -> 0.9, ('increase', 0, 0) -> 1, ('decrease', 8, 4) -> 0.5, ('decrease', 0, 4) -> 1, ('decrease', 3, 0) -> 0,
-- ('maintain', 104, 100) -> 1, ('maintain', 80, 100) -> 0.8, ('increase', -0.1, -0.15) -> 1; null direction, actual or target -> null
create or replace macro attainment(direction, actual, target) as (
    case
        when actual is null or target is null then null
        when direction = 'increase' and target > 0 then round(cast(actual as double) / cast(target as double), 12)
        when direction = 'increase' then case when actual >= target then 1.0 else 0.0 end
        when direction = 'decrease' and actual > 0 and target > 0 then round(cast(target as double) / cast(actual as double), 12)
        when direction = 'decrease' then case when actual <= target then 1.0 else 0.0 end
        when direction = 'maintain' and abs(actual - target) <= 0.05 * abs(target) then 1.0
        when direction = 'maintain' and target <> 0
            then greatest(0.0, round(1.0 - abs(cast(actual - target as double)) / abs(cast(target as double)), 12))
        when direction = 'maintain' then 0.0
    end
);

-- The score of a measure by Boston's CityScore, for comparison only: actual / target, or target / actual where less is better. An actual of 0 scores 0
-- even where it is the best (no homicides), and nothing limits the ratio: ('increase', 90, 100) -> 0.9, ('decrease', 8, 4) -> 0.5, ('decrease', 0, 4) -> 0,
-- ('increase', 281, 100) -> 2.81; ('maintain', 4, 4) -> null, a target of 0 -> null
create or replace macro cityscore_compatible(direction, actual, target) as (
    case
        when not (actual >= 0 and target > 0) then null
        when direction = 'increase' then round(cast(actual as double) / cast(target as double), 12)
        when direction = 'decrease' and actual = 0 then 0.0
        when direction = 'decrease' then round(cast(target as double) / cast(actual as double), 12)
    end
);
