-- Each row is one source of revenue of one local fund in Chicago's annual budget ordinance.
select
    hash_id([
        'chicago', _edition, clean_text(fund_code), clean_text(revenue_group_type), clean_text(revenue_category), clean_text(revenue_source)
    ]) as revenue_line_id,
    parse_integer(_edition) as fiscal_year,
    clean_text(fund_code) as fund_code,
    clean_text(fund_name) as fund_name,
    clean_text(revenue_group_type) as revenue_group,
    clean_text(revenue_category) as revenue_category,
    clean_text(revenue_source) as revenue_source,
    parse_money(estimated_revenue) as estimated_amount,
    _capture_id
from raw.chicago_revenue
