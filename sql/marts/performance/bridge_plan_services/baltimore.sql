-- Each row is one service under the pillar that it serves in one plan. Baltimore: by its newest budget in the plan of 2021, by the list of services in that of 2026.
with by_budget as (
    select bridge.service_id, max_by(bridge.pillar_id, bridge.fiscal_year) as pillar_id
    from marts.bridge_service_pillars as bridge
    inner join marts.dim_pillars as pillars using (pillar_id)
    where bridge.city = 'baltimore' and pillars.plan is not null
    group by bridge.service_id
)

select
    plans.city,
    plans.plan,
    plans.pillar_goal_id,
    'SRV' || lpad(services.service_code, 4, '0') as service_code,
    services.service_id,
    services.service_name
from by_budget
inner join marts.dim_services as services using (service_id)
inner join marts.dim_pillars_goals as plans on plans.pillar_id = by_budget.pillar_id
union all
select
    plans.city,
    plans.plan,
    plans.pillar_goal_id,
    listed.service_code,
    services.service_id,
    listed.service_name
from clean.baltimore_services as listed
inner join marts.dim_pillars_goals as plans
    on plans.city = 'baltimore'
    and plans.plan = '2026 Action Plan'
    and plans.plan_level = 'pillar'
    and plans.pillar_code = listed.pillar_code
left join marts.dim_services as services
    on services.city = 'baltimore' and services.service_code = clean_code(substr(listed.service_code, 4))
