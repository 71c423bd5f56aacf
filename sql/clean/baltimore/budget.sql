-- Each row is one line of Baltimore's operating budget: one account in one fiscal year, recommended and approved.
with published as (
    select
        try_cast(fiscal_year as integer) as fiscal_year,
        clean_text(department) as agency_name,
        clean_code(fund_id) as fund_code,
        clean_text(fund) as fund_name,
        clean_text(fund_type) as fund_type,
        clean_code(detailed_fund_id) as detailed_fund_code,
        clean_text(detailed_fund_description) as detailed_fund_name,
        clean_code(program_id) as program_code,
        clean_text(service) as service_name,
        clean_text(program) as program_name,
        -- 9999 means no activity.
        nullif(clean_code(activity_id), '9999') as activity_code,
        clean_text(description) as line_description,
        try_cast(obj as integer) as object_number,
        clean_text(expense_category) as expense_category,
        clean_code(sub_object_id) as subobject_code,
        clean_text(expense_type) as expense_type,
        parse_money(recommended_amount) as recommended_amount,
        parse_money(approved_amount) as approved_amount,
        _capture_id
    from raw.baltimore_budget
),

numbered as (
    -- Lines of one account with different amounts are numbered by their amounts; equal lines get the same number.
    select
        *,
        dense_rank() over (
            partition by
                fiscal_year, agency_name, fund_code, detailed_fund_code, program_code, activity_code, line_description,
                object_number, expense_category, subobject_code, expense_type
            order by approved_amount, recommended_amount, fund_name, fund_type, detailed_fund_name, service_name, program_name
        ) as line_number
    from published
)

select
    hash_id([
        'baltimore', cast(fiscal_year as varchar), agency_name, fund_code, detailed_fund_code, program_code, activity_code, line_description,
        cast(object_number as varchar), expense_category, subobject_code, expense_type, cast(line_number as varchar)
    ]) as budget_line_id,
    fiscal_year,
    agency_name,
    fund_code,
    fund_name,
    fund_type,
    detailed_fund_code,
    detailed_fund_name,
    program_code,
    service_name,
    program_name,
    activity_code,
    line_description,
    object_number,
    expense_category,
    subobject_code,
    expense_type,
    recommended_amount,
    approved_amount,
    -- Object 0 is Transfers; its name was published in either column.
    coalesce(object_number = 0 or lower(line_description) = 'transfers' or lower(expense_category) = 'transfers', false) as is_transfer,
    _capture_id
from numbered
