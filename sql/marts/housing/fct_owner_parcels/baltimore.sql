-- Each row is one owner of one parcel, as published. No layer that was seen has an owner, so there are no rows yet.
select
    'baltimore' as city,
    block_lot,
    cast(null as varchar) as owner_name,
    cast(null as varchar) as mailing_address,
    cast(null as varchar) as mailing_zip_code,
    false as is_vacant
from clean.baltimore_real_property
where false
