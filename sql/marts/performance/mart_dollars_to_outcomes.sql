-- Each row is what one city budgets for one service of one agency under one outcome in one fiscal year and phase, or for no outcome.
with lines as (
    -- A pillar without a plan stands for lines that name no outcome.
    select
        budget.city,
        budget.fiscal_year,
        budget.phase,
        pillars.plan is not null as is_linked,
        case when pillars.plan is not null then budget.pillar_id end as pillar_id,
        case when pillars.plan is not null then budget.agency_id end as agency_id,
        case when pillars.plan is not null then budget.service_id end as service_id,
        budget.service_id as any_service_id,
        budget.appropriated_amount
    from marts.fct_budget_lines as budget
    left join marts.dim_pillars as pillars using (pillar_id)
),

dollars as (
    select
        city,
        fiscal_year,
        phase,
        is_linked,
        pillar_id,
        agency_id,
        service_id,
        count(distinct any_service_id) as service_count,
        cast(sum(appropriated_amount) as decimal(38, 2)) as appropriated_amount
    from lines
    group by city, fiscal_year, phase, is_linked, pillar_id, agency_id, service_id
),

cities as (
    select city, fiscal_year, phase, sum(appropriated_amount) as city_amount
    from dollars
    group by city, fiscal_year, phase
)

select
    hash_id([
        dollars.city, cast(dollars.fiscal_year as varchar), dollars.phase, dollars.pillar_id, dollars.agency_id, dollars.service_id
    ]) as outcome_dollars_id,
    dollars.city,
    dollars.fiscal_year,
    dollars.phase,
    dollars.is_linked,
    pillars.plan,
    dollars.pillar_id,
    coalesce(pillars.pillar_name, 'Linked to no outcome') as outcome_name,
    dollars.agency_id,
    agencies.agency_name,
    dollars.service_id,
    services.service_name,
    dollars.service_count,
    dollars.appropriated_amount,
    cast(cities.city_amount as decimal(38, 2)) as city_amount,
    cast(dollars.appropriated_amount / nullif(cities.city_amount, 0) as double) as city_share,
    case when not dollars.is_linked then 'The budget names no outcome for these lines' end as unlinked_because,
    'not_published' as measures_status,
    'Performance measures are not in the warehouse yet' as measures_reason
from dollars
inner join cities using (city, fiscal_year, phase)
left join marts.dim_pillars as pillars using (pillar_id)
left join marts.dim_agencies as agencies using (agency_id)
left join marts.dim_services as services using (service_id)
