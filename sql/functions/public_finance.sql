-- Public finance: rates of change, and the grades of PEFA (Public Expenditure and Financial Accountability, framework of 2016).

-- The change from an old to a new amount as a share of the old one; an increase is positive, also from a negative amount:
-- (250, 200) -> 0.25, (150, 200) -> -0.25, (-50, -100) -> 0.5, (1, 0) -> null, (1, null) -> null
create or replace macro change_rate(new_amount, old_amount) as (
    round(cast((new_amount - old_amount) / abs(nullif(old_amount, 0)) as double), 12)
);

-- PEFA PI-1, one year: what was spent / what was budgeted: 0.95 to 1.05 -> 'A', 0.90 to 1.10 -> 'B', 0.85 to 1.15 -> 'C', else 'D'.
-- `deviation` is the distance from 1: 0.05 -> 'A', 0.1 -> 'B', 0.15 -> 'C', 0.16 -> 'D', null -> null
create or replace macro pefa_outturn_grade(deviation) as (
    case
        when deviation <= 0.05 then 'A'
        when deviation <= 0.10 then 'B'
        when deviation <= 0.15 then 'C'
        when deviation is not null then 'D'
    end
);

-- PEFA PI-2, one year: 0.049 -> 'A', 0.05 -> 'B', 0.099 -> 'B', 0.1 -> 'C', 0.149 -> 'C', 0.15 -> 'D', null -> null
create or replace macro pefa_composition_grade(variance) as (
    case
        when variance < 0.05 then 'A'
        when variance < 0.10 then 'B'
        when variance < 0.15 then 'C'
        when variance is not null then 'D'
    end
);
