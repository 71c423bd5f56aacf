-- Normalize text and codes. A macro returns null if its input cannot be read; a row rule then decides about the row.

-- Trim, reduce inner blanks of any width to one, drop what nobody sees (soft hyphens, blanks without a width, byte order marks), and turn
-- empty text into null: '  Police   Dept ' -> 'Police Dept', ' ' -> null
create or replace macro clean_text(text) as (
    nullif(trim(regexp_replace(
        regexp_replace(text, '[\x{00AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}]', '', 'g'),
        '[\s\x{00A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]+', ' ', 'g'
    )), '')
);

-- A code without leading zeros and blanks, and without the decimals that it gets where somebody's program reads it as a number:
-- '0771' -> '771', ' 1 ' -> '1', '000' -> '0', '04002A' -> '4002A', '771.0' -> '771', '77.10' -> '77.10'
create or replace macro clean_code(text) as (
    regexp_replace(regexp_replace(clean_text(text), '^(\d+)[.]0+$', '\1'), '^0+(\w)', '\1')
);

-- Whether a text is empty, or the placeholder of a template, in two pairs of braces, that nobody filled: ' ' -> true, null -> true, 'Parks' -> false
create or replace macro is_unfilled(text) as (
    clean_text(text) is null or regexp_matches(trim(text), '^\{\{[^}]*\}\}$')
);

-- Yes or no in any spelling: 'Yes ', 'y', 'TRUE', 't', '1', 'x' -> true; 'No', 'n', 'False', 'f', '0' -> false; 'maybe', '' -> null
create or replace macro parse_flag(text) as (
    case
        when lower(clean_text(text)) in ('yes', 'y', 'true', 't', '1', 'x') then true
        when lower(clean_text(text)) in ('no', 'n', 'false', 'f', '0') then false
    end
);
