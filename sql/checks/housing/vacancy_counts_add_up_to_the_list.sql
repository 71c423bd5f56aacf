-- A returned row is a month whose neighborhoods together have another number of properties than its last list.
-- severity: critical
-- subject: housing
-- holds back: marts.mart_vacancy_flows_monthly
with by_month as (
    select
        city,
        closed_on,
        sum(closing_count) as property_count
    from marts.mart_vacancy_flows_monthly
    group by city, closed_on
),

last_lists as (
    select
        city,
        listed_on,
        max_by(property_count, list_number) as property_count
    from marts.fct_vacancy_lists
    group by city, listed_on
)

select
    by_month.city,
    by_month.closed_on,
    by_month.property_count as counted_by_neighborhood,
    last_lists.property_count as on_the_list
from by_month
inner join last_lists on last_lists.city = by_month.city and last_lists.listed_on = by_month.closed_on
where by_month.property_count <> last_lists.property_count
