-- Each row is one pillar or goal of one version of a city's plan. Baltimore: the committees of the first hundred days, and the plans of 2021 and 2026.
with committees as (
    select distinct committee_name
    from clean.baltimore_action_tracker
    where committee_name is not null
),

titled as (
    select
        '100 Days of Action' as plan,
        'pillar' as plan_level,
        committee_name as pillar_code,
        cast(null as varchar) as goal_code,
        committee_name as title,
        cast(null as varchar) as lead_office,
        cast(null as varchar) as summary,
        cast(null as varchar) as pillar_id
    from committees
    union all
    select
        plan,
        'pillar' as plan_level,
        pillar_code,
        cast(null as varchar) as goal_code,
        pillar_name as title,
        cast(null as varchar) as lead_office,
        cast(null as varchar) as summary,
        pillar_id
    from marts.dim_pillars
    where city = 'baltimore' and plan is not null
    union all
    select
        '2026 Action Plan' as plan,
        item_kind as plan_level,
        pillar_code,
        goal_code,
        title,
        lead_office,
        summary,
        cast(null as varchar) as pillar_id
    from clean.baltimore_action_plan
    where item_kind in ('pillar', 'goal')
)

select
    hash_id(['baltimore', titled.plan, coalesce(titled.goal_code, titled.pillar_code)]) as pillar_goal_id,
    'baltimore' as city,
    titled.plan,
    parse_integer(plans.plan_year) as plan_year,
    parse_date(plans.launched_on) as launched_date,
    plans.plan_year = newest.plan_year as is_current_plan,
    titled.plan_level,
    titled.pillar_code,
    titled.goal_code,
    titled.title,
    titled.lead_office,
    titled.summary,
    titled.pillar_id,
    plans.source
from titled
inner join seeds.action_plans as plans on plans.city = 'baltimore' and plans.plan = titled.plan
cross join (select max(plan_year) as plan_year from seeds.action_plans where city = 'baltimore') as newest
