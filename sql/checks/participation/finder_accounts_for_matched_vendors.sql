-- A returned row is a register whose firms were paid other dollars than the vendors that they probably are.
-- severity: critical
-- subject: participation
-- holds back: marts.mart_mwbe_finder
with matched as (
    select matches.authority, sum(vendors.paid_amount) as paid_amount
    from marts.fct_vendor_certification_matches as matches
    inner join marts.dim_vendors as vendors on vendors.vendor_id = matches.vendor_id
    where matches.is_assigned and matches.match_probability >= 0.5
    group by matches.authority
),

listed as (
    select authority, sum(paid_amount) as paid_amount
    from marts.mart_mwbe_finder
    group by authority
)

select authority, matched.paid_amount, listed.paid_amount as finder_amount
from listed
full join matched using (authority)
where coalesce(matched.paid_amount, 0) <> coalesce(listed.paid_amount, 0)
