-- Masking of small groups of people: no published number is about fewer than five, and none of them can be computed from a total.

-- Whether a group is masked: it has fewer than five people, or it follows such groups until at least two groups and five people are masked
-- together. The groups of one total are ordered by headcount; `headcount_before` is the sum of those before a group:
-- (4, 0) -> true, (9, 4) -> true, (9, 13) -> false, (2, 2) -> true, (9, 3) -> true, (5, 0) -> false
create or replace macro is_masked_group(headcount, headcount_before) as (
    headcount < 5 or headcount_before between 1 and 4
);

-- A decile of a group, rounded to the cent, if each tenth of the group has at least five people; else null: (50, 100.006) -> 100.01, (49, 100) -> null
create or replace macro decile_of_group(headcount, value) as (
    case when headcount >= 50 then cast(round(value, 2) as decimal(18, 2)) end
);
