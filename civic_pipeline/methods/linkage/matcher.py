"""Link payees to firms by Splink: blocking, comparison levels, training, and the probability of each pair.

The match weight of a pair is the sum of `log2(m / u)` over its comparisons (Fellegi and Sunter), beside even prior odds.

- name: the weights of its levels were set on the tuning half of the labelled pairs, where they are the logarithm of the odds
  among payees whose best candidate is at that level. So they hold their own prior, and lists with names alone have
  probabilities, too: one comparison alone cannot be trained. Where the best candidates of more payees are at a level than
  the payees of the same name can explain, its odds are lower. A name that several rows share counts `log2(rows / 2)` less.
- contact: m is estimated by expectation maximisation among pairs of the same name, u by random sampling with a fixed seed.

A payee is at most one firm, so the odds of its candidates compete: `p = 2^M / (1 + Σ 2^M)`.
"""

import logging
import math
from typing import TYPE_CHECKING, Any

from civic_pipeline.methods.linkage.names import add_names

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from splink import Linker

_SEED = 7
_TUNING_PAYEES = 100  # so many payees of the tuning half count beside those of the data, for small lists
_TRAINABLE = 200  # pairs of the same name with a published address
_RARE = 20  # a word in at most so many names is rare
_SAME_NAME = "same name"
_IMPOSSIBLE = -30.0
_LEAST = -7.0  # bits; pairs below are left out

# Levels from the strongest to the weakest: evidence, condition on the payee (l) and the firm (r), weight in bits. Then, from
# the tuning half, the share of the matches that are at the level, and the share of the payees whose best candidate is.
_NAME = (
    (_SAME_NAME, "name_key_l = name_key_r", 2.8, 0.788, 0.497),
    ("same words in another order", "words_key_l = words_key_r", -1.0, 0.010, 0.012),
    (
        "payee's name is the beginning of the firm's",
        "length(name_key_l) >= 5 and starts_with(name_key_r, name_key_l)",
        3.0,
        0.031,
        0.019,
    ),
    (
        "one or two letters differ",
        # A case, because the distance takes a hundred times as long as the similarity.
        (
            "case when jaro_winkler_similarity(name_key_l, name_key_r) >= 0.88"
            " and least(length(first_word_l), length(first_word_r)) >= 4 then damerau_levenshtein(joined_key_l, joined_key_r)"
            " <= case when length(joined_key_l) < 12 then 1 else 2 end else false end"
        ),
        3.5,
        0.150,
        0.086,
    ),
    # A subsidiary, or a firm that only begins alike: another legal entity, whatever its address.
    ("payee's name continues the firm's", "starts_with(name_key_l, name_key_r || ' ')", _IMPOSSIBLE, 0.0003, 0.167),
    ("similar name", "jaro_winkler_similarity(name_key_l, name_key_r) >= 0.88", -3.7, 0.021, 0.159),
    (
        "most words in common",
        "len(list_intersect(words_l, words_r)) >= 0.8 * least(len(words_l), len(words_r))",
        -4.0,
        0.0003,
        0.011,
    ),
    ("different name", None, -16.0, 0.0003, 0.049),
)
# Address and telephone are one comparison: a firm that moved often has another number as well. The last two numbers are m and u
# of the tuning half, for lists with too few pairs to train on and for levels that none of their pairs is at.
_SAME_STREET = "street_key_l = street_key_r and zip_code_l = zip_code_r"
_CONTACT = (
    ("same street and ZIP code", _SAME_STREET, 0.62, 1.3e-4),
    ("same telephone", "phone_l = phone_r", 0.12, 4.7e-5),
    ("same ZIP code", "zip_code_l = zip_code_r", 0.02, 0.048),
    ("elsewhere, another telephone", "phone_l <> phone_r", 0.105, 0.566),
    ("elsewhere, telephone not published", None, 0.135, 0.386),
)
NOT_PUBLISHED = "not published"
_BLOCKS = ("first_letters", "ends", "phone", "zip_letters")


def link(payees: "pa.Table", firms: "pa.Table") -> "pa.Table":
    """The candidates of each payee: payee_id, firm_id, match_weight (bits), match_probability, name_evidence, contact_evidence.

    Both tables have party_id, name, street, zip_code and phone as text, several rows for a party with several names.
    The same rows give the same candidates. A pair whose odds are below 1 to 128 is left out.
    """
    import duckdb

    with duckdb.connect() as connection:
        for name, table in (("payees", payees), ("firms", firms)):
            connection.register("given", table)
            connection.execute(f"create temp table {name} as from given")
            connection.unregister("given")
            add_names(connection, name)
        _add_records(connection)
        predicted = _predict(connection)
        return connection.execute(f"""
            with pairs as (
                select
                    party_id_l as payee_id,
                    party_id_r as firm_id,
                    max(match_weight) as match_weight,
                    max_by(gamma_name, (match_weight, gamma_name)) as name_level,
                    max_by(gamma_contact, (match_weight, gamma_contact)) as contact_level
                from {predicted}
                group by party_id_l, party_id_r
            ),
            weighed as (
                select * replace (match_weight + {_surplus(connection, predicted)} as match_weight) from pairs
            ),
            odds as (
                select
                    *,
                    power(2, match_weight)
                    / (1 + list_sum(list_sort(list(power(2, match_weight)) over (partition by payee_id)))) as p
                from weighed
            )
            select
                payee_id,
                firm_id,
                round(match_weight, 3) as match_weight,
                round(p, 6) as match_probability,
                {_label("name_level", [level[0] for level in _NAME])} as name_evidence,
                {_label("contact_level", [level[0] for level in _CONTACT])} as contact_evidence
            from odds
            order by payee_id, match_probability desc, firm_id
        """).to_arrow_table()


def _add_records(connection: "duckdb.DuckDBPyConnection") -> None:
    """Create `payees_records` and `firms_records`: a row per name, with the columns that are compared and blocked on."""
    connection.execute("""
        create temp table frequencies as
        select word, count(*) as names
        from (
            select unnest(words) as word from payees_names
            union all
            select unnest(words) as word from firms_names
        )
        group by word
    """)
    for table in ("payees", "firms"):
        connection.execute(f"""
            create temp table {table}_records as
            with rare as (
                select party_id, name_key, list(word order by word) as rare_words
                from (select party_id, name_key, unnest(words) as word from {table}_names)
                inner join frequencies using (word)
                where names <= {_RARE}
                group by party_id, name_key
            ),
            places as (
                select
                    party_id,
                    any_value(nullif(trim(regexp_replace(upper(street), '[^A-Z0-9]+', ' ', 'g')), '')) as street_key,
                    any_value(left(zip_code, 5)) as zip_code,
                    any_value(nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 10), '')) as phone
                from {table}
                group by party_id
            )
            select
                names.party_id || '|' || names.name_key as unique_id,
                names.party_id,
                names.name_key,
                names.words,
                array_to_string(names.words, ' ') as words_key,
                replace(names.name_key, ' ', '') as joined_key,
                left(names.name_key, 4) as first_letters,
                left(names.name_key, 1) || right(names.name_key, 5) as ends,
                split_part(names.name_key, ' ', 1) as first_word,
                places.zip_code || left(names.name_key, 2) as zip_letters,
                coalesce(rare.rare_words, []) as rare_words,
                places.street_key,
                places.zip_code,
                places.phone
            from {table}_names as names
            inner join places using (party_id)
            left join rare using (party_id, name_key)
            order by unique_id
        """)


def _predict(connection: "duckdb.DuckDBPyConnection") -> str:
    """The table with Splink's weight and levels of every candidate pair."""
    from splink import block_on

    [(rows, trainable)] = connection.execute("""
        select
            (select count(*) from payees_records) + (select count(*) from firms_records),
            (
                select count(*)
                from payees_records as payees
                inner join firms_records as firms using (name_key)
                where payees.zip_code is not null and firms.zip_code is not null
            )
    """).fetchall()
    contact = _trained_contact(connection) if trainable >= _TRAINABLE else _contact_comparison({})
    blocks = [
        *(block_on(column) for column in _BLOCKS),
        block_on("rare_words", arrays_to_explode=["rare_words"]),
    ]
    linker = _linker(connection, [_name_comparison(rows), contact], 0.5, blocks)
    return linker.inference.predict(threshold_match_weight=_LEAST).physical_name


def _surplus(connection: "duckdb.DuckDBPyConnection", predicted: str) -> str:
    """SQL of the bits, 0 or less, that a pair gets for `name_level` in these lists.

    Of n payees with a firm of the same name, 2^w / (1 + 2^w) are matches, and other levels have so many more as their share
    of the matches in the tuning half says. What payees a level has beyond that are no matches.
    """
    counted = dict(
        connection.execute(f"""
            select level, count(*)
            from (select party_id_l, max(gamma_name) as level from {predicted} group by party_id_l)
            group by level
        """).fetchall()
    )
    strongest = len(_NAME) - 1
    same_name = counted.get(strongest, 0) + _TUNING_PAYEES * _NAME[0][4]
    cases = []
    for number, (_, _, bits, of_matches, of_payees) in enumerate(reversed(_NAME[1:])):
        payees = counted.get(number, 0) + _TUNING_PAYEES * of_payees
        share = _probability(_NAME[0][2]) * same_name * of_matches / _NAME[0][3] / payees
        if share < _probability(bits):
            cases.append(f"when {number} then {math.log2(share / (1 - share)) - bits}")
    return f"case name_level {' '.join(cases)} else 0 end" if cases else "0"


def _probability(bits: float) -> float:
    return float(2**bits / (1 + 2**bits))


def _trained_contact(connection: "duckdb.DuckDBPyConnection") -> Any:
    """The comparison of contacts with m and u estimated from the records."""
    from splink import block_on

    linker = _linker(connection, [_contact_comparison({})], _probability(_NAME[0][2]), [block_on("name_key")])
    # One thread: a sample that two threads draw is not the same every time.
    threads = connection.execute("select current_setting('threads')").fetchall()[0][0]
    connection.execute("set threads = 1")
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=_SEED, min_count_per_level=None)
    linker.training.estimate_parameters_using_expectation_maximisation(
        block_on("name_key"), fix_probability_two_random_records_match=True
    )
    connection.execute(f"set threads = {threads}")
    (trained,) = linker.misc.save_model_to_json()["comparisons"]
    return _contact_comparison({level["label_for_charts"]: level for level in trained["comparison_levels"]})


def _linker(
    connection: "duckdb.DuckDBPyConnection", comparisons: list[Any], prior: float, blocks: list[Any]
) -> "Linker":
    from splink import DuckDBAPI, Linker, SettingsCreator

    settings = SettingsCreator(
        link_type="link_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=blocks,
        probability_two_random_records_match=prior,
        retain_matching_columns=True,  # and with them the level of each comparison
        retain_intermediate_calculation_columns=True,
        additional_columns_to_retain=["party_id"],
    )
    api = DuckDBAPI(connection=connection)
    tables = [  # in this order: the left side of a pair is the payee
        api.register(f"{table}_records", dataset_display_name=f"{number}_{table}")
        for number, table in enumerate(("payees", "firms"))
    ]
    return Linker(tables, settings, log_level=logging.ERROR)


def _name_comparison(rows: int) -> Any:
    """The comparison of names; only the ratio of m to u counts. u of the same name is the frequency of a name of two rows."""
    import splink.comparison_level_library as levels
    from splink.comparison_library import CustomComparison

    built: list[Any] = [levels.NullLevel("name_key")]
    for label, condition, bits, *_ in _NAME:
        u = 2 / max(rows, 2) if label == _SAME_NAME else 2.0 ** min(0, -bits - 1)
        level: Any = levels.CustomLevel(condition, label) if condition else levels.ElseLevel()
        fixed: dict[str, Any] = {
            "m_probability": u * 2**bits,
            "u_probability": u,
            "fix_m_probability": True,
            "fix_u_probability": True,
        }
        if label == _SAME_NAME:
            fixed |= {"tf_adjustment_column": "name_key", "tf_adjustment_weight": 1.0}
        built.append(level.configure(**fixed))
    return CustomComparison(built, output_column_name="name")


def _contact_comparison(trained: dict[str, dict[str, Any]]) -> Any:
    import splink.comparison_level_library as levels
    from splink.comparison_library import CustomComparison

    unknown = "zip_code_l is null or zip_code_r is null"
    built: list[Any] = [levels.CustomLevel(unknown, NOT_PUBLISHED).configure(is_null_level=True)]
    for label, condition, m, u in _CONTACT:
        level: Any = levels.CustomLevel(condition, label) if condition else levels.ElseLevel()
        known = trained.get(label if condition else "All other comparisons", {})
        built.append(
            level.configure(m_probability=known.get("m_probability", m), u_probability=known.get("u_probability", u))
        )
    return CustomComparison(built, output_column_name="contact")


def _label(level: str, labels: list[str]) -> str:
    """SQL of the evidence: Splink numbers levels from the weakest, 0, and gives -1 to a value that is not published."""
    cases = " ".join(
        f"when {number} then '{label.replace(chr(39), 2 * chr(39))}'" for number, label in enumerate(reversed(labels))
    )
    return f"case {level} {cases} else '{NOT_PUBLISHED}' end"
