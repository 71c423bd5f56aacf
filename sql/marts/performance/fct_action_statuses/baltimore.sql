-- Each row is the status of one action or initiative of a plan on the day of one capture. Baltimore: the tracker of the first hundred days; of the initiatives of 2026 no status is published.
-- allow total_order: an action is once in a capture
with observed as (
    select
        '100 Days of Action' as plan,
        committee_name as pillar_code,
        cast(action_number as varchar) as action_code,
        action_text as title,
        responsible_parties,
        status,
        cast(_captured_at as date) as as_of_date,
        _captured_at,
        _capture_id
    from clean_history.baltimore_action_tracker
    union all
    select
        '2026 Action Plan' as plan,
        goal_code as pillar_code,
        goal_code || '-' || cast(sort_order as varchar) as action_code,
        title,
        cast(null as varchar) as responsible_parties,
        cast(null as varchar) as status,
        cast(_captured_at as date) as as_of_date,
        _captured_at,
        _capture_id
    from clean_history.baltimore_action_plan
    where item_kind = 'initiative'
),

compared as (
    select *, lag(coalesce(status, '')) over (partition by plan, action_code order by _captured_at, _capture_id) as previous_status
    from observed
),

changes as (
    select *, case when previous_status = coalesce(status, '') then null else as_of_date end as changed_date
    from compared
)

select
    hash_id(['baltimore', plan, action_code, _capture_id]) as action_status_id,
    'baltimore' as city,
    plan,
    hash_id(['baltimore', plan, pillar_code]) as pillar_goal_id,
    action_code,
    title,
    responsible_parties,
    as_of_date,
    status,
    case
        when status is not null
            then date_diff('day', max(changed_date) over (partition by plan, action_code order by _captured_at, _capture_id), as_of_date)
    end as days_in_status,
    _captured_at = max(_captured_at) over (partition by plan, action_code) as is_newest,
    case when status is null then 'The city does not publish the statuses of this plan' end as not_published
from changes
