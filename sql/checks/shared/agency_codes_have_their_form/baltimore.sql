-- A returned row is an agency whose code does not have the form of Baltimore's codes: AGC and four digits.
-- severity: warning
-- subject: shared
-- holds back: marts.dim_agencies
select city, agency_code, agency_name
from marts.dim_agencies
where city = 'baltimore' and not regexp_matches(agency_code, '^(AGC[0-9]{4}|citywide|unmatched)$')
