-- Names of Maryland.

-- A column of the State's tables -> the county that it is of. 'baltimore' is the county around the City, which has a column of its own:
-- 'baltimore' -> 'Baltimore County', 'baltimore_city' -> 'Baltimore City', 'St_Marys' -> 'St. Mary''s'; any other name -> null
create or replace macro maryland_county(column_name) as (
    case lower(column_name)
        when 'allegany' then 'Allegany'
        when 'anne_arundel' then 'Anne Arundel'
        when 'baltimore' then 'Baltimore County'
        when 'baltimore_city' then 'Baltimore City'
        when 'calvert' then 'Calvert'
        when 'caroline' then 'Caroline'
        when 'carroll' then 'Carroll'
        when 'cecil' then 'Cecil'
        when 'charles' then 'Charles'
        when 'dorchester' then 'Dorchester'
        when 'frederick' then 'Frederick'
        when 'garrett' then 'Garrett'
        when 'harford' then 'Harford'
        when 'howard' then 'Howard'
        when 'kent' then 'Kent'
        when 'montgomery' then 'Montgomery'
        when 'prince_georges' then 'Prince George''s'
        when 'queen_annes' then 'Queen Anne''s'
        when 'somerset' then 'Somerset'
        when 'st_marys' then 'St. Mary''s'
        when 'talbot' then 'Talbot'
        when 'washington' then 'Washington'
        when 'wicomico' then 'Wicomico'
        when 'worcester' then 'Worcester'
        when 'unknown' then 'Unknown'
    end
);
