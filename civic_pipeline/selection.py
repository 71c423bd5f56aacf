"""The selection of `civic run --select`: assets, datasets, subjects and places, and with `+` what depends on them."""

import re
from collections.abc import Mapping, Sequence

from civic_pipeline.catalog import Dataset, accepted_as, table_name
from civic_pipeline.errors import UnknownName
from civic_pipeline.warehouse import Model

RELEASE, SITE = "warehouse", "site"


def asset_of(table: str) -> str:
    """The asset that has the rows of `table`: `history.x` -> `raw.x`, `clean_history.x` -> `clean.x`, any other -> itself."""
    return re.sub("^history\\.", "raw.", accepted_as(table))


def select_assets(words: Sequence[str], datasets: Mapping[str, Dataset], models: Mapping[str, Model]) -> frozenset[str]:
    """The assets that `words` name, as `schema.table`, `warehouse` or `site`.

    A word is an asset (`marts/fct_payments`), a dataset (`baltimore/spending`: its raw and clean table), a subject
    (`budget`) or a place (`baltimore`: its datasets), each optionally followed by `+` for everything that depends on it, as in
    dbt. Raises UnknownName.
    """
    parents = _parents(datasets, models)
    named = _named(datasets, models)
    selected: set[str] = set()
    for word in words:
        name = word.removesuffix("+")
        if name not in named:
            raise UnknownName("asset, dataset, subject or place", name, named)
        chosen = named[name]
        selected |= _with_dependants(chosen, parents) if word.endswith("+") else chosen
    return frozenset(selected)


def _parents(datasets: Mapping[str, Dataset], models: Mapping[str, Model]) -> dict[str, set[str]]:
    parents: dict[str, set[str]] = {f"raw.{table_name(name)}": set() for name in datasets}
    for model in models.values():
        parents[model.name] = {asset_of(name) for name in model.inputs}
    parents[RELEASE] = set(models)
    parents[SITE] = {RELEASE}
    return parents


def _named(datasets: Mapping[str, Dataset], models: Mapping[str, Model]) -> dict[str, set[str]]:
    """Every word that can be selected -> its assets."""
    tables = [*(f"raw.{table_name(name)}" for name in datasets), *models]
    named = {table.replace(".", "/", 1): {table} for table in tables} | {RELEASE: {RELEASE}, SITE: {SITE}}
    for name, dataset in datasets.items():
        own = {f"{schema}.{table_name(name)}" for schema in ("raw", "clean")} & set(tables)
        for word in (name, name.partition("/")[0], dataset.subject):
            named.setdefault(word, set()).update(own)
    for model in models.values():
        named.setdefault(model.subject, set()).add(model.name)
    return named


def _with_dependants(chosen: set[str], parents: Mapping[str, set[str]]) -> set[str]:
    dependants = set(chosen)
    while more := {name for name, inputs in parents.items() if name not in dependants and inputs & dependants}:
        dependants |= more
    return dependants
