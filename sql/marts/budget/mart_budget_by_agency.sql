-- Each row is the budget of one city for one agency in one fiscal year and phase, with that of the year before.
with agencies as (
    select
        city,
        fiscal_year,
        phase,
        agency_id,
        agency_name,
        city_amount,
        sum(appropriated_amount) as appropriated_amount,
        sum(not_counted_amount) as not_counted_amount,
        sum(previous_amount) as previous_amount
    from marts.mart_budget_by_service
    group by city, fiscal_year, phase, agency_id, agency_name, city_amount
)

select
    agencies.city,
    agencies.fiscal_year,
    agencies.phase,
    agencies.agency_id,
    agencies.agency_name,
    agencies.appropriated_amount,
    agencies.not_counted_amount,
    agencies.previous_amount,
    agencies.appropriated_amount - agencies.previous_amount as change_amount,
    change_rate(agencies.appropriated_amount, agencies.previous_amount) as change_rate,
    coalesce(agencies.previous_amount = 0 and agencies.appropriated_amount <> 0, false) as is_new,
    coalesce(agencies.previous_amount <> 0 and agencies.appropriated_amount = 0, false) as is_ended,
    agencies.city_amount,
    cast(agencies.appropriated_amount / nullif(agencies.city_amount, 0) as double) as city_share,
    years.population_year,
    cast(round(cast(agencies.appropriated_amount / years.residents as double), 2) as decimal(18, 2)) as appropriated_amount_per_resident,
    years.base_fiscal_year,
    cast(round(agencies.appropriated_amount * years.price_factor, 2) as decimal(38, 2)) as appropriated_amount_real,
    cast(round(agencies.previous_amount * previous_years.price_factor, 2) as decimal(38, 2)) as previous_amount_real,
    change_rate(agencies.appropriated_amount * years.price_factor, agencies.previous_amount * previous_years.price_factor) as change_rate_real
from agencies
left join marts.dim_fiscal_years as years
    on years.city = agencies.city and years.fiscal_year = agencies.fiscal_year
left join marts.dim_fiscal_years as previous_years
    on previous_years.city = agencies.city and previous_years.fiscal_year = agencies.fiscal_year - 1
