-- Dates and fiscal time. A macro returns null where its input cannot be read; a row rule then says what happens to the row.

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

-- Baltimore's fiscal year starts on 1 July and is named by the year it ends: 2023-06-30 -> 2023, 2023-07-01 -> 2024
create or replace macro fiscal_year(day) as (
    cast(year(day) + case when month(day) >= 7 then 1 else 0 end as integer)
);

-- Month of Baltimore's fiscal year: July -> 1, June -> 12
create or replace macro fiscal_period(day) as (
    cast((month(day) + 5) % 12 + 1 as integer)
);
