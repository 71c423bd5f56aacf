-- What only Baltimore writes. A macro returns null where its input cannot be read; a row rule then says what happens to the row.

-- A day whose digits a portal took for a year, month and day unpadded: '01/01/21507' -> 2007-02-15, '01/01/121609' -> 2009-12-16;
-- '01/01/2009', '01/01/133107' -> null
create or replace macro mangled_date(text) as (
    case
        when regexp_matches(trim(text), '^01/01/\d{5,6}$')
            then cast(try_strptime(lpad(substr(trim(text), 7), 6, '0'), '%m%d%y') as date)
    end
);

-- A Baltimore property, however its block and lot were joined: '0702 050', '0702050', ' 702 50' -> '0702|050', '4511H077' -> '4511H|077';
-- '6E54 016', '0702', '070205' -> null; digits that run together are read only if they are 4 and 3
create or replace macro block_lot(text) as (
    case
        when regexp_matches(upper(trim(text)), '^(\d{1,4}[A-Z]?\s+\d{1,3}|\d{1,4}[A-Z]\d{1,3}|\d{7})[A-Z]?$')
            then lpad(regexp_extract(trim(text), '^\d{1,4}'), 4, '0')
                || upper(regexp_extract(trim(text), '^\d{1,4}([A-Za-z]?)', 1)) || '|'
                || lpad(regexp_extract(trim(text), '(\d{1,3})[A-Za-z]?$', 1), 3, '0')
                || upper(regexp_extract(trim(text), '\d{1,3}([A-Za-z]?)$', 1))
    end
);
