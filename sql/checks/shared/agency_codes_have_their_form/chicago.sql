-- A returned row is an agency whose code is not written as its city writes codes: a number in Chicago.
-- severity: warning
-- subject: shared
-- holds back: marts.dim_agencies
select city, agency_code, agency_name
from marts.dim_agencies
where city = 'chicago' and not regexp_matches(agency_code, '^([0-9]{1,3}|unmatched)$')
