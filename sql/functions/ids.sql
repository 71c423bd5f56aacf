-- Ids from natural keys. The rule is the same on every engine and never changes, because ids are used outside of the warehouse:
-- 1. Each part is a text, cast by the caller: a date as YYYY-MM-DD, a decimal with all the decimals of its declared type
--    (12.50), an integer without zeros before it. Texts are used unchanged: blanks, case and composed characters count.
-- 2. A part is written between quotation marks, with \ before every \ and ", and \t, \n, \r for tab, newline and return.
--    A null part is the word null without quotation marks, so it differs from the empty text and from 'null'.
-- 3. The id is the MD5, in lower-case hexadecimal, of the UTF-8 bytes of [part,part,...] without blanks.
-- docs/ids.md has test vectors.

-- The id of a thing, from the texts of its natural key: hash_id(['baltimore', '00123', cast(amount as varchar)])
create or replace macro hash_id(parts) as (
    md5('[' || array_to_string(list_transform(parts, lambda part: coalesce('"' || replace(replace(replace(replace(replace(
        part, '\', '\\'), '"', '\"'), chr(9), '\t'), chr(10), '\n'), chr(13), '\r') || '"', 'null')), ',') || ']')
);
