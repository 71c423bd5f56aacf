-- Each row is one day by which rows of one source are dated.
select
    'baltimore' as city,
    'spending' as source,
    payment_date as day,
    count(*) as row_count
from clean.baltimore_spending
group by payment_date
