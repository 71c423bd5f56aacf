-- Dates and fiscal time. A macro returns null if its input cannot be read; a row rule then decides about the row.

-- '2024-03-05', '2024-03-05T14:30:00.000', '2024/03/05 14:30:00+00', '3/5/2024', '03/05/2024', 'March 5, 2024' -> 2024-03-05;
-- '13/45/2024', '2023-02-29', 'TBD', '0000-01-01' -> null: no year before 1000, which another engine would write differently
-- A time of day is dropped, not converted: its time zone is declared per column, not guessed here.
create or replace macro parse_date(text) as (
    cast(case
        when regexp_matches(trim(text), '^[12]\d{3}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?$')
            then try_strptime(regexp_extract(text, '\d{4}-\d{1,2}-\d{1,2}'), '%Y-%m-%d')
        when regexp_matches(trim(text), '^[12]\d{3}/\d{2}/\d{2}( \d{2}:\d{2}.*)?$')
            then try_strptime(regexp_extract(text, '\d{4}/\d{2}/\d{2}'), '%Y/%m/%d')
        when regexp_matches(trim(text), '^\d{1,2}/\d{1,2}/[12]\d{3}$')
            then try_strptime(trim(text), '%m/%d/%Y')
        when regexp_matches(trim(text), '^[A-Z][a-z]+ \d{1,2}, [12]\d{3}$')
            then try_strptime(trim(text), '%B %d, %Y')
    end as date)
);

-- A day with its time, without a time zone: '2024-03-05T14:30:00.000', '2024-03-05 14:30:00', '2024/03/05 14:30:00+00',
-- '3/5/2024 2:30:00 PM' -> 2024-03-05 14:30:00; '2024-03-05' -> 2024-03-05 00:00:00; '3/5/2024 25:00:00 PM', 'NA' -> null
create or replace macro parse_moment(text) as (
    cast(case
        when regexp_matches(trim(text), '^[12]\d{3}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}')
            then try_strptime(
                replace(replace(regexp_extract(trim(text), '^.{19}'), 'T', ' '), '/', '-'), '%Y-%m-%d %H:%M:%S'
            )
        when regexp_matches(trim(text), '^\d{1,2}/\d{1,2}/[12]\d{3} \d{1,2}:\d{2}:\d{2} [AP]M$')
            then try_strptime(trim(text), '%m/%d/%Y %I:%M:%S %p')
        else parse_date(text)
    end as timestamp)
);

-- The fiscal year of a day, named by the year it ends. `first_month` is its first month:
-- (2023-06-30, 7) -> 2023, (2023-07-01, 7) -> 2024, (2023-12-31, 1) -> 2023, (2023-10-01, 10) -> 2024
create or replace macro fiscal_year(day, first_month) as (
    cast(year(day) + case when first_month > 1 and month(day) >= first_month then 1 else 0 end as integer)
);

-- Month of that fiscal year: (2023-07-01, 7) -> 1, (2024-06-30, 7) -> 12, (2023-01-31, 1) -> 1, (2023-12-01, 10) -> 3
create or replace macro fiscal_period(day, first_month) as (
    cast((month(day) - first_month + 12) % 12 + 1 as integer)
);
