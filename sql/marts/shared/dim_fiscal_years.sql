-- Each row is one fiscal year of one city, with its residents and the level of consumer prices.
with months as (
    -- Of a fiscal year of which a month is missing in the index, the mean is unknown.
    select
        fiscal.city,
        fiscal.fiscal_year,
        min(fiscal.fiscal_year_start_date) as first_date,
        count(indexes.index_value) as price_months,
        sum(parse_decimal(indexes.index_value)) as index_sum,
        min(indexes.series_id) as price_series
    from marts.dim_fiscal_dates as fiscal
    left join seeds.price_indexes as indexes on parse_date(indexes.month) = fiscal.day
    where day(fiscal.day) = 1
    group by fiscal.city, fiscal.fiscal_year
),

prices as (
    select
        city,
        fiscal_year,
        first_date,
        price_series,
        case when price_months = 12 then index_sum end as index_sum
    from months
),

bases as (
    select city, max(fiscal_year) as base_fiscal_year, max_by(index_sum, fiscal_year) as base_sum
    from prices
    where index_sum is not null
    group by city
),

counted as (
    select place as city, year, residents, source
    from seeds.place_populations
),

newest_count as (
    -- The newest count of residents that was made by the fiscal year.
    select prices.city, prices.fiscal_year, max(counted.year) as population_year
    from prices
    inner join counted on counted.city = prices.city and counted.year <= prices.fiscal_year
    group by prices.city, prices.fiscal_year
)

select
    prices.city,
    prices.fiscal_year,
    prices.first_date,
    newest_count.population_year,
    counted.residents,
    counted.source as population_source,
    prices.price_series,
    cast(round(cast(prices.index_sum / 12 as double), 4) as decimal(12, 4)) as price_index,
    bases.base_fiscal_year,
    cast(bases.base_sum / prices.index_sum as double) as price_factor
from prices
left join bases using (city)
left join newest_count using (city, fiscal_year)
left join counted on counted.city = prices.city and counted.year = newest_count.population_year
