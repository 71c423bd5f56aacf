-- Masking of small groups of people: no published number is about fewer than five, and none of them can be computed from a total.

-- Whether a group is masked: it has fewer than five people, or it is added to such groups until at least two groups and five people are
-- masked together. The groups of one total are ordered by headcount: `group_rank` in this order, `headcount_before` as the sum of the
-- groups before it, `smallest` as the headcount of the first. (4, 1, 0, 4) -> true, (9, 2, 4, 4) -> true, (9, 3, 13, 4) -> false,
-- (2, 2, 1, 1) -> true, (9, 3, 3, 1) -> true, (5, 1, 0, 5) -> false
create or replace macro is_masked_group(headcount, group_rank, headcount_before, smallest) as (
    headcount < 5 or (smallest < 5 and (group_rank <= 2 or headcount_before < 5))
);

-- A decile of a group, rounded to the cent, if each tenth of the group has at least five people; else null: (50, 100.006) -> 100.01, (49, 100) -> null
create or replace macro decile_of_group(headcount, value) as (
    case when headcount >= 50 then cast(round(value, 2) as decimal(18, 2)) end
);
