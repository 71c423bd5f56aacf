-- A returned row is a city whose labelled cases were lost or multiplied between the reviewed list, the cases and the quality of the tests.
-- severity: critical
-- subject: spending
-- holds back: marts.mart_integrity_test_quality
with listed as (
    select city, count(*) as case_count
    from seeds.labelled_payment_cases
    group by city
),

cases as (
    select city, count(*) as case_count, count(*) filter (where is_published) as published_count
    from marts.fct_labelled_cases
    group by city
),

quality as (
    -- Rows of a tier repeat cases of the test.
    select city, sum(true_count + false_count) as published_count
    from marts.mart_integrity_test_quality
    where origin = 'all' and not regexp_matches(test, ' D\d$')
    group by city
)

select city, listed.case_count as listed_count, cases.case_count, cases.published_count, quality.published_count as quality_count
from listed
full join cases using (city)
full join quality using (city)
where listed.case_count is distinct from cases.case_count
    or coalesce(cases.published_count, 0) <> coalesce(quality.published_count, 0)
