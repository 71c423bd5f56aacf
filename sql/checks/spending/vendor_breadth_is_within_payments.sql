-- A returned row is a vendor and fiscal year with more payments or agencies than its spending shows.
-- severity: critical
-- subject: spending
-- holds back: marts.fct_vendor_breadth
select breadth.city, breadth.fiscal_year, breadth.vendor_id, breadth.payment_count, spent.payment_count as spent_count
from marts.fct_vendor_breadth as breadth
left join marts.mart_spend_by_vendor as spent using (city, fiscal_year, vendor_id)
where
    spent.vendor_id is null
    or breadth.payment_count > spent.payment_count
    or breadth.agency_count > spent.agency_count
