-- Each row is how concentrated on few vendors the payments of one agency, or of a whole city, are in one fiscal year.
with paid as (
    select city, fiscal_year, agency_id, vendor_id, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city, fiscal_year, agency_id, vendor_id
),

scoped as (
    select city, fiscal_year, agency_id as scope, vendor_id, paid_amount from paid
    union all
    select city, fiscal_year, 'city' as scope, vendor_id, sum(paid_amount) as paid_amount
    from paid
    group by city, fiscal_year, vendor_id
),

counted as (
    -- Shares are of the vendors that were paid something on balance; the redacted vendor is many payees.
    select
        scoped.city,
        scoped.fiscal_year,
        scoped.scope,
        scoped.vendor_id,
        scoped.paid_amount,
        vendors.is_redacted,
        case when scoped.paid_amount > 0 and not vendors.is_redacted then scoped.paid_amount else 0 end as counted_amount
    from scoped
    inner join marts.dim_vendors as vendors
        on vendors.vendor_id = scoped.vendor_id
),

ranked as (
    -- allow total_order: city, fiscal_year, scope and vendor_id name a row
    select *, row_number() over (partition by city, fiscal_year, scope order by counted_amount desc, vendor_id) as vendor_rank
    from counted
),

totals as (
    select
        city,
        fiscal_year,
        scope,
        sum(paid_amount) as paid_amount,
        sum(counted_amount) as counted_amount,
        coalesce(sum(paid_amount) filter (where is_redacted), 0) as redacted_amount,
        count(*) filter (where counted_amount > 0) as vendor_count,
        sum(counted_amount) filter (where vendor_rank <= 1) as top_1_amount,
        sum(counted_amount) filter (where vendor_rank <= 5) as top_5_amount,
        sum(counted_amount) filter (where vendor_rank <= 10) as top_10_amount,
        -- In whole cents, so that the sum of squares is exact.
        sum(cast(cast(counted_amount as decimal(18, 2)) * 100 as hugeint) * cast(cast(counted_amount as decimal(18, 2)) * 100 as hugeint))
            as squared_cents
    from ranked
    group by city, fiscal_year, scope
)

select
    totals.city,
    totals.fiscal_year,
    totals.scope,
    agencies.agency_id,
    coalesce(agencies.agency_name, 'All agencies') as agency_name,
    cast(totals.paid_amount as decimal(38, 2)) as paid_amount,
    cast(totals.counted_amount as decimal(38, 2)) as counted_amount,
    cast(totals.redacted_amount as decimal(38, 2)) as redacted_amount,
    totals.vendor_count,
    round(
        cast(totals.squared_cents as double)
        / nullif(10000 * cast(totals.counted_amount as double) * cast(totals.counted_amount as double), 0),
        6
    ) as hhi,
    cast(totals.top_1_amount as double) / nullif(totals.counted_amount, 0) as top_1_share,
    cast(totals.top_5_amount as double) / nullif(totals.counted_amount, 0) as top_5_share,
    cast(totals.top_10_amount as double) / nullif(totals.counted_amount, 0) as top_10_share
from totals
left join marts.dim_agencies as agencies
    on agencies.agency_id = totals.scope
