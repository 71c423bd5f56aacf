-- Each row is a whole city, or one pillar or goal of a plan, in one fiscal year: how many of its measures can be scored, and how many met their target.
with scored as (
    select city, fiscal_year, service_code, is_scorable, is_met, attainment
    from marts.mart_kpi_scorecard
    where is_active and is_closed_year
),

plans as (
    select distinct city, plan
    from marts.bridge_plan_services
),

members as (
    select city, cast(null as varchar) as plan, 'city' as level, cast(null as varchar) as pillar_goal_id, fiscal_year, is_scorable, is_met, attainment
    from scored
    union all
    select
        scored.city,
        plans.plan,
        case when bridge.pillar_goal_id is null then 'no_pillar' else 'pillar' end as level,
        bridge.pillar_goal_id,
        scored.fiscal_year,
        scored.is_scorable,
        scored.is_met,
        scored.attainment
    from scored
    inner join plans using (city)
    left join marts.bridge_plan_services as bridge
        on bridge.city = scored.city and bridge.plan = plans.plan and bridge.service_code = scored.service_code
),

counted as (
    select
        city,
        plan,
        level,
        pillar_goal_id,
        fiscal_year,
        count(*) as measures,
        count(*) filter (where is_scorable) as scorable,
        count(*) filter (where is_met) as met,
        round(median(attainment), 6) as median_attainment
    from members
    group by city, plan, level, pillar_goal_id, fiscal_year
    union all
    -- Which measures belong to a goal is not published.
    select
        goals.city, goals.plan, 'goal' as level, goals.pillar_goal_id, years.fiscal_year,
        null as measures, null as scorable, null as met, null as median_attainment
    from marts.dim_pillars_goals as goals
    inner join (select distinct city, fiscal_year from scored) as years using (city)
    where goals.plan_level = 'goal'
),

shares as (
    select
        city,
        plan,
        level,
        pillar_goal_id,
        fiscal_year,
        measures,
        scorable,
        met,
        cast(met as double) / cast(nullif(scorable, 0) as double) as met_share,
        wilson_low(met, scorable) as met_share_low,
        wilson_high(met, scorable) as met_share_high,
        cast(scorable as double) / cast(measures as double) as coverage_share,
        median_attainment
    from counted
),

compared as (
    select
        shares.*,
        earlier.met_share as earlier_met_share,
        shares.met_share - earlier.met_share as change,
        -- The interval of Newcombe: a difference of two shares, from the interval of each.
        sqrt(power(shares.met_share - shares.met_share_low, 2) + power(earlier.met_share_high - earlier.met_share, 2)) as below,
        sqrt(power(shares.met_share_high - shares.met_share, 2) + power(earlier.met_share - earlier.met_share_low, 2)) as above
    from shares
    left join shares as earlier
        on earlier.city = shares.city
        and earlier.plan is not distinct from shares.plan
        and earlier.level = shares.level
        and earlier.pillar_goal_id is not distinct from shares.pillar_goal_id
        and earlier.fiscal_year = shares.fiscal_year - 1
)

select
    hash_id([compared.city, compared.plan, compared.level, compared.pillar_goal_id, cast(compared.fiscal_year as varchar)]) as goal_year_id,
    compared.city,
    compared.plan,
    compared.level,
    compared.pillar_goal_id,
    titles.pillar_code,
    titles.goal_code,
    coalesce(titles.title, case compared.level when 'city' then 'All measures' else 'Measures under no pillar' end) as title,
    compared.fiscal_year,
    compared.measures,
    compared.scorable,
    compared.met,
    round(compared.met_share, 6) as met_share,
    compared.met_share_low,
    compared.met_share_high,
    round(compared.coverage_share, 6) as coverage_share,
    compared.median_attainment,
    round(compared.earlier_met_share, 6) as earlier_met_share,
    round(compared.change - compared.below, 6) as change_low,
    round(compared.change + compared.above, 6) as change_high,
    case when compared.change is not null then compared.change - compared.below > 0 or compared.change + compared.above < 0 end as is_change_distinguishable,
    case compared.level when 'goal' then 'not_published' else 'published' end as measures_status,
    case compared.level when 'goal' then 'The city does not publish which measures belong to which goal' end as measures_reason
from compared
left join marts.dim_pillars_goals as titles using (pillar_goal_id)
