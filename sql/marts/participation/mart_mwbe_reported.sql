-- Each row is the dollars to certified firms that a city reported for one fiscal quarter, beside what its checkbook shows.
with ours as (
    select
        city,
        fiscal_year,
        fiscal_quarter,
        max(expected_amount) filter (where denominator = 'all') as expected_amount,
        max(interval_low_amount) filter (where denominator = 'all') as interval_low_amount,
        max(interval_high_amount) filter (where denominator = 'all') as interval_high_amount,
        max(denominator_amount) filter (where denominator = 'all') as all_amount,
        max(denominator_amount) filter (where denominator = 'eligible') as eligible_amount
    from marts.mart_mwbe_participation
    where breakdown = 'city' and certified_group = 'unduplicated' and fiscal_quarter is not null
    group by city, fiscal_year, fiscal_quarter
),

reported as (
    select
        city,
        parse_integer(fiscal_year) as fiscal_year,
        parse_integer(fiscal_quarter) as fiscal_quarter,
        parse_money(reported_amount) as reported_amount,
        counts,
        source,
        parse_date(published_on) as published_date
    from seeds.mwbe_reported_dollars
)

select
    reported.city,
    reported.fiscal_year,
    reported.fiscal_quarter,
    reported.reported_amount,
    reported.counts as reported_counts,
    ours.expected_amount,
    ours.interval_low_amount,
    ours.interval_high_amount,
    ours.expected_amount - reported.reported_amount as gap_amount,
    ours.all_amount,
    ours.eligible_amount,
    cast(reported.reported_amount as double) / cast(nullif(ours.all_amount, 0) as double) as reported_share_of_all,
    cast(reported.reported_amount as double) / cast(nullif(ours.eligible_amount, 0) as double) as reported_share_of_eligible,
    cast(ours.expected_amount as double) / cast(nullif(ours.all_amount, 0) as double) as expected_share_of_all,
    cast(ours.expected_amount as double) / cast(nullif(ours.eligible_amount, 0) as double) as expected_share_of_eligible,
    'Ours has payments to primes only; the City also counts what primes paid certified subcontractors, up to what it paid the prime.'
        as why_ours_may_be_lower,
    'The City leaves out purchase orders that are not yet contracts in its compliance system, unconfirmed payments, and what followed its last reading of the year.'
        as why_ours_may_be_higher,
    case when ours.city is null then 'The checkbook has no payments of this quarter.' end as not_published,
    reported.source,
    reported.published_date
from reported
left join ours
    on ours.city = reported.city
    and ours.fiscal_year = reported.fiscal_year
    and ours.fiscal_quarter = reported.fiscal_quarter
