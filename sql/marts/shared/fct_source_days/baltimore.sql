-- Each row is one day on which one source has dated rows.
select
    'baltimore' as city,
    'spending' as source,
    payment_date as day,
    count(*) as row_count
from clean.baltimore_spending
group by payment_date
