-- Each row is one fiscal month of one source, and whether its data is complete.
with payment_months as (
    select
        days.city,
        days.source,
        dates.month_start_date,
        sum(days.row_count) as row_count,
        min(days.day) as first_paid_date,
        max(days.day) as last_paid_date
    from marts.fct_source_days as days
    inner join marts.dim_dates as dates on dates.day = days.day
    group by days.city, days.source, dates.month_start_date
),

spans as (
    select city, source, min(month_start_date) as first_month, max(month_start_date) as last_month
    from payment_months
    group by city, source
),

months as (
    select
        month_start_date,
        min(day) filter (where is_business_day) as first_business_day,
        max(day) filter (where is_business_day) as last_business_day
    from marts.dim_dates
    group by month_start_date
),

declared as (
    select
        notes.city,
        notes.source,
        months.month_start_date,
        notes.status,
        notes.note
    from seeds.coverage_notes as notes
    inner join months
        on months.month_start_date between parse_date(notes.first_month) and parse_date(notes.last_month)
),

derived as (
    select
        spans.city,
        spans.source,
        months.month_start_date,
        coalesce(payment_months.row_count, 0) as row_count,
        case
            when payment_months.row_count is null then 'missing'
            when months.month_start_date = spans.first_month and payment_months.first_paid_date > months.first_business_day
                then 'partial'
            when months.month_start_date = spans.last_month and payment_months.last_paid_date < months.last_business_day
                then 'partial'
            else 'complete'
        end as status
    from spans
    inner join months on months.month_start_date between spans.first_month and spans.last_month
    left join payment_months using (city, source, month_start_date)
),

statuses as (
    select
        city,
        source,
        month_start_date,
        -- A declaration of the publisher takes precedence over the data. Months before the first and after the last of the source
        -- are not listed: the notes also speak of layers that are not captured.
        coalesce(declared.status, derived.status) as status,
        cast(derived.row_count as bigint) as row_count,
        coalesce(
            declared.note,
            case derived.status
                when 'missing' then 'No payment is published between months that have them.'
                when 'partial' then 'The first or last month published does not reach its first or last business day.'
            end
        ) as note
    from derived
    left join declared using (city, source, month_start_date)
)

select
    statuses.city,
    statuses.source,
    statuses.month_start_date,
    fiscal.fiscal_year,
    fiscal.fiscal_period,
    statuses.status,
    statuses.row_count,
    statuses.note
from statuses
left join marts.dim_fiscal_dates as fiscal
    on fiscal.city = statuses.city and fiscal.day = statuses.month_start_date
