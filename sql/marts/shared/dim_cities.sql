-- Each row is one city that publishes data.
select
    place as city,
    title as city_name,
    state,
    time_zone,
    fiscal_year_first_month,
    fiscal_year_named_by
from seeds.places
where kind = 'city'
