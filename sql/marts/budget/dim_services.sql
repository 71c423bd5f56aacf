-- Each row is one service of one city, with its newest name and agency.
with newest as (
    select
        service_id,
        city,
        max_by(service_code, (fiscal_year, service_code)) as service_code,
        max_by(service_name, (fiscal_year, service_name)) as service_name,
        max_by(agency_id, (fiscal_year, agency_id)) as agency_id,
        min(fiscal_year) as first_fiscal_year,
        max(fiscal_year) as last_fiscal_year
    from marts.fct_budget_lines
    group by service_id, city
),

functions as (
    -- A service has the function of its own row of the reviewed list, else that of its agency.
    select
        newest.service_id,
        coalesce(own.cofog_division, of_agency.cofog_division) as cofog_division,
        coalesce(own.mapping_confidence, of_agency.mapping_confidence, 'none') as mapping_confidence,
        coalesce(own.plain_sentence, of_agency.plain_sentence) as plain_sentence
    from newest
    left join marts.dim_agencies as agencies using (agency_id)
    left join seeds.service_functions as own
        on own.city = newest.city and own.agency_code = agencies.agency_code and own.service_code = newest.service_code
    left join seeds.service_functions as of_agency
        on of_agency.city = newest.city and of_agency.agency_code = agencies.agency_code and of_agency.service_code is null
)

select
    newest.service_id,
    newest.city,
    coalesce(newest.service_code, 'unmatched') as service_code,
    coalesce(newest.service_name, 'No service published') as service_name,
    newest.agency_id,
    newest.first_fiscal_year,
    newest.last_fiscal_year,
    functions.cofog_division,
    cofog.cofog_name,
    functions.mapping_confidence,
    functions.plain_sentence
from newest
inner join functions using (service_id)
left join seeds.cofog_divisions as cofog using (cofog_division)
