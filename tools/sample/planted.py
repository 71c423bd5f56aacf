"""Payments planted into the ledger for the integrity tests: errors that a test must report, and regular payments that look alike.

`labels` is what is true of them, for `data/seeds/labelled_payment_cases`. The three cases of the audit of 2024-11-20 are in
the sample too, with an invented vendor; their labels are those of the audit, in a file of their own.
"""

import csv
import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from tools.sample.agencies import AGENCIES, Agency
from tools.sample.firms import TRADES, Vendor, vendors
from tools.sample.ledger import Split, reversal, weekday_on_or_before
from tools.sample.table import seeded

HEADER = (
    "city", "case_id", "test", "tier", "is_true", "origin", "agency_name", "vendor_name", "amount", "first_date",
    "last_date", "note",
)  # fmt: skip

AUDITED_AGENCY = "M-R: Office of Neighborhood Safety and Engagement"
# Amount and month of the three invoices that the audit of 2024-11-20 reports as paid twice; all were recovered.
AUDITED = ((79_098, date(2022, 7, 12)), (149_528, date(2023, 5, 9)), (61_731, date(2024, 1, 16)))


# Tests of all payments of an agency, or of a vendor: such a case names no vendor, or no agency.
_OF_AGENCIES, _OF_VENDORS = ("bunching_below_threshold", "year_end_share"), ("heterogeneous_supplier",)


@dataclass(frozen=True)
class Case:
    """Payments that belong together. `is_true` is whether a test should report them; `is_labelled` whether it is for this module to say."""

    test: str
    tier: str
    is_true: bool
    note: str
    splits: tuple[Split, ...]
    is_labelled: bool = True

    @property
    def amount(self) -> float:
        """Of the payment that is in question: the second of two, else of all."""
        if self.test != "duplicate_payment":
            return round(sum(split.amount for split in self.splits), 2)
        last = [split for split in self.splits if split.amount > 0][-1]
        return round(sum(s.amount for s in self.splits if s.check == last.check and s.amount > 0), 2)


@cache
def cases() -> tuple[Case, ...]:
    """All cases; always the same."""
    maker = _Maker(seeded("planted payments"), check=7_000_000)
    return (
        *maker.audited(),
        *maker.invoice_paid_twice(),
        *maker.invoice_number_changed(),
        *maker.paid_to_another_vendor(),
        *maker.same_amount_in_a_week(),
        *maker.purchases_in_parts(),
    )


@cache
def patterns() -> tuple[Case, ...]:
    """What statistical tests look for: amounts just below a threshold, a rush in June, vendors that sell everything."""
    maker = _Maker(seeded("planted patterns"), check=7_500_000)
    return (
        Case(
            "bunching_below_threshold", "", True, "Sixty payments just below $25,000.", tuple(maker.below_threshold())
        ),
        Case("year_end_share", "", True, "Eighty payments in one June.", tuple(maker.rush_in_june())),
        *(
            Case("heterogeneous_supplier", "", True, "A vendor that is paid for things of every kind.", splits)
            for splits in maker.vendors_of_everything()
        ),
    )


def labels() -> str:
    """The labelled cases, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    labelled = [case for case in (*cases(), *patterns()) if case.is_labelled]
    for number, case in enumerate(labelled, start=1):
        days = [split.day for split in case.splits if split.amount > 0]
        agency = "" if case.test in _OF_VENDORS else case.splits[0].agency.name
        vendor = "" if case.test in _OF_AGENCIES else case.splits[-1].vendor
        writer.writerow(
            ["baltimore", f"sample-{number:02d}", case.test, case.tier, str(case.is_true).lower(), "planted in the sample",
             agency, vendor, f"{case.amount:.2f}", min(days), max(days), case.note]
        )  # fmt: skip
    return text.getvalue()


class _Maker:
    def __init__(self, rng: random.Random, check: int) -> None:
        self.rng = rng
        self.check = check
        # Vendors that are paid seldom, so that a case does not mix with the payments around it.
        self.vendors = iter(rng.sample(vendors()[300:], 120))

    def _day(self, year: int | None = None) -> date:
        """A working day of the sample in `year`, at least four months before its end and far from its gap."""
        year = year or self.rng.choice((2021, 2022, 2023, 2024, 2025))
        month = self.rng.choice((7, 8, 9, 10, 11)) if year in (2021, 2025) else self.rng.randrange(1, 9)
        return weekday_on_or_before(date(year, month, self.rng.randrange(2, 27)))

    def _agency(self) -> Agency:
        return self.rng.choice([agency for agency in AGENCIES if agency.weight > 3])

    def _split(self, vendor: Vendor, agency: Agency, invoice: str, day: date, amount: float) -> Split:
        self.check += self.rng.randrange(1, 9)
        service, name = self.rng.choice(agency.numbered_services())
        return Split(
            agency, agency.funds[0], service, name, 0, vendor.trade.spend_category, vendor.name, self.check, invoice, "",
            weekday_on_or_before(day), round(amount, 2),
        )  # fmt: skip

    def _amount(self, low: float, high: float) -> float:
        return round(self.rng.uniform(low, high), 2)

    def audited(self) -> Iterator[Case]:
        agency = next(agency for agency in AGENCIES if agency.name == AUDITED_AGENCY)
        vendor = next(self.vendors)
        for number, (amount, day) in enumerate(AUDITED, start=1):
            first = self._split(vendor, agency, f"GVR-2{number}07", day - timedelta(days=13), amount)
            again = self._split(vendor, agency, f"GVR 2{number}07", day, amount)
            yield Case("duplicate_payment", "D1", True, "", (first, again, reversal(again)), is_labelled=False)

    def invoice_paid_twice(self) -> Iterator[Case]:
        for number in range(8):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            invoice, amount = f"INV-0{88210 + 37 * number}", self._amount(4_000, 90_000)
            first = self._split(vendor, agency, invoice, day, amount)
            written = invoice if number % 2 else invoice.replace("INV-0", "inv ")
            again = self._split(vendor, agency, written, day + timedelta(days=self.rng.randrange(9, 75)), amount)
            paid: tuple[Split, ...] = (first, again)
            note = "The same invoice was paid by two checks."
            if number < 3:
                paid, note = (*paid, reversal(again)), note + " The second payment was recovered."
            elif number < 5:
                part = round(amount * 0.4, 2)
                paid = (replace(first, amount=part), replace(first, part=1, amount=round(amount - part, 2)), again)
                note += " The first payment is in two splits."
            yield Case("duplicate_payment", "D1", True, note, paid)
        for number in range(3):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            invoice, amount = f"2024-{310 + number}", self._amount(3_000, 20_000)
            paid = tuple(
                self._split(vendor, agency, invoice, day + timedelta(days=30 * turn), amount * share)
                for turn, share in enumerate((0.6, 0.4))
            )
            yield Case("duplicate_payment", "D1", False, "One invoice was paid in two different instalments.", paid)

    def invoice_number_changed(self) -> Iterator[Case]:
        changes: Sequence[Callable[[str], str]] = (
            lambda text: text + "A", lambda text: text + "-1", lambda text: text + "R",
            lambda text: text[:-1] + ("7" if text[-1] != "7" else "4"), lambda text: text[:-1], lambda text: text + "B",
        )  # fmt: skip
        for number, change in enumerate(changes):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            invoice, amount = f"K{51340 + 113 * number}", self._amount(2_600, 60_000)
            first = self._split(vendor, agency, invoice, day, amount)
            later = day + timedelta(days=self.rng.randrange(20, 100))
            again = self._split(vendor, agency, change(invoice), later, amount)
            yield Case(
                "duplicate_payment",
                "D2",
                True,
                "An invoice was entered again under a number that differs by one sign.",
                (first, again),
            )
        for number in range(3):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            amount = self._amount(2_600, 9_000)
            paid = tuple(
                self._split(vendor, agency, f"R{60411 + 10 * number + turn}", day + timedelta(days=30 * turn), amount)
                for turn in range(2)
            )
            yield Case(
                "duplicate_payment",
                "D2",
                False,
                "The same rent for two months, on invoices numbered one after the other.",
                paid,
            )

    def paid_to_another_vendor(self) -> Iterator[Case]:
        for number in range(4):
            vendor, other, agency, day = next(self.vendors), next(self.vendors), self._agency(), self._day()
            invoice, amount = f"PX{90112 + 41 * number}", self._amount(2_600, 50_000)
            first = self._split(vendor, agency, invoice, day, amount)
            again = self._split(other, agency, invoice, day + timedelta(days=self.rng.randrange(5, 60)), amount)
            yield Case("duplicate_payment", "D3", True, "One invoice was paid to two vendors.", (first, again))
        vendor, other, agency, day = next(self.vendors), next(self.vendors), self._agency(), self._day()
        fees = (
            self._split(vendor, agency, "FEE2024", day, 750),
            self._split(other, agency, "FEE2024", day + timedelta(days=2), 750),
        )
        yield Case(
            "duplicate_payment",
            "D3",
            False,
            "Two vendors were paid the same fee and wrote the same words for a number.",
            fees,
        )
        vendor, other, agency, day = next(self.vendors), next(self.vendors), self._agency(), self._day()
        short = (self._split(vendor, agency, "1001", day, 1_250), self._split(other, agency, "1001", day, 1_250))
        yield Case("duplicate_payment", "D3", False, "Two vendors used the same short number for equal amounts.", short)

    def same_amount_in_a_week(self) -> Iterator[Case]:
        for number in range(5):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            amount = self._amount(2_600, 40_000)
            first = self._split(vendor, agency, f"A{3117 + 211 * number}", day, amount)
            again = self._split(vendor, agency, f"ST{77 + 19 * number}", day + timedelta(days=6), amount)
            yield Case(
                "duplicate_payment",
                "D4",
                True,
                "An invoice and the statement that lists it were both paid.",
                (first, again),
            )
        for number in range(3):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            amount = self._amount(2_600, 8_000)
            pair = tuple(
                self._split(
                    vendor, agency, f"{4400 + 570 * number + 130 * turn}", day + timedelta(days=3 * turn), amount
                )
                for turn in range(2)
            )
            yield Case("duplicate_payment", "D4", False, "Two deliveries of the same size in one week.", pair)
        for number in range(2):
            vendor, agency, day = next(self.vendors), self._agency(), self._day(2023)
            weekly = tuple(
                self._split(
                    vendor, agency, f"W{100 + 57 * number}{17 * turn:03d}", day + timedelta(days=7 * turn), 3_000
                )
                for turn in range(4)
            )
            yield Case("duplicate_payment", "D4", False, "A weekly service at a fixed price.", weekly)

    def purchases_in_parts(self) -> Iterator[Case]:
        for number in range(9):
            vendor, agency, day = next(self.vendors), self._agency(), self._day()
            threshold = (25_000, 25_000, 50_000)[number % 3]
            contract = "" if number < 6 else f"P{503784 + 37 * number}"
            parts = tuple(
                replace(
                    self._split(
                        vendor, agency, f"{8120 + 301 * number + 29 * turn}/P", day + timedelta(days=5 * turn),
                        self._amount(0.72 * threshold, 0.97 * threshold),
                    ),
                    contract=contract,
                )
                for turn in range(3)
            )  # fmt: skip
            note = (
                "One purchase was paid in parts below the threshold."
                if number < 6
                else "The payments are calls on a contract."
            )
            yield Case("split_purchase", "", number < 6, note, parts)

    def below_threshold(self) -> Iterator[Split]:
        """Many payments of one agency just below $25,000."""
        agency = next(agency for agency in AGENCIES if agency.name == "Recreation and Parks")
        buyers = [next(self.vendors) for _ in range(30)]
        for number in range(60):
            day = self._day(2022)
            yield self._split(buyers[number % 30], agency, f"BT{2201 + 7 * number}", day, self._amount(22_600, 24_990))

    def rush_in_june(self) -> Iterator[Split]:
        """Payments of one agency in one June, far more than in its other months."""
        agency = next(agency for agency in AGENCIES if agency.name == "Planning")
        buyers = [next(self.vendors) for _ in range(10)]
        for number in range(80):
            day = weekday_on_or_before(date(2024, 6, 3 + number % 25))
            yield self._split(buyers[number % 10], agency, f"YE{6100 + 3 * number}", day, self._amount(9_000, 60_000))

    def vendors_of_everything(self) -> Iterator[tuple[Split, ...]]:
        """Two vendors that are paid for things of every kind."""
        trades = {trade.spend_category: trade for trade in TRADES}
        for _ in range(2):
            vendor, agencies = next(self.vendors), (self._agency(), self._agency(), self._agency())
            payees = [replace(vendor, trade=list(trades.values())[number % len(trades)]) for number in range(36)]
            yield tuple(
                self._split(
                    payee, agencies[number % 3], f"EV{400 + 3 * number}", self._day(2023), self._amount(300, 4_000)
                )
                for number, payee in enumerate(payees)
            )
