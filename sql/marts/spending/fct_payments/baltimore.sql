-- Each row is one split of one payment of a city that publishes its payments. Baltimore: from the Open Checkbook.
with fund_names as (
    -- Once per spelling: a key per split would cost a minute per million splits.
    select distinct fund_name from clean.baltimore_spending
),

fund_ids as (
    select fund_names.fund_name, funds.fund_id
    from fund_names
    left join marts.dim_funds as funds
        on funds.city = 'baltimore' and funds.fund_key = fund_key(fund_names.fund_name)
)

select
    splits.payment_split_id,
    case
        when splits.check_number is null then hash_id(['baltimore', splits.payment_split_id])
        else hash_id(['baltimore', splits.check_number, vendors.vendor_id, cast(splits.payment_date as varchar)])
    end as payment_id,
    'baltimore' as city,
    splits.payment_date,
    fiscal.fiscal_year,
    fiscal.fiscal_period,
    aliases.agency_id,
    vendors.vendor_id,
    fund_ids.fund_id,
    splits.cost_center,
    splits.spend_category,
    splits.check_number,
    splits.invoice_number,
    splits.contract_number,
    splits.contract_release,
    contract_register(splits.contract_number) as contract_register,
    splits.amount as paid_amount,
    splits.amount < 0 as is_reversal,
    coverage.status as coverage_status
from clean.baltimore_spending as splits
left join marts.dim_fiscal_dates as fiscal
    on fiscal.city = 'baltimore' and fiscal.day = splits.payment_date
left join marts.bridge_agency_aliases as aliases
    on aliases.city = 'baltimore'
    and aliases.source_system = 'spending'
    and aliases.raw_name = coalesce(splits.agency_name, '(blank)')
left join marts.bridge_vendor_names as vendors
    on vendors.city = 'baltimore'
    and vendors.raw_name = coalesce(splits.vendor_name, '(redacted)')
left join fund_ids
    on fund_ids.fund_name is not distinct from splits.fund_name
left join marts.dim_coverage as coverage
    on coverage.city = 'baltimore'
    and coverage.source = 'spending'
    and coverage.fiscal_year = fiscal.fiscal_year
    and coverage.fiscal_period = fiscal.fiscal_period
