-- Text and codes as they are compared and shown. A macro returns null where its input cannot be read; a row rule then says what happens to the row.

-- Trimmed, inner runs of blanks (no-break spaces too) made one, empty made null: '  Police   Dept ' -> 'Police Dept', ' ' -> null
create or replace macro clean_text(text) as (
    nullif(trim(regexp_replace(text, '[\s\x{00A0}]+', ' ', 'g')), '')
);

-- A code without its padding: '0771' -> '771', ' 1 ' -> '1', '000' -> '0', '04002A' -> '4002A'
create or replace macro clean_code(text) as (
    regexp_replace(clean_text(text), '^0+(\w)', '\1')
);
