"""The macros of `sql/functions/`, value by value."""

import hashlib
import math
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from formulas import empty_warehouse
from hypothesis import given
from hypothesis import strategies as st

from civic_pipeline.settings import CHECKOUT


@pytest.fixture(scope="module")
def call() -> Callable[..., object]:
    """Calls a macro with its values."""
    connection = empty_warehouse()
    return lambda macro, *values: connection.execute(
        f"select {macro}({', '.join('?' * len(values))})", list(values)
    ).fetchone()[0]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234.5", "1234.50"),
        ("$1,234.50", "1234.50"),
        (" $ 1,234,567.89 ", "1234567.89"),
        ("(12.00)", "-12.00"),
        ("($1,234.50)", "-1234.50"),
        ("-$5", "-5.00"),
        ("$-5", "-5.00"),
        (".5", "0.50"),
        ("0", "0.00"),
    ],
)
def test_money_is_read_in_every_notation_of_the_ledger(call: Callable[..., object], text: str, amount: str) -> None:
    assert call("parse_money", text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    ["n/a", "#REF!", "", "-", "TBD", "1,5", "12,34", "1e5", "--5", "(5", "1.2.3", "9" * 20, "5e-2", "9e-3", None],
)
def test_what_is_not_money_is_null_and_never_a_guess(call: Callable[..., object], text: str | None) -> None:
    assert call("parse_money", text) is None


def test_money_that_is_a_number_already_is_rounded_to_the_cent(call: Callable[..., object]) -> None:
    assert call("parse_money", Decimal("541648.000000000000000000")) == Decimal("541648.00")
    assert call("parse_money", Decimal("-0.005000000000000000")) == Decimal("-0.01")


@pytest.mark.parametrize(
    ("double", "amount"),
    [
        (2.9e-11, "0.00"),
        (-2.9e-11, "0.00"),
        (5e-05, "0.00"),
        (0.0, "0.00"),
        (1234.5, "1234.50"),
        (1.005, "1.01"),
        (-3e-05, "0.00"),
        (5e-324, "0.00"),
    ],
)
def test_money_that_is_a_double_is_read_whatever_its_notation(
    call: Callable[..., object], double: float, amount: str
) -> None:
    assert call("parse_money", double) == Decimal(amount)


@given(cents=st.integers(min_value=-(10**15), max_value=10**15))
def test_money_survives_every_way_of_writing_it(call: Callable[..., object], cents: int) -> None:
    amount = Decimal(cents) / 100
    shown = f"{abs(amount):,.2f}"
    sign = "-" if cents < 0 else ""
    for text in (f"{amount:.2f}", f"{sign}${shown}", f"  {sign}{shown} ", f"({shown})" if cents < 0 else shown):
        assert call("parse_money", text) == amount


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-05", date(2024, 3, 5)),
        ("2024-03-05T14:30:00.000", date(2024, 3, 5)),
        ("2024-03-05 23:59:59+00", date(2024, 3, 5)),
        ("3/5/2024", date(2024, 3, 5)),
        ("03/05/2024", date(2024, 3, 5)),
        (" 12/31/2023 ", date(2023, 12, 31)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024/03/05 23:59:59+00", date(2024, 3, 5)),
        ("March 5, 2024", date(2024, 3, 5)),
    ],
)
def test_dates_are_read_in_every_notation(call: Callable[..., object], text: str, day: date) -> None:
    assert call("parse_date", text) == day


@pytest.mark.parametrize(
    "text",
    [
        "13/45/2024",
        "2023-02-29",
        "02/30/2024",
        "0000-00-00",
        "0000-01-01",
        "0000/01/01",
        "01/01/0000",
        "January 1, 0000",
        "0202-01-01",
        "TBD",
        "",
        "2024-03-05 noon",
        "20240305",
        "3/5/24",
        "2024/13/05",
        "Marz 5, 2024",
        None,
    ],
)
def test_what_is_no_real_day_is_null(call: Callable[..., object], text: str | None) -> None:
    assert call("parse_date", text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01/01/21507", date(2007, 2, 15)),
        ("01/01/121609", date(2009, 12, 16)),
        ("01/01/93088", date(1988, 9, 30)),
        ("01/01/10100", date(2000, 1, 1)),
        ("01/01/2009", None),  # a day, not a mangled one
        ("01/01/133107", None),
        ("02/01/21507", None),
        (None, None),
    ],
)
def test_a_mangled_date_is_read_from_the_digits_of_its_year(
    call: Callable[..., object], text: str | None, day: date | None
) -> None:
    assert call("mangled_date", text) == day


@given(day=st.dates(min_value=date(1970, 1, 1), max_value=date(2015, 12, 31)))
def test_every_day_survives_the_mangling(call: Callable[..., object], day: date) -> None:
    assert call("mangled_date", f"01/01/{day.month}{day:%d%y}") == day


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0702 050", "0702|050"),
        ("0702050", "0702|050"),
        (" 702 50", "0702|050"),
        ("4511H077", "4511H|077"),
        ("4511h 077b", "4511H|077B"),
        ("0702050A", "0702|050A"),
        ("1 1", "0001|001"),
        ("6E54 016", None),
        ("070205", None),  # 0702 05 or 070 205
        ("0702", None),
        ("", None),
        (None, None),
    ],
)
def test_a_property_is_recognised_however_block_and_lot_were_joined(
    call: Callable[..., object], text: str | None, key: str | None
) -> None:
    assert call("block_lot", text) == key


@given(day=st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31)))
def test_every_day_is_read_back_from_both_notations(call: Callable[..., object], day: date) -> None:
    for text in (day.isoformat(), f"{day.month}/{day.day}/{day.year}", f"{day:%m/%d/%Y}"):
        assert call("parse_date", text) == day


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("99%", 0.99),
        ("0.84", 0.84),
        ("93", 0.93),
        ("104%", 1.04),
        ("1", 1.0),
        ("100", 1.0),
        (" 51 % ", 0.51),
        (".5%", 0.005),
        ("-5%", -0.05),
    ],
)
def test_percentages_become_shares(call: Callable[..., object], text: str, share: float) -> None:
    assert call("parse_share", text) == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("text", ["9999", "9999%", "58380951.34", "N/A", "TBD", "", "%", "1-2", None])
def test_sentinels_and_other_units_are_no_share(call: Callable[..., object], text: str | None) -> None:
    assert call("parse_share", text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Smith & Sons Constr. Co., Inc.", "SMITH AND SONS CONSTRUCTION"),
        ("ACME L.L.C. d/b/a Ace Signs", "ACME"),
        ("ACME, LLC DBA Ace Signs", "ACME"),
        ("CO-OP MARKET", "CO OP MARKET"),
        ("Jones Assoc Mgmt Svcs", "JONES ASSOCIATES MANAGEMENT SERVICES"),
        ("O'Neil   Paving, P.C.", "ONEIL PAVING"),
        ("José Peña, LTD", "JOSE PENA"),
        ("Inc", "INC"),
        ("  ", None),
        (None, None),
    ],
)
def test_names_of_one_organisation_become_one(call: Callable[..., object], text: str | None, name: str | None) -> None:
    assert call("normalize_name", text) == name


@given(name=st.text(max_size=40))
def test_a_normalized_name_stays_as_it_is(call: Callable[..., object], name: str) -> None:
    once = call("normalize_name", name.replace("\x00", ""))
    assert call("normalize_name", once) == once


def test_text_is_trimmed_and_empty_text_is_null(call: Callable[..., object]) -> None:
    assert call("clean_text", "  Police \u00a0\t Dept ") == "Police Dept"
    assert call("clean_text", " \u00a0 ") is None
    assert call("clean_text", "\ufeffPo\u00adlice\u2009\u200b Dept\u202f\u3000\u200e") == "Police Dept"
    assert call("clean_text", "\u200b\u2060") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0771", "771"),
        (" 1 ", "1"),
        ("000", "0"),
        ("04002A", "4002A"),
        ("GA00", "GA00"),
        ("", None),
        ("0771.0", "771"),
        ("77.10", "77.10"),
    ],
)
def test_codes_lose_their_padding(call: Callable[..., object], text: str, code: str | None) -> None:
    assert call("clean_code", text) == code


@pytest.mark.parametrize(
    ("day", "first_month", "year", "period"),
    [
        (date(2023, 6, 30), 7, 2023, 12),
        (date(2023, 7, 1), 7, 2024, 1),
        (date(2023, 12, 31), 7, 2024, 6),
        (date(2024, 1, 1), 7, 2024, 7),
        (date(2023, 1, 1), 1, 2023, 1),
        (date(2023, 12, 31), 1, 2023, 12),
        (date(2023, 9, 30), 10, 2023, 12),
        (date(2023, 10, 1), 10, 2024, 1),
        (date(2024, 1, 31), 10, 2024, 4),
    ],
)
def test_a_fiscal_year_begins_in_the_month_it_is_given(
    call: Callable[..., object], day: date, first_month: int, year: int, period: int
) -> None:
    assert (call("fiscal_year", day, first_month), call("fiscal_period", day, first_month)) == (year, period)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("General Fund", "GENERAL"),
        (" general ", "GENERAL"),
        ("Special Revenue Funds", "SPECIAL REVENUE"),
        (None, "(BLANK)"),
    ],
)
def test_a_fund_is_known_by_its_name_in_every_source(call: Callable[..., object], text: str | None, key: str) -> None:
    assert call("fund_key", text) == key


def test_ids_tell_apart_what_joins_to_the_same_text() -> None:
    connection = empty_warehouse()
    naturals = ["'a|', 'b'", "'a', '|b'", "'a', null, 'b'", "'a', '', 'b'", "'a', 'null', 'b'"]
    ids = connection.execute(" union ".join(f"select hash_id([{parts}])" for parts in naturals)).fetchall()
    assert len(ids) == len(naturals)


VECTORS = re.findall(
    r"^\| `(.+?)` \| `(.+?)` \| `([0-9a-f]{32})` \|$",
    (CHECKOUT / "docs" / "ids.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def by_the_rule(parts: list[str | None]) -> str:
    """The rule of docs/ids.md, written without a database."""
    escapes = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    texts = ["null" if part is None else '"' + "".join(escapes.get(c, c) for c in part) + '"' for part in parts]
    return hashlib.md5(f"[{','.join(texts)}]".encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(("parts", "hashed", "expected"), VECTORS)
def test_the_vectors_of_the_page_hold_in_the_macro_and_without_a_database(
    parts: str, hashed: str, expected: str
) -> None:
    assert empty_warehouse().execute(f"select hash_id([{parts}])").fetchone() == (expected,)
    assert hashlib.md5(hashed.encode(), usedforsecurity=False).hexdigest() == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " a",
        "O'Brien",
        'say "x"',
        "back\\slash",
        "a\tb\nc\rd",
        "\x01\x1f",
        "é",
        "e\u0301",
        "日本",
        "😀",
        "'",
        "[,]",
        "null",
    ],
)
def test_any_text_gives_the_id_of_the_rule(text: str) -> None:
    row = empty_warehouse().execute("select hash_id([?, null, ?])", [text, text]).fetchone()
    assert row == (by_the_rule([text, None, text]),)


@pytest.mark.parametrize(
    ("text", "number", "release"),
    [
        ("P503784:0", "P503784", "0"),
        (" p503784:12 ", "P503784", "12"),
        ("P503784", "P503784", None),
        ("SCON-1234", "SCON-001234", None),
        ("scon001234", "SCON-001234", None),
        ("bpo  77", "BPO 77", None),
        ("P503784:", "P503784:", None),
        (" ", None, None),
        (None, None, None),
    ],
)
def test_contract_numbers_are_split_from_their_release(
    call: Callable[..., object], text: str | None, number: str | None, release: str | None
) -> None:
    assert (call("contract_number", text), call("contract_release", text)) == (number, release)


@pytest.mark.parametrize(
    ("text", "number"), [("0.0956", "0.0956"), (" 216.687 ", "216.687"), ("-12", "-12"), ("17100000000", "17100000000")]
)
def test_plain_numbers_of_seeds_keep_their_decimals(call: Callable[..., object], text: str, number: str) -> None:
    assert call("parse_decimal", text) == Decimal(number)


@pytest.mark.parametrize("text", ["1,000", "1e5", "n/a", "", ".5", "0_1", "1.2345678", None])
def test_what_is_no_plain_number_is_null(call: Callable[..., object], text: str | None) -> None:
    assert call("parse_decimal", text) is None


def test_an_increase_has_a_positive_rate(call: Callable[..., object]) -> None:
    assert call("change_rate", 250, 200) == 0.25
    assert call("change_rate", 150, 200) == -0.25
    assert call("change_rate", -50, -100) == 0.5
    assert call("change_rate", Decimal("1.00"), Decimal("0.00")) is None
    assert call("change_rate", 1, None) is None


@pytest.mark.parametrize(
    ("distance", "outturn", "composition"),
    [(0.0, "A", "A"), (0.05, "A", "B"), (0.1, "B", "C"), (0.15, "C", "D"), (0.16, "D", "D"), (None, None, None)],
)
def test_pefa_bounds_belong_to_the_better_grade_in_pi_1_and_to_the_worse_in_pi_2(
    call: Callable[..., object], distance: float | None, outturn: str | None, composition: str | None
) -> None:
    assert call("pefa_outturn_grade", distance) == outturn
    assert call("pefa_composition_grade", distance) == composition


@pytest.mark.parametrize(("hits", "total"), [(3, 3), (0, 10), (5, 10), (47, 300)])
def test_intervals_of_shares_are_those_of_wilson(call: Callable[..., object], hits: int, total: int) -> None:
    z, share = 1.959964, hits / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    assert call("wilson_low", hits, total) == pytest.approx(max(0, centre - half), abs=1e-5)
    assert call("wilson_high", hits, total) == pytest.approx(min(1, centre + half), abs=1e-5)


def test_the_city_and_the_county_around_it_are_two_and_another_name_is_none(call: Callable[..., object]) -> None:
    names = ["baltimore", "baltimore_city", "St_Marys", "Prince_Georges", "OBJECTID"]
    counties = ["Baltimore County", "Baltimore City", "St. Mary's", "Prince George's", None]
    assert [call("maryland_county", name) for name in names] == counties


@pytest.mark.parametrize(("hits", "total"), [(0, 0), (0, None), (None, None)])
def test_a_share_of_nothing_has_no_interval(call: Callable[..., object], hits: int | None, total: int | None) -> None:
    assert (call("wilson_low", hits, total), call("wilson_high", hits, total)) == (None, None)


@pytest.mark.parametrize(
    ("text", "key"),
    [("INV-000123", "INV123"), ("inv 123", "INV123"), ("007/A", "7A"), ("100", "100"), ("--", None), (None, None)],
)
def test_numbers_of_invoices_are_compared_without_signs_and_leading_zeros(
    call: Callable[..., object], text: str | None, key: str | None
) -> None:
    assert call("invoice_key", text) == key


def test_a_number_that_is_a_day_is_known(call: Callable[..., object]) -> None:
    days = {
        key
        for key in ("20240305", "3052024", "12312024", "12345", "INV20240305", "20241305")
        if call("is_day_number", key)
    }
    assert days == {"20240305", "3052024", "12312024"}
