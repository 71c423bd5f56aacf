-- Each row is the budget of one city for one agency in one fiscal year and phase, with that of the year before.
with totals as (
    select
        city,
        fiscal_year,
        phase,
        agency_id,
        sum(appropriated_amount) as appropriated_amount,
        coalesce(sum(appropriated_amount) filter (where not is_transfer), 0) as non_transfer_amount
    from marts.fct_budget_lines
    group by city, fiscal_year, phase, agency_id
),

budgets as (
    select city, fiscal_year, phase, sum(non_transfer_amount) as city_amount
    from totals
    group by city, fiscal_year, phase
),

compared as (
    -- An agency that is absent from a published budget had 0; without that budget the amount is unknown.
    select
        totals.city,
        totals.fiscal_year,
        totals.phase,
        totals.agency_id,
        totals.appropriated_amount,
        totals.non_transfer_amount,
        budgets.city_amount,
        case when previous_budgets.city is not null then coalesce(previous.non_transfer_amount, 0) end as previous_amount
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
        and previous.fiscal_year = totals.fiscal_year - 1
)

select
    compared.city,
    compared.fiscal_year,
    compared.phase,
    compared.agency_id,
    agencies.agency_name,
    compared.appropriated_amount,
    compared.non_transfer_amount,
    compared.previous_amount,
    cast((compared.non_transfer_amount - compared.previous_amount) / abs(nullif(compared.previous_amount, 0)) as double) as change_rate,
    coalesce(compared.previous_amount = 0 and compared.non_transfer_amount <> 0, false) as is_new,
    compared.city_amount,
    cast(compared.non_transfer_amount / nullif(compared.city_amount, 0) as double) as city_share
from compared
inner join marts.dim_agencies as agencies using (agency_id)
