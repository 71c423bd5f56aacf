-- A returned row is a subject whose official figures were lost or multiplied between the reviewed list and the comparison.
-- severity: critical
-- subject: reconciliation
-- holds back: marts.mart_reconciliations
with listed as (
    select subject, count(*) as figure_count, sum(parse_decimal(official_value)) as official_value
    from seeds.official_figures
    group by subject
),

compared as (
    select subject, count(*) as figure_count, sum(official_value) as official_value
    from marts.mart_reconciliations
    group by subject
)

select subject, listed.figure_count, compared.figure_count as compared_count, listed.official_value, compared.official_value as compared_value
from listed
full join compared using (subject)
where listed.figure_count is distinct from compared.figure_count or listed.official_value is distinct from compared.official_value
