-- Names of organisations and funds, for comparing them.

-- The form in which names of all sources are compared, upper case without accents or punctuation: ' M-R:  Mayor's Office ' -> 'M R MAYORS OFFICE'
create or replace macro name_key(text) as (
    nullif(trim(regexp_replace(
        regexp_replace(replace(strip_accents(upper(text)), '&', ' AND '), '[.''’`]', '', 'g'),
        '[^A-Z0-9]+', ' ', 'g'
    )), '')
);

-- The form in which fund names of all sources are compared: 'General Fund' -> 'GENERAL', ' Water  Utility ' -> 'WATER UTILITY', null -> '(BLANK)'
create or replace macro fund_key(text) as (
    coalesce(regexp_replace(name_key(text), ' FUNDS?$', ''), '(BLANK)')
);

-- A name key with abbreviations written in full: 'ACE CONSTR SVCS' -> 'ACE CONSTRUCTION SERVICES'
create or replace macro expand_words(words) as (
    array_to_string(list_transform(string_split(words, ' '), lambda word: case
        when word = 'CONSTR' then 'CONSTRUCTION'
        when word in ('SVC', 'SVCS') then 'SERVICES'
        when word in ('MGMT', 'MGT') then 'MANAGEMENT'
        when word in ('ASSOC', 'ASSOCS') then 'ASSOCIATES'
        else word
    end), ' ')
);

-- One spelling of an organisation's name to compare names, not to show them:
-- 'Smith & Sons Constr. Co., Inc.' -> 'SMITH AND SONS CONSTRUCTION', 'ACME L.L.C. d/b/a Ace Signs' -> 'ACME', 'CO-OP MARKET' -> 'CO OP MARKET'
-- Legal forms are dropped only at the end. The text after DBA is another name of the same payee.
create or replace macro normalize_name(text) as (
    regexp_replace(
        regexp_replace(expand_words(name_key(text)), '(\w) (DBA|D B A) .*$', '\1'),
        '(\w)( (LLC|INC|INCORPORATED|CORP|CORPORATION|CO|COMPANY|LTD|LIMITED|LP|LLP|PC|PA))+$', '\1'
    )
);

-- The letters and digits by which payees are merged, without a leading THE and without blanks:
-- 'The Juniper-Holt Company' -> 'JUNIPERHOLT', 'JUNIPERHOLT INC' -> 'JUNIPERHOLT', 'ACE d/b/a Ace Signs' -> 'ACE', '...' -> null
create or replace macro vendor_key(text) as (
    nullif(replace(regexp_replace(normalize_name(text), '^THE (\w)', '\1'), ' ', ''), '')
);

-- The key of the trade name that is written after DBA: 'ACE L.L.C. d/b/a Ace Signs, Inc.' -> 'ACESIGNS', 'ACE' -> null
create or replace macro trade_name_key(text) as (
    vendor_key(nullif(regexp_extract(replace(upper(text), '/', ''), '\s(DBA|D B A)\s+(.+)$', 2), ''))
);
