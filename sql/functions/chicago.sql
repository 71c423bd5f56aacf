-- Formats that only Chicago uses.

-- A code of four characters, with the leading zeros that years before 2018 have lost: '5' -> '0005', '100' -> '0100', '0B21' -> '0B21'; null -> null
create or replace macro four_characters(code) as (
    case when regexp_matches(code, '^\d{1,3}$') then lpad(code, 4, '0') else code end
);
