-- Normalize text and codes. A macro returns null if its input cannot be read; a row rule then decides about the row.

-- Trim, reduce inner blanks (also no-break spaces) to one, and turn empty text into null: '  Police   Dept ' -> 'Police Dept', ' ' -> null
create or replace macro clean_text(text) as (
    nullif(trim(regexp_replace(text, '[\s\x{00A0}]+', ' ', 'g')), '')
);

-- A code without leading zeros and blanks: '0771' -> '771', ' 1 ' -> '1', '000' -> '0', '04002A' -> '4002A'
create or replace macro clean_code(text) as (
    regexp_replace(clean_text(text), '^0+(\w)', '\1')
);

-- Whether a text is empty, or the placeholder of a template, in two pairs of braces, that nobody filled: ' ' -> true, null -> true, 'Parks' -> false
create or replace macro is_unfilled(text) as (
    clean_text(text) is null or regexp_matches(trim(text), '^\{\{[^}]*\}\}$')
);
