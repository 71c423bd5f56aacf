-- Each row is one figure that an official source states, beside ours.
with stated as (
    select
        figure_id,
        city,
        subject,
        measure,
        figure,
        parse_integer(fiscal_year) as fiscal_year,
        parse_integer(fiscal_quarter) as fiscal_quarter,
        parse_date(as_of) as as_of_date,
        parse_decimal(official_value) as official_value,
        unit,
        source,
        parse_date(source_date) as source_date,
        parse_decimal(explained_from) as explained_from,
        parse_decimal(explained_to) as explained_to,
        reason
    from seeds.official_figures
),

budgets as (
    select
        city,
        fiscal_year,
        sum(appropriated_amount) as adopted_amount,
        sum(appropriated_amount + not_counted_amount) as published_amount
    from marts.mart_budget_by_agency
    where phase = 'adopted'
    group by city, fiscal_year
),

general_funds as (
    select lines.city, lines.fiscal_year, sum(lines.appropriated_amount) as adopted_amount
    from marts.fct_budget_lines as lines
    inner join marts.dim_funds as funds using (fund_id)
    where lines.phase = 'adopted' and funds.gasb_fund_type = 'General Fund'
    group by lines.city, lines.fiscal_year
),

nearest_lists as (
    -- The list captured nearest to the day, within a week.
    select
        stated.city,
        stated.fiscal_year,
        min_by(
            lists.row_count,
            (abs(date_diff('day', stated.as_of_date, cast(lists.listed_at as date))), lists.capture_id)
        ) as notice_count
    from stated
    inner join marts.fct_vacancy_lists as lists
        on lists.city = stated.city
        and cast(lists.listed_at as date) between stated.as_of_date - 7 and stated.as_of_date + 7
    where stated.measure = 'vacant_notices'
    group by stated.city, stated.fiscal_year
),

participation as (
    select
        city,
        fiscal_year,
        fiscal_quarter,
        max(expected_amount) filter (where denominator = 'all') as certified_amount,
        max(expected_share) filter (where denominator = 'eligible') as certified_share
    from marts.mart_mwbe_participation
    where breakdown = 'city' and certified_group = 'unduplicated'
    group by city, fiscal_year, fiscal_quarter
),

covered as (
    select city, fiscal_year, cast(null as integer) as fiscal_quarter, count(*) as covered_months, 12 as all_months
    from marts.dim_coverage
    where source = 'spending' and status = 'complete'
    group by city, fiscal_year
    union all
    select city, fiscal_year, cast((fiscal_period + 2) // 3 as integer) as fiscal_quarter, count(*) as covered_months, 3 as all_months
    from marts.dim_coverage
    where source = 'spending' and status = 'complete'
    group by city, fiscal_year, cast((fiscal_period + 2) // 3 as integer)
),

figures as (
    select city, fiscal_year, cast(null as integer) as fiscal_quarter, 'adopted_budget' as measure, cast(adopted_amount as decimal(38, 6)) as our_value
    from budgets
    union all
    select city, fiscal_year, null as fiscal_quarter, 'published_budget' as measure, cast(published_amount as decimal(38, 6)) as our_value
    from budgets
    union all
    select city, fiscal_year, null as fiscal_quarter, 'adopted_general_fund' as measure, cast(adopted_amount as decimal(38, 6)) as our_value
    from general_funds
    union all
    select city, fiscal_year, null as fiscal_quarter, 'vacant_notices' as measure, cast(notice_count as decimal(38, 6)) as our_value
    from nearest_lists
    union all
    select city, fiscal_year, fiscal_quarter, 'certified_payments' as measure, cast(certified_amount as decimal(38, 6)) as our_value
    from participation
    union all
    select city, fiscal_year, fiscal_quarter, 'certified_share' as measure, cast(certified_share as decimal(38, 6)) as our_value
    from participation
),

ours as (
    select
        *,
        case
            when measure in ('adopted_budget', 'published_budget') then 'marts.mart_budget_by_agency'
            when measure = 'adopted_general_fund' then 'marts.fct_budget_lines'
            when measure = 'vacant_notices' then 'marts.fct_vacancy_lists'
            else 'marts.mart_mwbe_participation'
        end as our_table
    from figures
),

compared as (
    select
        stated.figure_id,
        stated.city,
        stated.subject,
        stated.measure,
        stated.figure,
        stated.fiscal_year,
        stated.fiscal_quarter,
        stated.as_of_date,
        cast(stated.official_value as decimal(38, 4)) as official_value,
        cast(ours.our_value as decimal(38, 4)) as our_value,
        cast(ours.our_value - stated.official_value as decimal(38, 4)) as difference,
        stated.unit,
        case
            when ours.our_value is null then 'no_own_figure'
            when ours.our_value = stated.official_value then 'equal'
            when ours.our_value - stated.official_value between stated.explained_from and stated.explained_to then 'explained'
            else 'unexplained'
        end as status,
        stated.reason as reviewed_reason,
        case
            when covered.covered_months < covered.all_months
                then 'The checkbook covers ' || covered.covered_months || ' of the ' || covered.all_months || ' months.'
        end as coverage_reason,
        ours.our_table,
        stated.source,
        stated.source_date
    from stated
    left join ours
        on ours.city = stated.city
        and ours.fiscal_year = stated.fiscal_year
        and ours.measure = stated.measure
        and ours.fiscal_quarter is not distinct from stated.fiscal_quarter
    left join covered
        on stated.measure in ('certified_payments', 'certified_share')
        and covered.city = stated.city
        and covered.fiscal_year = stated.fiscal_year
        and covered.fiscal_quarter is not distinct from stated.fiscal_quarter
)

select
    figure_id,
    city,
    subject,
    measure,
    figure,
    fiscal_year,
    fiscal_quarter,
    as_of_date,
    official_value,
    our_value,
    difference,
    unit,
    status,
    case status
        when 'no_own_figure' then 'Our tables have no figure for this period.'
        when 'equal' then 'The figures are equal.'
        when 'explained' then reviewed_reason
        else 'unexplained'
    end as reason,
    case when status = 'unexplained' then nullif(concat_ws(' ', coverage_reason, reviewed_reason), '') end as possible_reason,
    our_table,
    source,
    source_date
from compared
