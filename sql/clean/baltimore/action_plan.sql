-- Each row is one pillar, goal or initiative of the Mayor's Action Plan of 2026.
select
    hash_id(['baltimore', '2026 Action Plan', _edition, coalesce(clean_text(goal_code), clean_text(pillar_id)),
        case when _edition = 'initiatives' then clean_text(sort_order) end]) as item_id,
    case _edition when 'pillars' then 'pillar' when 'goals' then 'goal' when 'initiatives' then 'initiative' end as item_kind,
    -- The code of a goal begins with the number of its pillar; it looks like a decimal and is none.
    coalesce(clean_text(pillar_id), nullif(regexp_extract(clean_text(goal_code), '^(\d+)[.]', 1), '')) as pillar_code,
    clean_text(goal_code) as goal_code,
    coalesce(clean_text(initiative_title), clean_text(goal_title), clean_text(pillar_name)) as title,
    coalesce(clean_text(goal_lead), clean_text(pillar_lead)) as lead_office,
    clean_text(summary) as summary,
    clean_text(overview) as overview,
    parse_integer(sort_order) as sort_order,
    _capture_id
from raw.baltimore_action_plan
