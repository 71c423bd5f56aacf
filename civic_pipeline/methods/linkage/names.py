"""Keys of names, computed once per spelling: what two spellings of one name have in common.

This goes further than the macro `normalize_name`, which makes ids: it writes out more abbreviations, takes a DBA as two
names, and forgives a mistyped legal form. Keys are never shown.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_ABBREVIATIONS = {
    "CONSTR": "CONSTRUCTION", "CONST": "CONSTRUCTION", "SVC": "SERVICES", "SVCS": "SERVICES", "SERVICE": "SERVICES",
    "MGMT": "MANAGEMENT", "MGT": "MANAGEMENT", "ASSOC": "ASSOCIATES", "ASSOCS": "ASSOCIATES", "CONTR": "CONTRACTING",
    "CONTRACTORS": "CONTRACTING", "CONTRACTOR": "CONTRACTING", "ENGR": "ENGINEERING", "ENGRG": "ENGINEERING",
    "ELEC": "ELECTRIC", "ELECTRICAL": "ELECTRIC", "MECH": "MECHANICAL", "INTL": "INTERNATIONAL", "SYS": "SYSTEMS",
    "TECH": "TECHNOLOGIES", "TECHNOLOGY": "TECHNOLOGIES", "ENT": "ENTERPRISES", "ENTERPRISE": "ENTERPRISES",
    "IND": "INDUSTRIES", "DEV": "DEVELOPMENT", "DEVEL": "DEVELOPMENT", "EQUIP": "EQUIPMENT", "SPLY": "SUPPLY",
    "SUPPLIES": "SUPPLY", "CONSULT": "CONSULTING", "CONSULTANTS": "CONSULTING", "CONSULTANT": "CONSULTING",
    "ENV": "ENVIRONMENTAL", "ENVIRON": "ENVIRONMENTAL", "MAINT": "MAINTENANCE", "TRANSP": "TRANSPORTATION",
    "TRANS": "TRANSPORTATION", "BROS": "BROTHERS", "NATL": "NATIONAL", "NAT": "NATIONAL", "AMER": "AMERICAN", "GRP": "GROUP",
    "DISTR": "DISTRIBUTORS", "DIST": "DISTRIBUTORS", "MFG": "MANUFACTURING", "LABS": "LABORATORIES", "LAB": "LABORATORIES",
    "COMM": "COMMUNICATIONS", "CTR": "CENTER", "GEN": "GENERAL", "SOLN": "SOLUTIONS", "SOLUTION": "SOLUTIONS",
    "LNDSCP": "LANDSCAPING", "LANDSCAPE": "LANDSCAPING", "PROF": "PROFESSIONAL", "SEC": "SECURITY", "INFO": "INFORMATION",
    "UNIV": "UNIVERSITY", "DEPT": "DEPARTMENT", "ARCH": "ARCHITECTS", "ARCHITECT": "ARCHITECTS", "ADV": "ADVERTISING",
    "INS": "INSURANCE",
}  # fmt: skip
_LEGAL = "LLC|INC|INCORPORATED|CORP|CORPORATION|CO|COMPANY|LTD|LIMITED|LP|LLP|PC|PA|PLLC|L L C|P C|P A"
# A last word is also a legal form if one letter is wrong, or if a field cut it short.
_MISTYPED = "['LLC', 'INC', 'LTD', 'CORP', 'COMPANY', 'INCORPORATED', 'CORPORATION']"
_CUT = "INCORP[A-Z]*|CORPOR[A-Z]*|COMPA[A-Z]*"


def add_names(connection: "duckdb.DuckDBPyConnection", table: str) -> None:
    """Create `<table>_names` from `table` (party_id, name): one row per party and name of it.

    `name_key` is upper case without accents, punctuation, legal form and a leading THE, with abbreviations written out;
    `words` are its words sorted, without AND, THE, OF. A name with DBA is two names.
    """
    words = ", ".join(f"'{short}': '{word}'" for short, word in _ABBREVIATIONS.items())
    connection.execute(f"""
        create or replace temp table {table}_names as
        with spellings as (select distinct name from {table} where name is not null),
        plain as (
            select name, trim(regexp_replace(regexp_replace(replace(strip_accents(upper(name)), '&', ' AND '),
                '[.''’`]', '', 'g'), '[^A-Z0-9]+', ' ', 'g')) as text
            from spellings
        ),
        split as (
            select name, trim(unnest(regexp_split_to_array(text, ' (DBA|D B A|T A|TRADING AS|AKA|FKA|FORMERLY) '))) as text
            from plain
        ),
        bare as (
            select name, text, regexp_replace(regexp_replace(text, '^THE ', ''), '( (THE|{_LEGAL}|{_CUT}))+$', '') as short
            from split
            where text <> ''
        ),
        lettered as (
            select name, string_split(coalesce(nullif(short, ''), text), ' ') as words from bare
        ),
        legal as (
            select name, case
                when len(words) > 1
                    and len(list_filter({_MISTYPED}, lambda form: damerau_levenshtein(words[-1], form) <= 1)) > 0
                then words[:-2] else words end as words
            from lettered
        ),
        expanded as (
            select name, list_transform(words, lambda word: coalesce(map {{{words}}}[word], word)) as words from legal
        )
        select distinct
            parties.party_id,
            array_to_string(words, ' ') as name_key,
            list_sort(list_distinct(list_filter(words, lambda word: word not in ('AND', 'THE', 'OF')))) as words
        from {table} as parties
        inner join expanded using (name)
    """)
