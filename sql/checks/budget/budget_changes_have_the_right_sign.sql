-- A returned row is an agency whose budget grew but has a negative change, or fell but has a positive one.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_budget_by_agency
select city, fiscal_year, phase, agency_name, previous_amount, appropriated_amount, change_rate
from marts.mart_budget_by_agency
where change_rate is not null and sign(change_rate) <> sign(appropriated_amount - previous_amount)
