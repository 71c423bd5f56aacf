-- Each row is one appropriation of Chicago's annual budget ordinance.
select
    hash_id([
        'chicago', _edition, clean_text(fund_code), clean_text(department_number),
        clean_text(appropriation_authority), clean_text(appropriation_account)
    ]) as budget_line_id,
    parse_integer(_edition) as fiscal_year,
    clean_text(fund_type) as fund_type,
    clean_text(fund_code) as fund_code,
    clean_text(fund_description) as fund_name,
    clean_code(department_number) as department_number,
    clean_text(department_description) as department_name,
    clean_text(appropriation_authority) as authority_code,
    clean_text(appropriation_authority_description) as authority_name,
    -- Until 2017 the codes have lost their leading zeros: 5 is 0005, Salaries and Wages.
    case
        when regexp_matches(clean_text(appropriation_account), '^\d{1,3}$') then lpad(clean_text(appropriation_account), 4, '0')
        else clean_text(appropriation_account)
    end as account_code,
    clean_text(appropriation_account_description) as account_name,
    parse_money(_ordinance_amount_) as adopted_amount,
    coalesce(regexp_matches(lower(clean_text(appropriation_account_description)), '^(to reimburse|transfers?) '), false) as is_transfer,
    _capture_id
from raw.chicago_budget
