-- Macros every model may use. Each returns null where its input cannot be read; a row rule then says what happens to the row.

-- Trimmed, inner runs of blanks (no-break spaces too) made one, empty made null: '  Police   Dept ' -> 'Police Dept', ' ' -> null
create or replace macro clean_text(text) as (
    nullif(trim(regexp_replace(text, '[\s\x{00A0}]+', ' ', 'g')), '')
);

-- A code without its padding: '0771' -> '771', ' 1 ' -> '1', '000' -> '0', '04002A' -> '4002A'
create or replace macro clean_code(text) as (
    regexp_replace(clean_text(text), '^0+(\w)', '\1')
);

-- '1234.5' -> 1234.50, '$1,234.50' -> 1234.50, '(12.00)' -> -12.00, '-$5' -> -5.00; 'n/a', '1,5', '-' or '' -> null
-- Numbers pass through rounded to the cent, so one macro reads every money column. Thousands must be grouped by three.
create or replace macro parse_money(value) as (
    case
        when regexp_matches(regexp_replace(cast(value as varchar), '\s', '', 'g'), '^\(\$?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)\)$')
            then -try_cast(regexp_replace(cast(value as varchar), '[^0-9.]', '', 'g') as decimal(18, 2))
        when regexp_matches(regexp_replace(cast(value as varchar), '\s', '', 'g'), '^(-?\$?|\$-)((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)$')
            then try_cast(regexp_replace(cast(value as varchar), '[$,\s]', '', 'g') as decimal(18, 2))
    end
);

-- '12' -> 12, ' 007 ' -> 7, '-3' -> -3, '12.0' -> 12; '12.5', '1,000', '1_000', '1234567890', 'n/a' or '' -> null
-- Whole numbers of up to nine digits. A cast would round 12.5 and take 1_000.
create or replace macro parse_integer(text) as (
    case
        when regexp_matches(trim(text), '^[+-]?\d{1,9}(\.0*)?$') then try_cast(regexp_extract(text, '[+-]?\d+') as integer)
    end
);

-- '2024-03-05', '2024-03-05T14:30:00.000', '2024/03/05 14:30:00+00', '3/5/2024', '03/05/2024', 'March 5, 2024' -> 2024-03-05;
-- '13/45/2024', '2023-02-29', 'TBD' -> null
-- A clock time is cut off, never shifted: what zone it is in is declared per column, not guessed here.
create or replace macro parse_date(text) as (
    cast(case
        when regexp_matches(trim(text), '^\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?$')
            then try_strptime(regexp_extract(text, '\d{4}-\d{1,2}-\d{1,2}'), '%Y-%m-%d')
        when regexp_matches(trim(text), '^\d{4}/\d{2}/\d{2}( \d{2}:\d{2}.*)?$')
            then try_strptime(regexp_extract(text, '\d{4}/\d{2}/\d{2}'), '%Y/%m/%d')
        when regexp_matches(trim(text), '^\d{1,2}/\d{1,2}/\d{4}$')
            then try_strptime(trim(text), '%m/%d/%Y')
        when regexp_matches(trim(text), '^[A-Z][a-z]+ \d{1,2}, \d{4}$')
            then try_strptime(trim(text), '%B %d, %Y')
    end as date)
);

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

-- Baltimore's fiscal year starts on 1 July and is named by the year it ends: 2023-06-30 -> 2023, 2023-07-01 -> 2024
create or replace macro fiscal_year(day) as (
    cast(year(day) + case when month(day) >= 7 then 1 else 0 end as integer)
);

-- Month of Baltimore's fiscal year: July -> 1, June -> 12
create or replace macro fiscal_period(day) as (
    cast((month(day) + 5) % 12 + 1 as integer)
);

-- A percentage in any notation, as a share: '99%' -> 0.99, '0.84' -> 0.84, '93' -> 0.93, '104%' -> 1.04
-- Without a sign, above 1.5 it must be on the 0-100 scale. Above 1000 it is a sentinel (9999) or another unit: null.
-- '1' beside '100%' in the same row stays 1.0 and '0.5' beside '2' stays 0.5: only the row could tell, a macro cannot.
create or replace macro parse_share(text) as (
    case
        when not regexp_matches(trim(text), '^-?(\d+\.?\d*|\.\d+)\s*%?$') then null
        when abs(try_cast(regexp_extract(text, '[0-9.]+') as double)) > 1000 then null
        when text like '%\%%' escape '\' or try_cast(trim(text) as double) > 1.5 then try_cast(trim(rtrim(trim(text), '%')) as double) / 100
        else try_cast(trim(text) as double)
    end
);

-- How names are compared across sources, upper case without accents or punctuation: ' M-R:  Mayor's Office ' -> 'M R MAYORS OFFICE'
create or replace macro name_key(text) as (
    nullif(trim(regexp_replace(
        regexp_replace(replace(strip_accents(upper(text)), '&', ' AND '), '[.''’`]', '', 'g'),
        '[^A-Z0-9]+', ' ', 'g'
    )), '')
);

-- A fund's name as every source can be compared by: 'General Fund' -> 'GENERAL', ' Water  Utility ' -> 'WATER UTILITY', null -> '(BLANK)'
create or replace macro fund_key(text) as (
    coalesce(regexp_replace(name_key(text), ' FUNDS?$', ''), '(BLANK)')
);

-- Abbreviated words of a name key in full: 'ACE CONSTR SVCS' -> 'ACE CONSTRUCTION SERVICES'
create or replace macro expand_words(words) as (
    array_to_string(list_transform(string_split(words, ' '), lambda word: case
        when word = 'CONSTR' then 'CONSTRUCTION'
        when word in ('SVC', 'SVCS') then 'SERVICES'
        when word in ('MGMT', 'MGT') then 'MANAGEMENT'
        when word in ('ASSOC', 'ASSOCS') then 'ASSOCIATES'
        else word
    end), ' ')
);

-- One spelling of an organisation's name for comparing names, never for showing them:
-- 'Smith & Sons Constr. Co., Inc.' -> 'SMITH AND SONS CONSTRUCTION', 'ACME L.L.C. d/b/a Ace Signs' -> 'ACME', 'CO-OP MARKET' -> 'CO OP MARKET'
-- Legal forms are dropped only at the end. What follows DBA is another name of the same payee.
create or replace macro normalize_name(text) as (
    regexp_replace(
        regexp_replace(expand_words(name_key(text)), '(\w) (DBA|D B A) .*$', '\1'),
        '(\w)( (LLC|INC|INCORPORATED|CORP|CORPORATION|CO|COMPANY|LTD|LIMITED|LP|LLP|PC|PA))+$', '\1'
    )
);

-- The id of a thing, from its natural key as a JSON array: hash_id(json_array('baltimore', '00123', 12.50)). A null part differs from an empty one.
create or replace macro hash_id(parts) as (
    md5(cast(parts as varchar))
);
