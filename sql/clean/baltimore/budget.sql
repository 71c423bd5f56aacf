-- Each row is one line of Baltimore's adopted operating budget: one account in one fiscal year.
with published as (
    -- A layer has one amount column, named by its fiscal year: fy22_budget, fy23_budget. Those of the other years are empty.
    select
        cast(2000 + parse_integer(right(regexp_extract(amount_column, '\d+'), 2)) as integer) as fiscal_year,
        clean_code(cast(agency_id as varchar)) as agency_code,
        clean_text(agency_name) as agency_name,
        clean_code(cast(service_id as varchar)) as service_code,
        clean_text(service_name) as service_name,
        clean_code(cast(activity_id as varchar)) as activity_code,
        clean_text(activity_name) as activity_name,
        clean_code(cast(fund_id as varchar)) as fund_code,
        clean_text(fund_name) as fund_name,
        clean_code(cast(object_id as varchar)) as object_code,
        clean_text(object_name) as object_name,
        clean_code(cast(outcome_id as varchar)) as outcome_code,
        clean_text(outcome_name) as outcome_name,
        clean_code(cast(subobject_id as varchar)) as subobject_code,
        clean_text(subobject_name) as subobject_name,
        parse_money(amount) as adopted_amount,
        _capture_id
    from raw.baltimore_budget
    unpivot include nulls (amount for amount_column in (columns('^[Ff][Yy]\d+_[Bb][Uu][Dd][Gg][Ee][Tt]$')))
    where amount is not null or right(regexp_extract(amount_column, '\d+'), 2) = right(_edition, 2)
)

select
    hash_id([
        'baltimore', cast(fiscal_year as varchar), coalesce(agency_code, agency_name), service_code, activity_code, fund_code, object_code,
        subobject_code
    ]) as budget_line_id,
    fiscal_year,
    agency_code,
    agency_name,
    service_code,
    service_name,
    activity_code,
    activity_name,
    fund_code,
    fund_name,
    object_code,
    object_name,
    outcome_code,
    outcome_name,
    subobject_code,
    subobject_name,
    adopted_amount,
    _capture_id
from published
