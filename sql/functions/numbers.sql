-- Parse amounts of money, whole numbers and shares. A macro returns null if its input cannot be read; a row rule then decides about the row.

-- '1234.5' -> 1234.50, '$1,234.50' -> 1234.50, '(12.00)' -> -12.00, '-$5' -> -5.00; 'n/a', '1,5', '-' or '' -> null
-- Numbers pass through rounded to the cent, so one macro reads every money column. Thousands must be grouped by three.
-- A double below 0.0001 is written with an exponent, such as 2.9e-11: what a sum of doubles leaves behind is 0.00; '5e-2' -> null.
create or replace macro parse_money(value) as (
    case
        when regexp_matches(cast(value as varchar), '^-?\d(\.\d+)?e-(0[5-9]|[1-9]\d+)$') then cast(0 as decimal(18, 2))
        when regexp_matches(regexp_replace(cast(value as varchar), '\s', '', 'g'), '^\(\$?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)\)$')
            then -try_cast(regexp_replace(cast(value as varchar), '[^0-9.]', '', 'g') as decimal(18, 2))
        when regexp_matches(regexp_replace(cast(value as varchar), '\s', '', 'g'), '^(-?\$?|\$-)((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)$')
            then try_cast(regexp_replace(cast(value as varchar), '[$,\s]', '', 'g') as decimal(18, 2))
    end
);

-- A plain number with up to six decimals, such as an index or a share of a seed: '0.0956' -> 0.0956, '-12' -> -12, ' 216.687 ' -> 216.687;
-- '1,000', '1e5', 'n/a' or '' -> null
create or replace macro parse_decimal(text) as (
    case when regexp_matches(trim(text), '^-?\d{1,12}(\.\d{1,6})?$') then try_cast(trim(text) as decimal(18, 6)) end
);

-- '12' -> 12, ' 007 ' -> 7, '-3' -> -3, '12.0' -> 12; '12.5', '1,000', '1_000', '1234567890', 'n/a' or '' -> null
-- Whole numbers of up to nine digits. A cast would round 12.5 and accept 1_000.
create or replace macro parse_integer(text) as (
    case
        when regexp_matches(trim(text), '^[+-]?\d{1,9}(\.0*)?$') then try_cast(regexp_extract(text, '[+-]?\d+') as integer)
    end
);

-- A percentage in any notation, as a share: '99%' -> 0.99, '0.84' -> 0.84, '93' -> 0.93, '104%' -> 1.04
-- Without a sign, above 1.5 it must be on the 0-100 scale. Above 1000 it is a sentinel (9999) or another unit: null.
-- '1' beside '100%' in the same row stays 1.0 and '0.5' beside '2' stays 0.5: a macro sees one value, not the row.
create or replace macro parse_share(text) as (
    case
        when not regexp_matches(trim(text), '^-?(\d+\.?\d*|\.\d+)\s*%?$') then null
        when abs(try_cast(regexp_extract(text, '[0-9.]+') as double)) > 1000 then null
        when text like '%\%%' escape '\' or try_cast(trim(text) as double) > 1.5 then try_cast(trim(rtrim(trim(text), '%')) as double) / 100
        else try_cast(trim(text) as double)
    end
);

-- A longitude or latitude in degrees, with any number of decimals: '-76.6523595419497' -> -76.6523595419497, '39' -> 39.0;
-- '-8528000.5', 'NA' or '' -> null
create or replace macro parse_degrees(text) as (
    case when regexp_matches(trim(text), '^-?\d{1,3}(\.\d+)?$') then try_cast(trim(text) as double) end
);

-- Longitude and latitude of a point in WKB; null for null and for any other shape: POINT (-76.5 39.25) -> -76.5 and 39.25
create or replace macro wkb_longitude(wkb) as (
    parse_degrees(regexp_extract(st_astext(st_geomfromwkb(wkb)), '^POINT \((-?[\d.]+) (-?[\d.]+)\)$', 1))
);

create or replace macro wkb_latitude(wkb) as (
    parse_degrees(regexp_extract(st_astext(st_geomfromwkb(wkb)), '^POINT \((-?[\d.]+) (-?[\d.]+)\)$', 2))
);
