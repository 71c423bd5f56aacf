-- Each row is one source of revenue that one city estimates for one fund in one fiscal year. Chicago: local funds.
select
    lines.revenue_line_id,
    'chicago' as city,
    lines.fiscal_year,
    'adopted' as phase,
    funds.fund_id,
    lines.fund_name,
    lines.revenue_group,
    lines.revenue_category,
    lines.revenue_source,
    lines.estimated_amount
from clean.chicago_revenue as lines
left join marts.dim_funds as funds
    on funds.city = 'chicago' and funds.fund_key = lines.fund_code
