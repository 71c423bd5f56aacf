-- Each row is one test of one criterion for one city.
with today as (
    select cast(max(captured_at) as date) as scored_on
    from meta.captures
),

inventories as (
    select
        items.city,
        1 as inventory_exists,
        max(date_diff('day', items.newest_on, today.scored_on)) as inventory_updated,
        max(items.described_share) as columns_described,
        max(items.api_share) as items_with_api,
        max(items.download_share) as items_with_download
    from (
        select
            city,
            max(modified_on) filter (where modified_on <= (select max(scored_on) from today)) as newest_on,
            cast(count(*) filter (where is_of_city and regexp_matches(lower(description), 'dictionary|field')) as double)
            / nullif(count(*) filter (where is_of_city), 0) as described_share,
            cast(count(*) filter (where is_of_city and has_api) as double)
            / nullif(count(*) filter (where is_of_city), 0) as api_share,
            cast(count(*) filter (where is_of_city and has_download) as double)
            / nullif(count(*) filter (where is_of_city), 0) as download_share
        from marts.fct_portal_items
        group by city
    ) as items
    cross join today
    group by items.city
),

departments as (
    select
        agencies.city,
        cast(count(distinct agencies.agency_id) filter (where items.landing_page is not null) as double)
        / nullif(count(distinct agencies.agency_id), 0) as departments_covered
    from marts.dim_agencies as agencies
    left join marts.fct_portal_items as items
        on agencies.city = items.city and name_key(agencies.agency_name) = name_key(items.publisher_name)
    where agencies.agency_code <> 'unmatched' and agencies.city in (select city from inventories)
    group by agencies.city
),

scores as (
    select
        place as city,
        cast(count(validity) as double) / count(*) as scores_published,
        cast(count(*) filter (where is_fresh) as double) / nullif(count(is_fresh), 0) as datasets_fresh
    from marts.mart_dataset_quality_scores
    where dataset_kind = 'dataset'
    group by place
),

datasets as (
    select
        split_part(dataset, '/', 1) as city,
        cast(count(*) filter (where licence <> 'not stated') as double) / count(*) as licence_stated
    from meta.datasets
    group by split_part(dataset, '/', 1)
),

checks as (
    select
        split_part(datasets.dataset, '/', 1) as city,
        count(results.is_passed) as failures_published
    from meta.datasets as datasets
    left join meta.checks as results using (table_name)
    group by split_part(datasets.dataset, '/', 1)
),

revisions as (
    select
        split_part(datasets.dataset, '/', 1) as city,
        count(*) filter (where comparisons.is_comparable) as revisions_logged
    from meta.datasets as datasets
    left join meta.comparisons as comparisons using (dataset)
    group by split_part(datasets.dataset, '/', 1)
),

newest_budgets as (
    select city, max(fiscal_year) as fiscal_year
    from marts.mart_dollars_to_outcomes
    where phase = 'adopted'
    group by city
),

dollars as (
    select
        outcomes.city,
        cast(coalesce(sum(outcomes.appropriated_amount) filter (where outcomes.is_linked), 0) as double)
        / nullif(cast(sum(outcomes.appropriated_amount) as double), 0) as dollars_linked_to_outcomes
    from marts.mart_dollars_to_outcomes as outcomes
    inner join newest_budgets using (city, fiscal_year)
    where outcomes.phase = 'adopted'
    group by outcomes.city
),

outcome_measures as (
    select city, cast(count(*) filter (where is_equity) as double) / count(*) as outcomes_flagged_for_equity
    from marts.dim_measures
    where is_shown and measure_type = 'outcome' and not coalesce(is_deprecated, false)
    group by city
),

measured_services as (
    select distinct city, service_id
    from marts.dim_measures
    where is_shown and service_id is not null and not coalesce(is_deprecated, false)
),

measured_dollars as (
    select
        outcomes.city,
        cast(coalesce(sum(outcomes.appropriated_amount) filter (where measured.service_id is not null), 0) as double)
        / nullif(cast(sum(outcomes.appropriated_amount) as double), 0) as dollars_linked_to_measures
    from marts.mart_dollars_to_outcomes as outcomes
    inner join newest_budgets using (city, fiscal_year)
    left join measured_services as measured on outcomes.city = measured.city and outcomes.service_id = measured.service_id
    where outcomes.phase = 'adopted' and outcomes.city in (select city from measured_services)
    group by outcomes.city
),

pillar_measures as (
    select
        plans.city,
        plans.pillar_goal_id,
        count(measures.measure_id) as measure_count
    from marts.dim_pillars_goals as plans
    left join marts.bridge_plan_services as services using (pillar_goal_id)
    left join marts.mart_kpi_scorecard as measures
        on measures.city = services.city and measures.service_code = services.service_code
        and measures.is_active and measures.target_value is not null and measures.direction is not null
    where plans.plan_level = 'pillar' and plans.is_current_plan and plans.city in (select city from measured_services)
    group by plans.city, plans.pillar_goal_id
),

pillars as (
    select city, cast(count(*) filter (where measure_count > 0) as double) / count(*) as pillars_measured
    from pillar_measures
    group by city
),

reported_goals as (
    select distinct statuses.city, statuses.pillar_goal_id
    from marts.fct_action_statuses as statuses
    cross join today
    where
        statuses.is_newest and statuses.status is not null
        and date_diff('day', statuses.as_of_date, today.scored_on) between 0 and 92
),

goals as (
    select
        plans.city,
        cast(count(reported.pillar_goal_id) as double) / count(*) as goals_reported
    from marts.dim_pillars_goals as plans
    left join reported_goals as reported using (city, pillar_goal_id)
    where
        plans.plan_level = 'goal' and plans.is_current_plan
        and plans.city in (select city from marts.fct_action_statuses)
    group by plans.city
),

contracts as (
    select
        city,
        count(*) as contracts_published,
        cast((
            max(case when contract_number is not null then 1 else 0 end)
            + max(case when vendor_name is not null then 1 else 0 end)
            + max(case when ceiling_amount is not null then 1 else 0 end)
            + max(case when begin_date is not null then 1 else 0 end)
            + max(case when end_date is not null then 1 else 0 end)
            + max(case when agency_count > 0 then 1 else 0 end)
        ) as double) / 9 as ocds_fields_present
    from marts.dim_contracts
    group by city
),

valued as (
    select
        cities.city,
        tests.standard,
        tests.criterion,
        tests.test,
        tests.description,
        tests.comparison,
        tests.threshold,
        tests.evidence_table,
        tests.without_value,
        case tests.test
            when 'inventory_exists' then inventories.inventory_exists
            when 'inventory_updated' then inventories.inventory_updated
            when 'departments_covered' then departments.departments_covered
            when 'scores_published' then scores.scores_published
            when 'failures_published' then checks.failures_published
            when 'revisions_logged' then revisions.revisions_logged
            when 'outcomes_flagged_for_equity' then outcome_measures.outcomes_flagged_for_equity
            when 'columns_described' then inventories.columns_described
            when 'portal_reachable' then inventories.inventory_exists
            when 'licence_stated' then datasets.licence_stated
            when 'items_with_api' then inventories.items_with_api
            when 'items_with_download' then inventories.items_with_download
            when 'datasets_fresh' then scores.datasets_fresh
            when 'dollars_linked_to_outcomes' then dollars.dollars_linked_to_outcomes
            when 'dollars_linked_to_measures' then measured_dollars.dollars_linked_to_measures
            when 'pillars_measured' then pillars.pillars_measured
            when 'goals_reported' then goals.goals_reported
            when 'contracts_published' then contracts.contracts_published
            when 'ocds_fields_present' then contracts.ocds_fields_present
        end as value
    from marts.dim_cities as cities
    cross join seeds.wwc_tests as tests
    left join inventories using (city)
    left join departments using (city)
    left join scores using (city)
    left join datasets using (city)
    left join checks using (city)
    left join revisions using (city)
    left join outcome_measures using (city)
    left join dollars using (city)
    left join measured_dollars using (city)
    left join pillars using (city)
    left join goals using (city)
    left join contracts using (city)
)

select
    hash_id([valued.city, valued.standard, valued.criterion, valued.test]) as criterion_evidence_id,
    valued.city,
    valued.standard,
    valued.criterion,
    valued.test,
    today.scored_on,
    valued.description,
    round(cast(valued.value as double), 6) as value,
    valued.comparison,
    cast(parse_decimal(valued.threshold) as double) as threshold,
    case valued.comparison
        when 'at_least' then round(cast(valued.value as double), 6) >= cast(parse_decimal(valued.threshold) as double)
        when 'at_most' then round(cast(valued.value as double), 6) <= cast(parse_decimal(valued.threshold) as double)
    end as is_met,
    case when valued.value is null then valued.without_value end as not_measured_because,
    valued.evidence_table
from valued
cross join today
