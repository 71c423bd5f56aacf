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
        sum(appropriated_amount) as appropriated_amount
    from marts.fct_budget_lines
    group by city, fiscal_year, phase, agency_id, service_id
),

budgets as (
    select city, fiscal_year, phase, sum(appropriated_amount) as city_amount
    from totals
    group by city, fiscal_year, phase
),

compared as (
    -- A service that is absent from a published budget had 0; without that budget the amount is unknown.
    select
        totals.city,
        totals.fiscal_year,
        totals.phase,
        totals.agency_id,
        totals.service_id,
        totals.pillar_id,
        totals.service_name,
        totals.appropriated_amount,
        budgets.city_amount,
        case when previous_budgets.city is not null then coalesce(previous.appropriated_amount, 0) end as previous_amount
    from totals
    inner join budgets using (city, fiscal_year, phase)
    left join budgets as previous_budgets
        on previous_budgets.city = totals.city
        and previous_budgets.phase = totals.phase
        and previous_budgets.fiscal_year = totals.fiscal_year - 1
    left join totals as previous
        on previous.city = totals.city
        and previous.phase = totals.phase
        and previous.agency_id = totals.agency_id
        and previous.service_id = totals.service_id
        and previous.fiscal_year = totals.fiscal_year - 1
)

select
    compared.city,
    compared.fiscal_year,
    compared.phase,
    compared.agency_id,
    agencies.agency_name,
    compared.service_id,
    coalesce(compared.service_name, 'No service published') as service_name,
    compared.pillar_id,
    pillars.pillar_name,
    services.cofog_division,
    services.cofog_name,
    services.plain_sentence,
    compared.appropriated_amount,
    compared.previous_amount,
    compared.appropriated_amount - compared.previous_amount as change_amount,
    change_rate(compared.appropriated_amount, compared.previous_amount) as change_rate,
    coalesce(compared.previous_amount = 0 and compared.appropriated_amount <> 0, false) as is_new,
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
