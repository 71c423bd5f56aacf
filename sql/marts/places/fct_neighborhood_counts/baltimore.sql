-- Each row is what was counted of one measure in one neighborhood of a city in one fiscal year, zeros included.
with parcels as (
    select name_key(neighborhood) as geography_key, cast(count(distinct block_lot) as integer) as parcel_count
    from clean.baltimore_real_property
    group by name_key(neighborhood)
),

neighborhoods as (
    select geographies.geography_id, geographies.geography_key, geographies.residents, parcels.parcel_count
    from marts.dim_geographies as geographies
    left join parcels using (geography_key)
    where geographies.city = 'baltimore' and geographies.kind = 'neighborhood'
),

notices as (
    -- The list has no date of its own: it is as new as its newest notice.
    select distinct
        fiscal_year(max(notice_date) over (), 7) as fiscal_year,
        block_lot,
        name_key(neighborhood) as geography_key
    from clean.baltimore_vacant_building_notices
),

requests as (
    select fiscal.fiscal_year, requests.request_id, name_key(requests.neighborhood) as geography_key
    from marts.fct_service_requests as requests
    inner join marts.dim_fiscal_dates as fiscal on fiscal.city = requests.city and fiscal.day = requests.created_date
    where requests.city = 'baltimore'
),

permits as (
    select fiscal.fiscal_year, permits.permit_id, name_key(permits.neighborhood) as geography_key
    from clean.baltimore_building_permits as permits
    inner join marts.dim_fiscal_dates as fiscal on fiscal.city = 'baltimore' and fiscal.day = permits.issued_date
),

placed as (
    select 'vacant buildings' as measure, fiscal_year, geography_key, cast(count(distinct block_lot) as double) as event_count
    from notices
    group by fiscal_year, geography_key
    union all
    select 'service requests' as measure, fiscal_year, geography_key, cast(count(request_id) as double) as event_count
    from requests
    group by fiscal_year, geography_key
    union all
    select 'building permits' as measure, fiscal_year, geography_key, cast(count(permit_id) as double) as event_count
    from permits
    group by fiscal_year, geography_key
),

zip_years as (
    -- Cumulative cases at the end of each fiscal year; a suppressed count is at least 0, and a zero that stands for no count is none.
    select
        increments.geography as zip_code,
        fiscal.fiscal_year,
        coalesce(max_by(increments.cumulative_reported, increments.observed_date), 0) as cumulative_cases
    from marts.fct_covid_increments as increments
    inner join marts.dim_fiscal_dates as fiscal on fiscal.city = 'baltimore' and fiscal.day = increments.observed_date
    where increments.geography_kind = 'zip' and increments.metric = 'cases' and not increments.is_missing_as_zero
    group by increments.geography, fiscal.fiscal_year
),

zip_totals as (
    -- A total that fell by a correction: until it is higher again, nobody is counted a second time.
    select zip_code, fiscal_year, max(cumulative_cases) over (partition by zip_code order by fiscal_year) as cumulative_cases
    from zip_years
),

zip_cases as (
    select
        zip_code,
        fiscal_year,
        cumulative_cases - coalesce(lag(cumulative_cases) over (partition by zip_code order by fiscal_year), 0) as case_count
    from zip_totals
),

cases as (
    -- A ZIP code gives each neighborhood the share of its own area that lies there; what lies outside the city stays outside.
    select
        zip_cases.fiscal_year,
        shared.to_geography_id as geography_id,
        round(sum(cast(zip_cases.case_count * shared.area_share as decimal(18, 6))), 3) as event_count
    from zip_cases
    inner join marts.dim_geographies as zips
        on zips.city = 'baltimore' and zips.kind = 'zip code' and zips.geography_key = zip_cases.zip_code
    inner join marts.fct_geography_overlaps as shared
        on shared.from_geography_id = zips.geography_id and shared.to_kind = 'neighborhood'
    group by zip_cases.fiscal_year, shared.to_geography_id
),

counted as (
    select
        placed.measure,
        placed.fiscal_year,
        neighborhoods.geography_id,
        placed.event_count
    from placed
    left join neighborhoods using (geography_key)
    union all
    select 'covid-19 cases' as measure, fiscal_year, geography_id, cast(event_count as double) as event_count
    from cases
),

years as (
    select
        measure,
        fiscal_year,
        coalesce(sum(cast(event_count as decimal(18, 3))) filter (geography_id is null), 0) as unplaced_count
    from counted
    group by measure, fiscal_year
),

sums as (
    select measure, fiscal_year, geography_id, sum(cast(event_count as decimal(18, 3))) as event_count
    from counted
    group by measure, fiscal_year, geography_id
)

select
    'baltimore' as city,
    years.fiscal_year,
    years.measure,
    neighborhoods.geography_id,
    cast(coalesce(sums.event_count, 0) as double) as event_count,
    case
        when years.measure in ('vacant buildings', 'building permits') then neighborhoods.parcel_count
        else neighborhoods.residents
    end as denominator,
    case
        when years.measure in ('vacant buildings', 'building permits') then 'parcels of the City''s list'
        else 'residents of the 2020 Census'
    end as denominator_name,
    case years.measure when 'covid-19 cases' then 'area' else 'none' end as weight_name,
    cast(years.unplaced_count as double) as unplaced_count
from years
cross join neighborhoods
left join sums
    on sums.measure = years.measure
    and sums.fiscal_year = years.fiscal_year
    and sums.geography_id = neighborhoods.geography_id
