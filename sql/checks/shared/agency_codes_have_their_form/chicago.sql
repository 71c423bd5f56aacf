-- A returned row is an agency whose code does not have the form of Chicago's codes: a number.
-- severity: warning
-- subject: shared
-- holds back: marts.dim_agencies
select city, agency_code, agency_name
from marts.dim_agencies
where city = 'chicago' and not regexp_matches(agency_code, '^([0-9]{1,3}|unmatched)$')
