-- Each row is one day of one complete fiscal year of one city.
with days as (
    select
        cities.city,
        dates.day,
        dates.is_business_day,
        fiscal_year(dates.day, cities.fiscal_year_first_month) as ending_year,
        fiscal_period(dates.day, cities.fiscal_year_first_month) as fiscal_period,
        cities.fiscal_year_first_month as first_month,
        cities.fiscal_year_named_by = 'the year it starts' and cities.fiscal_year_first_month > 1 as is_named_by_start
    from marts.dim_cities as cities
    cross join marts.dim_dates as dates
),

starts as (
    select
        city,
        day,
        is_business_day,
        cast(case when is_named_by_start then ending_year - 1 else ending_year end as integer) as fiscal_year,
        fiscal_period,
        make_date(case when first_month > 1 then ending_year - 1 else ending_year end, first_month, 1) as fiscal_year_start_date
    from days
),

complete_years as (
    -- Leave out years that are only partly within the calendar.
    select city, fiscal_year
    from starts
    group by city, fiscal_year
    having min(day) = min(fiscal_year_start_date) and count(distinct fiscal_period) = 12
)

select
    city,
    starts.day,
    fiscal_year,
    starts.fiscal_period,
    cast((starts.fiscal_period + 2) // 3 as integer) as fiscal_quarter,
    starts.fiscal_year_start_date,
    starts.fiscal_period = 12 as is_fiscal_year_end_month,
    cast(count(*) filter (where starts.is_business_day) over (
        partition by city, fiscal_year order by starts.day
    ) as integer) as business_day_of_fiscal_year
from starts
inner join complete_years using (city, fiscal_year)
