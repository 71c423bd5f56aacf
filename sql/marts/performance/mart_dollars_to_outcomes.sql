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

measured as (
    -- Active measures of each service, with their actual of the fiscal year and of the year before.
    select
        records.city,
        records.service_id,
        figures.fiscal_year,
        records.measure_id,
        records.title,
        max(figures.value) as actual_value
    from marts.fct_measure_records as records
    inner join marts.fct_measure_observations as figures using (record_id)
    where records.is_shown and not records.is_deprecated and records.service_id is not null
        and figures.period = 'year' and figures.figure_kind = 'actual' and figures.value is not null
    group by records.city, records.service_id, figures.fiscal_year, records.measure_id, records.title
),

reported as (
    select
        one.city,
        one.service_id,
        one.fiscal_year,
        count(*) as reported_count,
        max(one.measure_id) as measure_id,
        max(one.title) as measure_title,
        max(one.actual_value - before.actual_value) as measure_change
    from measured as one
    left join measured as before on before.measure_id = one.measure_id and before.fiscal_year = one.fiscal_year - 1
    group by one.city, one.service_id, one.fiscal_year
),

active as (
    select service_id, count(*) as measure_count
    from marts.fct_measure_records
    where is_shown and not is_deprecated and service_id is not null
    group by service_id
),

scores as (
    select
        service_id,
        fiscal_year,
        count(*) filter (where is_scorable) as scorable_count,
        count(*) filter (where is_met) as met_count,
        round(median(attainment), 6) as median_attainment
    from marts.mart_kpi_scorecard
    where is_active and is_closed_year and service_id is not null
    group by service_id, fiscal_year
),

scored_years as (
    -- Targets are published from a later year on than budgets: the first closed year with targets, from the year of the budget on.
    select budgets.city, budgets.fiscal_year, min(scorecard.fiscal_year) as scored_fiscal_year
    from (select distinct city, fiscal_year from dollars) as budgets
    inner join marts.mart_kpi_scorecard as scorecard
        on scorecard.city = budgets.city and scorecard.fiscal_year >= budgets.fiscal_year and scorecard.is_closed_year
    group by budgets.city, budgets.fiscal_year
),

measuring_cities as (
    select distinct city
    from marts.fct_measure_records
),

open_years as (
    select city, min(fiscal_year) as first_open_year
    from marts.mart_kpi_scorecard
    where not is_closed_year
    group by city
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
    case
        when not dollars.is_linked then 'not_linked'
        when measuring_cities.city is null then 'not_published'
        when coalesce(active.measure_count, 0) = 0 then 'no_measures'
        when reported.reported_count is null then 'not_reported'
        else 'published'
    end as measures_status,
    case
        when not dollars.is_linked then 'Dollars without an outcome are not linked to measures'
        when measuring_cities.city is null then 'The city publishes no performance measures as data'
        when coalesce(active.measure_count, 0) = 0 then 'No active measure is about this service'
        when reported.reported_count is null then 'No actual of this fiscal year is published'
    end as measures_reason,
    coalesce(active.measure_count, 0) as measure_count,
    coalesce(reported.reported_count, 0) as reported_count,
    scored_years.scored_fiscal_year,
    coalesce(scores.scorable_count, 0) as scorable_count,
    coalesce(scores.met_count, 0) as met_count,
    scores.median_attainment,
    -- Only where a service has one measure, so that its dollars are not counted for several.
    case when active.measure_count = 1 then reported.measure_id end as measure_id,
    case when active.measure_count = 1 then reported.measure_title end as measure_title,
    case when active.measure_count = 1 then reported.measure_change end as measure_change,
    case
        when active.measure_count = 1 and dollars.fiscal_year < coalesce(open_years.first_open_year, dollars.fiscal_year + 1)
            then round(cast(dollars.appropriated_amount as double) / cast(nullif(reported.measure_change, 0) as double), 2)
    end as dollars_per_unit_of_change
from dollars
inner join cities using (city, fiscal_year, phase)
left join marts.dim_pillars as pillars using (pillar_id)
left join marts.dim_agencies as agencies using (agency_id)
left join marts.dim_services as services using (service_id)
left join measuring_cities on measuring_cities.city = dollars.city
left join open_years on open_years.city = dollars.city
left join active on active.service_id = dollars.service_id
left join reported on reported.service_id = dollars.service_id and reported.fiscal_year = dollars.fiscal_year
left join scored_years on scored_years.city = dollars.city and scored_years.fiscal_year = dollars.fiscal_year
left join scores on scores.service_id = dollars.service_id and scores.fiscal_year = scored_years.scored_fiscal_year
