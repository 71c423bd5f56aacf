-- Formats that only Baltimore uses. A macro returns null if its input cannot be read; a row rule then decides about the row.

-- A date that the portal garbled by reading its unpadded digits as a year: '01/01/21507' -> 2007-02-15, '01/01/121609' -> 2009-12-16;
-- '01/01/2009', '01/01/133107' -> null
create or replace macro mangled_date(text) as (
    case
        when regexp_matches(trim(text), '^01/01/\d{5,6}$')
            then cast(try_strptime(lpad(substr(trim(text), 7), 6, '0'), '%m%d%y') as date)
    end
);

-- A Baltimore property, in any notation of block and lot: '0702 050', '0702050', ' 702 50' -> '0702|050', '4511H077' -> '4511H|077';
-- '6E54 016', '0702', '070205' -> null; digits without a separator are read only if there are 4 and 3
create or replace macro block_lot(text) as (
    case
        when regexp_matches(upper(trim(text)), '^(\d{1,4}[A-Z]?\s+\d{1,3}|\d{1,4}[A-Z]\d{1,3}|\d{7})[A-Z]?$')
            then lpad(regexp_extract(trim(text), '^\d{1,4}'), 4, '0')
                || upper(regexp_extract(trim(text), '^\d{1,4}([A-Za-z]?)', 1)) || '|'
                || lpad(regexp_extract(trim(text), '(\d{1,3})[A-Za-z]?$', 1), 3, '0')
                || upper(regexp_extract(trim(text), '\d{1,3}([A-Za-z]?)$', 1))
    end
);

-- Whether a point lies within the bounds of Baltimore, or there is none; 0 and 0, exchanged or lone coordinates do not:
-- (-76.61, 39.29), (null, null) -> true; (0, 0), (39.29, -76.61), (-76.61, null) -> false
create or replace macro is_in_baltimore(longitude, latitude) as (
    case
        when longitude is null and latitude is null then true
        else coalesce(longitude between -76.72 and -76.52 and latitude between 39.19 and 39.38, false)
    end
);

-- The number of a contract without its release, in the form of the system that gave it: 'P503784:0', ' p503784 ' -> 'P503784', 'SCON-1234' -> 'SCON-001234',
-- 'BPO  77' -> 'BPO 77'; '' -> null
create or replace macro contract_number(text) as (
    case
        when regexp_matches(upper(trim(text)), '^P\d+(:\d+)?$') then regexp_extract(upper(trim(text)), '^P\d+')
        when regexp_matches(upper(trim(text)), '^SCON-?\d{1,6}$')
            then 'SCON-' || lpad(regexp_extract(trim(text), '\d+$'), 6, '0')
        else nullif(trim(regexp_replace(upper(text), '[\s\x{00A0}]+', ' ', 'g')), '')
    end
);

-- The release of a contract, a call on a blanket order: 'P503784:0' -> '0', 'P503784:12' -> '12', 'P503784', 'SCON-001234' -> null
create or replace macro contract_release(text) as (
    case when regexp_matches(upper(trim(text)), '^P\d+:\d+$') then regexp_extract(trim(text), '\d+$') end
);

-- The system that numbered a contract: 'P503784' -> 'citibuy', 'SCON-001234' -> 'workday', 'BPO 77' -> 'other'; null -> null
create or replace macro contract_register(number) as (
    case
        when regexp_matches(number, '^P\d+$') then 'citibuy'
        when regexp_matches(number, '^SCON-\d+$') then 'workday'
        when number is not null then 'other'
    end
);
