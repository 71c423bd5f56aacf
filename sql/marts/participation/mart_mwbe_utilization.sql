-- Each row is what certified firms of one group got of the eligible payments of one city for one industry in a fiscal year, and how many such firms there are.
with shares as (
    select city, fiscal_year, industry, certified_group, denominator_amount as eligible_amount, expected_amount
    from marts.mart_mwbe_participation
    where breakdown = 'industry' and denominator = 'eligible' and fiscal_quarter is null
),

certified_groups as (
    -- The parts of a vendor's dollars that a group counts.
    select certified_group, counts_mbe_only, counts_wbe_only
    from (values ('mbe', 1, 0), ('wbe', 0, 1), ('dual', 0, 0), ('unduplicated', 1, 1)) as t(certified_group, counts_mbe_only, counts_wbe_only)
),

vendors as (
    select
        spend.city,
        spend.fiscal_year,
        spend.industry,
        certified_groups.certified_group,
        spend.vendor_id,
        cast(round(
            cast(sum(
                spend.dual_amount + certified_groups.counts_mbe_only * spend.mbe_only_amount + certified_groups.counts_wbe_only * spend.wbe_only_amount
            ) as double) * max(spend.match_probability), 2
        ) as decimal(18, 2)) as expected_dollars
    from marts.fct_participation_spend as spend
    cross join certified_groups
    where spend.exclusion_reason = 'none' and spend.firm_id is not null
    group by spend.city, spend.fiscal_year, spend.industry, certified_groups.certified_group, spend.vendor_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by city, fiscal_year, industry, certified_group order by expected_dollars desc, vendor_id
        ) as vendor_rank
    from vendors
    where expected_dollars > 0
),

concentration as (
    select
        city,
        fiscal_year,
        industry,
        certified_group,
        count(vendor_id) as vendor_count,
        cast(sum(expected_dollars) filter (where vendor_rank <= 2) as double) / cast(sum(expected_dollars) as double) as top_2_share,
        round(sum(cast(expected_dollars as double) * cast(expected_dollars as double)), 2)
            / (cast(sum(expected_dollars) as double) * cast(sum(expected_dollars) as double)) as hhi
    from ranked
    group by city, fiscal_year, industry, certified_group
),

trades as (
    -- A firm counts once in each industry for which it is certified; only registers with NAICS codes say so.
    select
        industries.industry,
        count(distinct firms.firm_id) as certified_firm_count,
        count(distinct case when certified.certification_type = 'MBE' then firms.firm_id end) as mbe_firm_count,
        count(distinct case when certified.certification_type = 'WBE' then firms.firm_id end) as wbe_firm_count
    from marts.bridge_certified_firms as firms
    inner join marts.dim_certified_firms as certified
        on certified.certification_id = firms.certification_id and certified.is_valid_period and certified.valid_to is null
    inner join seeds.naics_industries as industries
        on contains(', ' || certified.naics_codes, ', ' || industries.naics_sector)
    group by industries.industry
),

all_firms as (
    select city, industry, parse_integer(fiscal_year) as fiscal_year, parse_integer(firm_count) as firm_count, source
    from seeds.industry_firm_counts
),

counted as (
    select
        shares.city,
        shares.fiscal_year,
        shares.industry,
        shares.certified_group,
        shares.eligible_amount,
        shares.expected_amount,
        concentration.vendor_count,
        concentration.top_2_share,
        concentration.hhi,
        case shares.certified_group
            when 'mbe' then trades.mbe_firm_count
            when 'wbe' then trades.wbe_firm_count
            when 'unduplicated' then trades.certified_firm_count
        end as certified_firm_count,
        all_firms.firm_count as all_firm_count,
        all_firms.source as all_firm_source
    from shares
    left join concentration
        on concentration.city = shares.city
        and concentration.fiscal_year = shares.fiscal_year
        and concentration.industry = shares.industry
        and concentration.certified_group = shares.certified_group
    left join trades on trades.industry = shares.industry
    left join all_firms
        on all_firms.city = shares.city and all_firms.fiscal_year = shares.fiscal_year and all_firms.industry = shares.industry
),

rated as (
    select
        *,
        case when eligible_amount > 0 then cast(expected_amount as double) / cast(eligible_amount as double) end as utilization_share,
        cast(certified_firm_count as double) / nullif(all_firm_count, 0) as availability_share
    from counted
)

select
    rated.city,
    rated.fiscal_year,
    rated.industry,
    rated.certified_group,
    rated.eligible_amount,
    rated.expected_amount,
    round(rated.utilization_share, 6) as utilization_share,
    rated.vendor_count,
    round(rated.top_2_share, 6) as top_2_share,
    round(rated.hhi, 6) as hhi,
    rated.certified_firm_count,
    cast(cast(rated.eligible_amount as double) / nullif(rated.certified_firm_count, 0) as decimal(38, 2)) as eligible_amount_per_firm,
    rated.all_firm_count,
    rated.all_firm_source,
    round(rated.availability_share, 6) as availability_share,
    round(rated.utilization_share / nullif(rated.availability_share, 0) * 100, 2) as disparity_index,
    case when rated.all_firm_count is null then reasons.reason end as not_published
from rated
left join seeds.not_published as reasons on reasons.city = rated.city and reasons.what = 'firms_by_industry'
