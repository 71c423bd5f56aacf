-- Each row is the budget of one city for one service of one agency in one fiscal year and phase, with that of the year before.
with totals as (
    -- The pillar of a service that serves several in one year is unknown.
    select
        city,
        fiscal_year,
        phase,
        agency_id,
        service_id,
        case when count(distinct pillar_id) = 1 then min(pillar_id) end as pillar_id,
        max(service_name) as service_name,
        sum(appropriated_amount) as appropriated_amount,
        sum(published_amount - appropriated_amount) as not_counted_amount
    from marts.fct_budget_lines
    group by city, fiscal_year, phase, agency_id, service_id
),

budgets as (
    select city, fiscal_year, phase, sum(appropriated_amount) as city_amount
    from totals
    group by city, fiscal_year, phase
),

both_years as (
    -- Each budget counts in its own year and, as the year before, in the next one: so a service that ended is a row, too.
    select
        city, fiscal_year, phase, agency_id, service_id, pillar_id, service_name, cast(null as varchar) as previous_name,
        appropriated_amount, not_counted_amount, cast(0 as decimal(38, 2)) as previous_amount
    from totals
    union all
    select
        city, fiscal_year + 1 as fiscal_year, phase, agency_id, service_id, null as pillar_id, null as service_name, service_name as previous_name,
        0 as appropriated_amount, 0 as not_counted_amount, appropriated_amount as previous_amount
    from totals
),

compared as (
    -- What is absent from a published budget had 0; without that budget the amount is unknown.
    select
        both_years.city,
        both_years.fiscal_year,
        both_years.phase,
        both_years.agency_id,
        both_years.service_id,
        max(both_years.pillar_id) as pillar_id,
        coalesce(max(both_years.service_name), max(both_years.previous_name), 'No service published') as service_name,
        sum(both_years.appropriated_amount) as appropriated_amount,
        sum(both_years.not_counted_amount) as not_counted_amount,
        case when previous.city is not null then sum(both_years.previous_amount) end as previous_amount,
        budgets.city_amount
    from both_years
    inner join budgets using (city, fiscal_year, phase)
    left join budgets as previous
        on previous.city = both_years.city
        and previous.phase = both_years.phase
        and previous.fiscal_year = both_years.fiscal_year - 1
    group by
        both_years.city, both_years.fiscal_year, both_years.phase, both_years.agency_id, both_years.service_id, previous.city, budgets.city_amount
)

select
    compared.city,
    compared.fiscal_year,
    compared.phase,
    compared.agency_id,
    agencies.agency_name,
    compared.service_id,
    compared.service_name,
    compared.pillar_id,
    pillars.pillar_name,
    services.cofog_division,
    services.cofog_name,
    services.plain_sentence,
    compared.appropriated_amount,
    compared.not_counted_amount,
    compared.previous_amount,
    compared.appropriated_amount - compared.previous_amount as change_amount,
    change_rate(compared.appropriated_amount, compared.previous_amount) as change_rate,
    coalesce(compared.previous_amount = 0 and compared.appropriated_amount <> 0, false) as is_new,
    coalesce(compared.previous_amount <> 0 and compared.appropriated_amount = 0, false) as is_ended,
    compared.city_amount,
    cast(compared.appropriated_amount / nullif(compared.city_amount, 0) as double) as city_share,
    years.population_year,
    cast(round(cast(compared.appropriated_amount / years.residents as double), 2) as decimal(18, 2)) as appropriated_amount_per_resident,
    years.base_fiscal_year,
    cast(round(compared.appropriated_amount * years.price_factor, 2) as decimal(38, 2)) as appropriated_amount_real,
    change_rate(compared.appropriated_amount * years.price_factor, compared.previous_amount * previous_years.price_factor) as change_rate_real
from compared
inner join marts.dim_agencies as agencies using (agency_id)
left join marts.dim_services as services using (service_id)
left join marts.dim_pillars as pillars using (pillar_id)
left join marts.dim_fiscal_years as years
    on years.city = compared.city and years.fiscal_year = compared.fiscal_year
left join marts.dim_fiscal_years as previous_years
    on previous_years.city = compared.city and previous_years.fiscal_year = compared.fiscal_year - 1
