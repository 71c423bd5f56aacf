-- Each row is one claim of what certification assesses, for one city.
select
    hash_id([scorecard.city, claims.standard, claims.claim]) as claim_id,
    scorecard.city,
    claims.standard,
    parse_integer(max(claims.position)) as position,
    claims.claim,
    string_agg(scorecard.criterion, ', ' order by scorecard.criterion) as criteria,
    count(*) as criterion_count,
    count(*) filter (where scorecard.classification = 'measured') as measured_count,
    count(*) filter (where scorecard.classification = 'partly_measured') as partly_measured_count,
    count(*) filter (where scorecard.classification in ('attested', 'not_measurable')) as not_measured_count,
    cast(coalesce(sum(scorecard.points), 0) as bigint) as points,
    max(claims.shown_in) as shown_in
from seeds.wwc_claims as claims
inner join marts.mart_wwc_scorecard as scorecard
    on claims.standard = scorecard.standard and claims.criterion = scorecard.criterion
group by scorecard.city, claims.standard, claims.claim
