-- Each row is one certification of one minority- or women-owned firm, and when it is valid, from the City of Baltimore.
with listings as (
    select
        *,
        row_number() over (
            partition by certification_number, certification_type
            order by certified_date desc nulls last, expiration_date desc nulls last, listing_id
        ) as newest_first
    from clean.baltimore_mwbe
),

certified_trades as (
    select
        certification_number,
        certification_type,
        string_agg(distinct trade_name, ' | ' order by trade_name) as trades
    from clean.baltimore_mwbe
    group by certification_number, certification_type
),

certifications as (
    -- A certification with several trades is one row; its newest listing has the valid period.
    select
        'baltimore' as authority,
        newest.certification_number,
        newest.certification_type,
        newest.certification_status,
        newest.firm_name,
        newest.owner_group,
        trades.trades,
        newest.county,
        newest.zip_code,
        coalesce(newest.first_certified_date, newest.certified_date) as valid_from,
        coalesce(newest.extension_date, newest.expiration_date) as valid_to,
        coalesce(
            coalesce(newest.first_certified_date, newest.certified_date) <= coalesce(newest.extension_date, newest.expiration_date)
            and coalesce(newest.certified_date <= coalesce(newest.extension_date, newest.expiration_date), true),
            false
        ) as is_valid_period
    from listings as newest
    left join certified_trades as trades
        on newest.certification_number = trades.certification_number
        and newest.certification_type is not distinct from trades.certification_type
    where newest.newest_first = 1
)

select
    hash_id([authority, certification_number, certification_type]) as certification_id,
    hash_id([authority, normalize_name(firm_name)]) as firm_id,
    authority,
    certification_number,
    certification_type,
    certification_status,
    firm_name,
    normalize_name(firm_name) as normalized_name,
    owner_group,
    trades,
    county,
    zip_code,
    valid_from,
    valid_to,
    is_valid_period
from certifications
