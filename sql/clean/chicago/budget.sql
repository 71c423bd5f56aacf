-- Each row is one appropriation of Chicago's annual budget ordinance.
select
    hash_id([
        'chicago', _edition, four_characters(clean_text(fund_code)), clean_text(department_number),
        clean_text(appropriation_authority), clean_text(appropriation_account)
    ]) as budget_line_id,
    parse_integer(_edition) as fiscal_year,
    clean_text(fund_type) as fund_type,
    four_characters(clean_text(fund_code)) as fund_code,
    clean_text(fund_description) as fund_name,
    clean_code(department_number) as department_number,
    clean_text(department_description) as department_name,
    clean_text(appropriation_authority) as authority_code,
    clean_text(appropriation_authority_description) as authority_name,
    four_characters(clean_text(appropriation_account)) as account_code,
    clean_text(appropriation_account_description) as account_name,
    parse_money(_ordinance_amount_) as adopted_amount,
    coalesce(regexp_matches(lower(clean_text(appropriation_account_description)), '^(to reimburse|transfers?) '), false) as is_transfer,
    _capture_id
from raw.chicago_budget
