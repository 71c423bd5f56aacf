"""What happens to the name and the address of a firm between a register and a ledger of payments, with a known result.

These functions and their odds were fixed before the model was tuned. A change here changes the labelled pairs, and with them
every published figure of quality.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

_ABBREVIATIONS = {
    "construction": "Constr", "services": "Svcs", "service": "Svc", "management": "Mgmt", "associates": "Assoc",
    "company": "Co", "contractors": "Contr", "contracting": "Contr", "engineering": "Engr", "electrical": "Elec",
    "electric": "Elec", "mechanical": "Mech", "international": "Intl", "systems": "Sys", "technologies": "Tech",
    "technology": "Tech", "enterprises": "Ent", "industries": "Ind", "development": "Dev", "equipment": "Equip",
    "supply": "Sply", "consulting": "Consult", "consultants": "Consult", "environmental": "Env", "maintenance": "Maint",
    "transportation": "Transp", "brothers": "Bros", "national": "Natl", "american": "Amer", "group": "Grp",
    "distributors": "Distr", "manufacturing": "Mfg", "laboratories": "Labs", "communications": "Comm", "center": "Ctr",
    "general": "Gen", "solutions": "Soln", "landscaping": "Lndscp", "professional": "Prof", "security": "Sec",
}  # fmt: skip
_LEGAL_FORMS = ("LLC", "Inc.", "Inc", "Corp.", "Co.", "L.L.C.", "Ltd.", "Incorporated", "Corporation", "Company", "LLP")
_STREETS = (
    "Oak",
    "Pratt",
    "Light",
    "Harford",
    "Belair",
    "York",
    "Liberty",
    "Monroe",
    "Eastern",
    "Wilkens",
    "Falls",
    "Cold Spring",
)
_KINDS = ("Street", "Avenue", "Road", "Drive", "Court", "Lane", "Boulevard")
_TOWNS = (
    ("Baltimore", ("21201", "21202", "21206", "21211", "21215", "21216", "21218", "21223", "21224", "21229", "21230")),
    ("Towson", ("21204", "21286")), ("Columbia", ("21044", "21045", "21046")), ("Glen Burnie", ("21060", "21061")),
    ("Silver Spring", ("20901", "20910")), ("Rockville", ("20850", "20852")), ("Bowie", ("20715", "20720")),
    ("Annapolis", ("21401", "21403")), ("Laurel", ("20707", "20723")), ("Owings Mills", ("21117",)),
)  # fmt: skip
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl",
    "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb",
    "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


@dataclass(frozen=True)
class Party:
    """A firm or a payee, as a list publishes it; None where the list has no value."""

    name: str
    street: str | None = None
    city: str | None = None
    zip_code: str | None = None
    phone: str | None = None


def same_firm(rng: random.Random, firm: Party, trade_name: str) -> tuple[Party, Party, str]:
    """How a register and a ledger of payments may list `firm`, and the kind of the difference between their names.

    A third of the payees has moved, and some lists lack a telephone or a street.
    """
    kind = rng.choices(list(_SAME), [weight for _, weight in _SAME.values()])[0]
    registered, paid = _SAME[kind][0](rng, firm.name, trade_name)
    payee = replace(moved(rng, firm) if rng.random() < 0.33 else firm, name=other_form(rng, paid))
    return replace(firm, name=registered), incomplete(rng, payee), kind


def other_firm(rng: random.Random, firm: Party, trades: tuple[str, ...]) -> tuple[Party, str]:
    """A payee that is not `firm` but has a similar name, and the kind of the similarity."""
    kind = rng.choices(list(_OTHER), [weight for _, weight in _OTHER.values()])[0]
    name = _OTHER[kind][0](rng, firm.name, trades)
    # A subsidiary often shares the office of its parent, another firm of the same name never does.
    shares_office = kind == "subsidiary" and rng.random() < 0.3
    payee = replace(firm if shares_office else moved(rng, replace(firm, phone=None)), name=name, phone=phone(rng))
    return incomplete(rng, payee), kind


def moved(rng: random.Random, party: Party) -> Party:
    """The same party at another address; half of those that have a telephone keep its number."""
    street, city, zip_code = address(rng)
    kept = party.phone if party.phone and rng.random() < 0.5 else None
    return replace(
        party, street=street, city=city, zip_code=zip_code, phone=kept or (phone(rng) if party.phone else None)
    )


def incomplete(rng: random.Random, party: Party) -> Party:
    """`party` as a list publishes it: without a telephone in 4 of 10 rows, without a street in 1 of 20."""
    return replace(
        party,
        phone=None if rng.random() < 0.4 else party.phone,
        street=None if rng.random() < 0.05 else party.street,
    )


def address(rng: random.Random) -> tuple[str, str, str]:
    """An invented street with number, a town and a ZIP code of it."""
    city, codes = rng.choice(_TOWNS)
    return f"{rng.randrange(1, 9900)} {rng.choice(_STREETS)} {rng.choice(_KINDS)}", city, rng.choice(codes)


def phone(rng: random.Random) -> str:
    """An invented telephone number of ten digits."""
    return f"{rng.choice(('410', '443', '301', '240'))}555{rng.randrange(10_000):04d}"


def other_form(rng: random.Random, name: str) -> str:
    """The same name in capitals, without punctuation, or with another legal form, as clerks write it."""
    words = name.split()
    if rng.random() < 0.4 and len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words = words[:-1] + ([rng.choice(_LEGAL_FORMS)] if rng.random() < 0.6 else [])
    text = " ".join(words)
    if rng.random() < 0.3:
        text = text.replace("&", "and") if rng.random() < 0.5 else text.replace(" and ", " & ")
    if rng.random() < 0.3:
        text = text.replace(",", "").replace(".", "")
    return text.upper() if rng.random() < 0.5 else text


def abbreviated(rng: random.Random, name: str) -> str:
    """One or all long words shortened the way that ledgers shorten them."""
    words = name.split()
    shortenable = [i for i, word in enumerate(words) if word.lower() in _ABBREVIATIONS]
    chosen = shortenable if rng.random() < 0.5 else shortenable[:1]
    return " ".join(_ABBREVIATIONS[word.lower()] if i in chosen else word for i, word in enumerate(words))


def mistyped(rng: random.Random, name: str) -> str:
    """One or two letters dropped, doubled, swapped or replaced by a neighbour on the keyboard."""
    for _ in range(rng.choice((1, 1, 2))):
        spots = [i for i in range(1, len(name) - 1) if name[i].isalpha() and name[i + 1].isalpha()]
        if not spots:
            return name
        i = rng.choice(spots)
        letter = name[i].lower()
        name = rng.choice((
            name[:i] + name[i + 1 :],
            name[:i] + name[i] + name[i:],
            name[:i] + name[i + 1] + name[i] + name[i + 2 :],
            name[:i] + rng.choice(_NEIGHBOURS.get(letter, letter)) + name[i + 1 :],
        ))  # fmt: skip
    return name


def shortened(rng: random.Random, name: str) -> str:
    """The last word left out, or the text cut after 18 to 28 characters, as fields of fixed width do."""
    words = [word for word in name.split() if word not in _LEGAL_FORMS]
    if rng.random() < 0.5 and len(words) > 2:
        return " ".join(words[:-1])
    return name[: rng.randrange(18, 29)].strip()


def reordered(rng: random.Random, name: str) -> str:
    """`The` moved to the end or added, or the first word behind the others, as in lists sorted by surname."""
    words = [word for word in name.split() if word not in _LEGAL_FORMS]
    if words[0] == "The":
        return " ".join([*words[1:], "The"])
    return " ".join(["The", *words]) if rng.random() < 0.6 else " ".join([*words[1:], words[0]])


def _dba(rng: random.Random, name: str, trade_name: str) -> tuple[str, str]:
    both = f"{name} {rng.choice(('dba', 'd/b/a', 'DBA'))} {trade_name}"
    return rng.choice(((both, trade_name), (both, name), (name, both), (both, both)))


def _kept(change: Callable[[random.Random, str], str]) -> Callable[[random.Random, str, str], tuple[str, str]]:
    return lambda rng, name, _: (name, change(rng, name))


def _subsidiary(rng: random.Random, name: str, trades: tuple[str, ...]) -> str:
    words = [word for word in name.split() if word not in _LEGAL_FORMS]
    tail = rng.choice(("Holdings", "Realty", "of Virginia", "Properties", "Leasing", rng.choice(trades)))
    return " ".join([*words, tail, rng.choice(_LEGAL_FORMS)])


def _sibling(rng: random.Random, name: str, trades: tuple[str, ...]) -> str:
    words = name.split()
    return " ".join([*words[: max(1, len(words) // 2)], rng.choice(trades), rng.choice(_LEGAL_FORMS)])


def _same_name(rng: random.Random, name: str, _: tuple[str, ...]) -> str:
    return other_form(rng, name)


# Kind of the difference -> (how, weight). The first make the register's and the ledger's name of one firm, the second the
# name of another firm.
_SAME: dict[str, tuple[Callable[[random.Random, str, str], tuple[str, str]], int]] = {
    "form": (_kept(lambda _, name: name), 30),
    "abbreviation": (_kept(abbreviated), 20),
    "typo": (_kept(mistyped), 20),
    "dba": (_dba, 15),
    "shortened": (_kept(shortened), 8),
    "order": (_kept(reordered), 7),
}
_OTHER: dict[str, tuple[Callable[[random.Random, str, tuple[str, ...]], str], int]] = {
    "same name": (_same_name, 10),
    "subsidiary": (_subsidiary, 35),
    "sibling": (_sibling, 55),
}
