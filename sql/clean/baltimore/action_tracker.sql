-- Each row is one action of the Mayor's first hundred days.
select
    parse_integer("Action #") as action_number,
    clean_text(committee) as committee_name,
    clean_text(action) as action_text,
    clean_text("Parties Responsible") as responsible_parties,
    case lower(clean_text(progress))
        when 'complete' then 'completed'
        when 'completed' then 'completed'
        when 'in progress' then 'in_progress'
        when 'inprogress' then 'in_progress'
        when 'not yet started' then 'not_started'
        when 'planned' then 'planned'
        when 'on hold' then 'on_hold'
        when 'onhold' then 'on_hold'
    end as status,
    progress as _published_progress,
    _capture_id
from raw.baltimore_action_tracker
