"""Labelled pairs of invented payees and firms, true by construction: for tuning the model, and for measuring it.

The halves share neither firms nor random numbers. The model was tuned on `tuning`; published figures are of `test`.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from civic_pipeline.methods.linkage.corruption import Party, address, other_firm, phone, same_firm

Half = Literal["tuning", "test"]

PAIRS = 3000  # of each half
_SEEDS: dict[Half, int] = {"tuning": 20261128, "test": 20270704}
_MATCHES = 0.55  # the share of pairs that are one firm

_SURNAMES = (
    "Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas"
    " Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen"
    " King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts"
    " Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers"
    " Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez"
    " Wood Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Okafor Adeyemi"
    " Kowalski Novak Haddad Singh Sharma Chen Park Tran Osei Mensah Petrov Schmidt Fischer Rossi Kaplan Stein"
).split()
_PLACES = (
    "Chesapeake Patapsco Harbor Bay Atlantic Potomac Tidewater Piedmont Monument Fells Canton Druid Gwynns Jones Roland"
    " Capital Capitol Mid-Atlantic Eastern Western Northern Southern Coastal Metro Metropolitan Maryland Baltimore Free"
    " Old Line Crab Oriole Raven Calvert Severn Magothy Susquehanna Delmarva Blue Ridge Federal Hill Liberty Union National"
    " American United General Universal Premier Quality Superior Advanced Precision Integrity Heritage Legacy Pinnacle"
).split()
_SYLLABLES = (
    "vel tra na cor ix en do ra lu mi ta xo ber quan sy ne al ter om pra di gen ka sto ven ari el tho ma ri".split()
)
TRADES = (
    "Construction", "General Contracting", "Electric", "Electrical Services", "Mechanical", "Plumbing", "Paving", "Concrete",
    "Landscaping", "Engineering", "Consulting", "Consultants", "Associates", "Management Services", "Technologies", "Systems",
    "Information Technology", "Staffing", "Janitorial Services", "Security", "Transportation", "Trucking", "Supply",
    "Equipment", "Environmental Services", "Communications", "Printing", "Catering", "Architects", "Design Group",
    "Enterprises", "Industries", "Development", "Solutions", "Painting", "Roofing", "Demolition", "Steel", "Laboratories",
    "Training Center", "Medical Supply", "Distributors", "Manufacturing", "Maintenance", "Contractors", "Builders", "Group",
    "International", "Productions", "Realty", "Professional Services", "Office Supply", "Cleaning Service", "Hauling",
)  # fmt: skip
_FORMS = ("LLC", "LLC", "LLC", "Inc.", "Inc.", "Inc.", "Corp.", "Co.", "Ltd.", "Company", "Incorporated", "")


@dataclass(frozen=True)
class LabelledPair:
    """A payee, the position of a firm in `LabelledSet.firms`, and whether they are one firm."""

    payee: Party
    firm: int
    is_match: bool
    kind: str


@dataclass(frozen=True)
class LabelledSet:
    """A register of firms, and one payee for each of them.

    A payee that is no match of its firm is none of any other firm either.
    """

    firms: tuple[Party, ...]
    pairs: tuple[LabelledPair, ...]


def labelled_set(half: Half) -> LabelledSet:
    """One half: 3,000 firms, each with one payee; always the same."""
    rng = random.Random(_SEEDS[half])  # noqa: S311 - invented data, not secrets
    return corrupted_copy(invented_firms(rng, PAIRS), rng)


def corrupted_copy(firms: Iterable[Party], rng: random.Random) -> LabelledSet:
    """`firms` as a register, and for each of them a payee that is the firm in 55% of the pairs, else a similar one."""
    listed = list(firms)
    pairs = []
    for position, firm in enumerate(listed):
        is_match = rng.random() < _MATCHES
        if is_match:
            listed[position], payee, kind = same_firm(rng, firm, _trade_name(rng))
        else:
            payee, kind = other_firm(rng, firm, TRADES)
        pairs.append(LabelledPair(payee, position, is_match, kind))
    return LabelledSet(tuple(listed), tuple(pairs))


def invented_firms(rng: random.Random, count: int) -> list[Party]:
    """Invented firms with different names, legal forms aside."""
    seen: set[str] = set()
    firms: list[Party] = []
    while len(firms) < count:
        words = _words(rng)
        if (key := " ".join(words).lower()) in seen:
            continue
        seen.add(key)
        name = " ".join([*words, rng.choice(_FORMS)]).strip()
        firms.append(Party(name, *address(rng), phone=phone(rng)))
    return firms


def _words(rng: random.Random) -> list[str]:
    trade = rng.choice(TRADES)
    return rng.choices(
        [
            [rng.choice(_SURNAMES), trade],
            [rng.choice(_SURNAMES), "&", rng.choice(_SURNAMES), trade],
            [rng.choice(_SURNAMES), rng.choice(("&", "and")), rng.choice(("Sons", "Daughters", "Brothers")), trade],
            [rng.choice(_PLACES), trade],
            [rng.choice(_PLACES), rng.choice(_PLACES), trade],
            ["The", rng.choice(_SURNAMES), trade],
            [_coined(rng), trade],
            [_coined(rng)],
            [*("".join(rng.choice("ABCDEFGHJKLMNPRSTVW") for _ in range(rng.choice((2, 3)))),), trade],
        ],
        [22, 8, 6, 14, 10, 3, 22, 5, 10],
    )[0]


def _coined(rng: random.Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.choice((2, 3, 3)))).capitalize()


def _trade_name(rng: random.Random) -> str:
    return f"{_coined(rng)} {rng.choice(TRADES)}"
