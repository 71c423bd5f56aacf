-- Each row is one agency or department of one city. Baltimore: the agencies of the reviewed list.
with agencies as (
    select agency_code, agency_name
    from seeds.agencies
    where city = 'baltimore'
    union all
    select 'unmatched' as agency_code, 'Unmatched agency name' as agency_name
)

select
    hash_id(['baltimore', agency_code]) as agency_id,
    'baltimore' as city,
    agency_code,
    agency_name
from agencies
