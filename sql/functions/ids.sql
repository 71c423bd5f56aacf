-- Ids made of natural keys.

-- The id of a thing, from its natural key as a JSON array: hash_id(json_array('baltimore', '00123', 12.50)). A null part differs from an empty one.
create or replace macro hash_id(parts) as (
    md5(cast(parts as varchar))
);
