-- Numbers of invoices, for comparing them.

-- The form in which the numbers that one vendor gives to its invoices are compared, without signs and leading zeros:
-- 'INV-000123', 'inv 123' -> 'INV123', '007/A' -> '7A', '---' -> null
create or replace macro invoice_key(text) as (
    nullif(regexp_replace(regexp_replace(upper(text), '[^A-Z0-9]', '', 'g'), '(^|[A-Z])0+(\d)', '\1\2', 'g'), '')
);

-- Whether an invoice key is a day, which many vendors use as a number: '20240305', '3052024' -> true, '12345', 'INV20240305' -> false
create or replace macro is_day_number(key) as (
    regexp_matches(key, '^(20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])|([1-9]|1[0-2])(0[1-9]|[12]\d|3[01])20\d\d)$')
);
