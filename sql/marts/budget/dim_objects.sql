-- Each row is one object of expense of one city, from the reviewed list.
select
    hash_id([city, object_code]) as object_id,
    city,
    object_code,
    object_name,
    counts_in_total = 'true' as is_counted,
    object_group,
    mapping_confidence,
    plain_sentence
from seeds.budget_objects
union all
select
    hash_id([city, 'unmatched']) as object_id,
    city,
    'unmatched' as object_code,
    'Unmatched object' as object_name,
    true as is_counted,
    'unmatched' as object_group,
    'none' as mapping_confidence,
    'The budget has no object on this line, or one that is not in the reviewed list.' as plain_sentence
from marts.dim_cities
