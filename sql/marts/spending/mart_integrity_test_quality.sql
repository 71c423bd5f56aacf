-- Each row is how well one test of payments does on the labelled cases of one origin in one city's published payments.
with cases as (
    select city, test, origin, is_true, is_reported from marts.fct_labelled_cases where is_published
    union all
    select city, test, 'all' as origin, is_true, is_reported from marts.fct_labelled_cases where is_published
    union all
    select city, test || ' ' || tier as test, 'all' as origin, is_true, is_reported
    from marts.fct_labelled_cases
    where is_published and tier is not null
),

counts as (
    select
        city,
        test,
        origin,
        count(*) filter (where is_true) as true_count,
        count(*) filter (where is_true and is_reported) as found_count,
        count(*) filter (where not is_true) as false_count,
        count(*) filter (where not is_true and is_reported) as false_alarm_count
    from cases
    group by city, test, origin
)

select
    city,
    test,
    origin,
    true_count,
    found_count,
    false_count,
    false_alarm_count,
    cast(found_count as double) / nullif(true_count, 0) as recall,
    case when true_count > 0 then wilson_low(found_count, true_count) end as recall_low,
    case when true_count > 0 then wilson_high(found_count, true_count) end as recall_high,
    case when false_count > 0 then cast(found_count as double) / nullif(found_count + false_alarm_count, 0) end as labelled_precision,
    case when false_count > 0 and found_count + false_alarm_count > 0 then wilson_low(found_count, found_count + false_alarm_count) end
        as precision_low,
    case when false_count > 0 and found_count + false_alarm_count > 0 then wilson_high(found_count, found_count + false_alarm_count) end
        as precision_high
from counts
