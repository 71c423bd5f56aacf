-- Each row is one spelling of a payee in the payments of one city, with its vendor and the reason why the two were merged.
with reviewed as (
    -- Decisions of a person, for what no rule sees: a firm that changed its name, a misspelling.
    select
        city,
        name_key(raw_name) as name_key,
        min(vendor_key(vendor_name)) as reviewed_key,
        min(reason) as review_reason
    from seeds.vendor_merges
    group by city, name_key(raw_name)
),

spelled as (
    select
        city,
        raw_name,
        is_redacted,
        split_count,
        case when is_redacted then 'REDACTED' else coalesce(vendor_key(raw_name), raw_name) end as spelled_key,
        case when not is_redacted then trade_name_key(raw_name) end as trade_key,
        name_key(raw_name) as name_key,
        normalize_name(raw_name) as normalized_name
    from marts.fct_payee_names
),

names as (
    select
        spelled.city,
        spelled.raw_name,
        spelled.is_redacted,
        spelled.split_count,
        spelled.spelled_key,
        spelled.trade_key,
        spelled.name_key,
        spelled.normalized_name,
        coalesce(reviewed.reviewed_key, spelled.spelled_key) as own_key,
        reviewed.review_reason
    from spelled
    left join reviewed
        on reviewed.city = spelled.city and reviewed.name_key = spelled.name_key and not spelled.is_redacted
),

trade_names as (
    -- A trade name that two firms use says nothing about who was paid.
    select city, trade_key, min(own_key) as legal_key
    from names
    where trade_key is not null and trade_key <> own_key
    group by city, trade_key
    having count(distinct own_key) = 1
),

merged as (
    select
        names.city,
        names.raw_name,
        names.is_redacted,
        names.split_count,
        names.spelled_key,
        names.own_key,
        names.name_key,
        names.normalized_name,
        names.review_reason,
        coalesce(trade_names.legal_key, names.own_key) as vendor_key
    from names
    left join trade_names
        on trade_names.city = names.city and trade_names.trade_key = names.own_key and not names.is_redacted
),

shown as (
    -- allow total_order: city and raw_name name a row
    -- The most frequent spelling; of equally frequent ones the first in the alphabet.
    select city, vendor_key, raw_name, spelled_key, own_key, name_key, normalized_name, review_reason
    from merged
    qualify row_number() over (partition by city, vendor_key order by split_count desc, raw_name) = 1
)

select
    merged.city,
    merged.raw_name,
    hash_id([merged.city, merged.vendor_key]) as vendor_id,
    merged.vendor_key,
    shown.raw_name as vendor_name,
    case
        when merged.is_redacted then 'redacted'
        when merged.raw_name = shown.raw_name then 'same spelling'
        when merged.name_key = shown.name_key then 'capitals or punctuation'
        when merged.normalized_name = shown.normalized_name then 'legal form or abbreviation'
        when merged.spelled_key = shown.spelled_key then 'blanks or leading THE'
        when merged.own_key = shown.own_key then 'reviewed'
        else 'trade name'
    end as merge_reason,
    case
        when merged.spelled_key <> shown.spelled_key and merged.own_key = shown.own_key
            then coalesce(merged.review_reason, shown.review_reason)
    end as review_reason,
    merged.split_count
from merged
inner join shown
    on shown.city = merged.city and shown.vendor_key = merged.vendor_key
