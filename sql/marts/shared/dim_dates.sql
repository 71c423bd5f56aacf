-- Each row is one day from July 2010 to June 2035, in the civil and the epidemiological calendar.
with days as (
    select cast(unnest(generate_series(date '2010-07-01', date '2035-06-30', interval 1 day)) as date) as day
),

holidays as (
    -- Federal holidays: floating ones by their rule; fixed ones on a weekend are observed on Friday or Monday.
    select
        day,
        case
            when month(day) = 1 and dayofweek(day) = 1 and day(day) between 15 and 21 then 'Martin Luther King Jr. Day'
            when month(day) = 2 and dayofweek(day) = 1 and day(day) between 15 and 21 then 'Washington''s Birthday'
            when month(day) = 5 and dayofweek(day) = 1 and day(day) between 25 and 31 then 'Memorial Day'
            when month(day) = 9 and dayofweek(day) = 1 and day(day) between 1 and 7 then 'Labor Day'
            when month(day) = 10 and dayofweek(day) = 1 and day(day) between 8 and 14 then 'Columbus Day'
            when month(day) = 11 and dayofweek(day) = 4 and day(day) between 22 and 28 then 'Thanksgiving Day'
            when dayofweek(day) in (0, 6) then null
            when '01-01' in (strftime(day, '%m-%d'), observed_for) then 'New Year''s Day'
            when '06-19' in (strftime(day, '%m-%d'), observed_for) and year(day) >= 2021 then 'Juneteenth'
            when '07-04' in (strftime(day, '%m-%d'), observed_for) then 'Independence Day'
            when '11-11' in (strftime(day, '%m-%d'), observed_for) then 'Veterans Day'
            when '12-25' in (strftime(day, '%m-%d'), observed_for) then 'Christmas Day'
        end as federal_holiday
    from (
        select
            day,
            case dayofweek(day)
                when 5 then strftime(day + 1, '%m-%d')
                when 1 then strftime(day - 1, '%m-%d')
            end as observed_for
        from days
    )
),

weeks as (
    select
        day,
        federal_holiday,
        federal_holiday is null and dayofweek(day) between 1 and 5 as is_business_day,
        -- An epidemiological week runs Sunday to Saturday and belongs to the year of its Wednesday.
        day - cast(dayofweek(day) as integer) + 3 as mmwr_wednesday
    from holidays
)

select
    day,
    cast(year(day) as integer) as calendar_year,
    cast(quarter(day) as integer) as calendar_quarter,
    cast(month(day) as integer) as calendar_month,
    cast(date_trunc('month', day) as date) as month_start_date,
    cast(isoyear(day) as integer) as iso_year,
    cast(weekofyear(day) as integer) as iso_week,
    cast(year(mmwr_wednesday) as integer) as mmwr_year,
    cast((dayofyear(mmwr_wednesday) - 1) // 7 + 1 as integer) as mmwr_week,
    dayname(day) as day_of_week,
    federal_holiday,
    federal_holiday is not null as is_federal_holiday,
    is_business_day
from weeks
