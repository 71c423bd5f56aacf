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

covered as (
    select city, fiscal_year, cast((fiscal_period + 2) // 3 as integer) as fiscal_quarter, count(fiscal_period) as covered_months
    from marts.dim_coverage
    where source = 'spending' and status = 'complete'
    group by 1, 2, 3
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
),

beside as (
    select
        reported.*,
        ours.expected_amount,
        ours.interval_low_amount,
        ours.interval_high_amount,
        ours.all_amount,
        ours.eligible_amount,
        coalesce(covered.covered_months, 0) as covered_months,
        coalesce(covered.covered_months, 0) = 3 as is_covered
    from reported
    left join ours using (city, fiscal_year, fiscal_quarter)
    left join covered using (city, fiscal_year, fiscal_quarter)
)

select
    city,
    fiscal_year,
    fiscal_quarter,
    reported_amount,
    counts as reported_counts,
    cast(covered_months as integer) as covered_months,
    expected_amount,
    interval_low_amount,
    interval_high_amount,
    case when is_covered then expected_amount - reported_amount end as gap_amount,
    all_amount,
    eligible_amount,
    case when is_covered then cast(reported_amount as double) / cast(nullif(all_amount, 0) as double) end as reported_share_of_all,
    case when is_covered then cast(reported_amount as double) / cast(nullif(eligible_amount, 0) as double) end as reported_share_of_eligible,
    cast(expected_amount as double) / cast(nullif(all_amount, 0) as double) as expected_share_of_all,
    cast(expected_amount as double) / cast(nullif(eligible_amount, 0) as double) as expected_share_of_eligible,
    'Ours has payments to primes only; the City also counts what primes paid certified subcontractors, up to what it paid the prime.'
        as why_ours_may_be_lower,
    'The City leaves out purchase orders that are not yet contracts in its compliance system, unconfirmed payments, and what followed its last reading of the year.'
        as why_ours_may_be_higher,
    case
        when expected_amount is null then 'The checkbook has no payments of this quarter.'
        when not is_covered then 'The checkbook covers ' || covered_months || ' of the 3 months, so the two cannot be compared.'
    end as not_published,
    source,
    published_date
from beside
