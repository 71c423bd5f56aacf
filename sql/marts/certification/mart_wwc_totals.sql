-- Each row is one of three totals of the criteria of one city.
with totals as (
    select 1 as position, 'measured' as total
    union all
    select 2 as position, 'measured and partly measured' as total
    union all
    select 3 as position, 'if every attestation were given' as total
),

counted as (
    select
        scorecard.city,
        scorecard.standard,
        totals.position,
        totals.total,
        count(*) as criterion_count,
        count(*) filter (where scorecard.points is null and scorecard.classification in ('measured', 'partly_measured')) as unknown_count,
        sum(case when scorecard.classification in ('attested', 'not_measurable') then 1 else coalesce(scorecard.points, 0) end) as points
    from marts.mart_wwc_scorecard as scorecard
    cross join totals
    where
        totals.position = 3
        or scorecard.classification = 'measured'
        or (totals.position = 2 and scorecard.classification = 'partly_measured')
    group by scorecard.city, scorecard.standard, totals.position, totals.total
)

select
    hash_id([city, standard, total]) as total_id,
    city,
    standard,
    position,
    total,
    criterion_count,
    cast(points as bigint) as points,
    unknown_count
from counted
