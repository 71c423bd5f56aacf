"""The marts that record linkage makes, as their contracts name them: Arrow tables in, one Arrow table out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from civic_pipeline.methods.linkage.firms import merge_listings
from civic_pipeline.methods.linkage.labelled import LabelledSet, labelled_set
from civic_pipeline.methods.linkage.matcher import link
from civic_pipeline.methods.linkage.measures import Judged, band, quality

if TYPE_CHECKING:
    import pyarrow as pa

    from civic_pipeline.methods.linkage.corruption import Party

_SEED = 11
_TARGETS = {"precision at auto": 0.99, "recall at 0.5": 0.95, "calibration error beyond chance": 0.03}

Tables = Mapping[str, "pa.Table"]


def certified_firms(tables: Tables) -> "pa.Table":
    """`marts.bridge_certified_firms`: the firm of each certification."""
    listings = tables["marts.dim_certified_firms"].rename_columns({
        "certification_id": "listing_id", "authority": "register", "firm_name": "name", "street_address": "street",
    })  # fmt: skip
    merged = merge_listings(listings)
    registers = dict(zip(listings["listing_id"].to_pylist(), listings["register"].to_pylist(), strict=True))
    authority = [registers[listing] for listing in merged["listing_id"].to_pylist()]
    return merged.rename_columns({"listing_id": "certification_id"}).add_column(2, "authority", [authority])


def vendor_matches(tables: Tables) -> "pa.Table":
    """`marts.fct_vendor_certification_matches`: the candidate firms of each vendor, in each register apart."""
    reviews = {
        (row["vendor_name"], row["authority"], row["firm_name"]): row
        for row in tables["seeds.vendor_match_reviews"].to_pylist()
    }
    vendors = [row for row in tables["marts.dim_vendors"].to_pylist() if not row["is_redacted"]]
    payees = _parties(
        (vendor["vendor_id"], name, None, None)
        for vendor in vendors
        for name in dict.fromkeys([vendor["vendor_name"], *(vendor["names_seen"] or "").split(" | ")])
        if name
    )
    listed = {row["certification_id"]: row for row in tables["marts.dim_certified_firms"].to_pylist()}
    firms: dict[str, list[tuple[str, str, str | None, str | None]]] = defaultdict(list)
    firm_names: dict[str, str] = {}
    for row in tables["marts.bridge_certified_firms"].to_pylist():
        listing = listed[row["certification_id"]]
        firm_names[row["firm_id"]] = row["firm_name"]
        firms[row["authority"]].append(
            (row["firm_id"], listing["firm_name"], listing["street_address"], listing["zip_code"])
        )
    names = {vendor["vendor_id"]: (vendor["city"], vendor["vendor_name"]) for vendor in vendors}
    rows: list[dict[str, Any]] = []
    for authority, listings in sorted(firms.items()):
        for pair in link(payees, _parties(listings)).to_pylist():
            city, vendor_name = names[pair["payee_id"]]
            firm_name = firm_names[pair["firm_id"]]
            rows.append({
                "city": city, "vendor_id": pair["payee_id"], "vendor_name": vendor_name, "authority": authority,
                "firm_id": pair["firm_id"], "firm_name": firm_name, "match_weight": pair["match_weight"],
                "model_probability": pair["match_probability"], "name_evidence": pair["name_evidence"],
                "contact_evidence": pair["contact_evidence"],
                "review": reviews.get((vendor_name, authority, firm_name), {}),
            })  # fmt: skip
    return _table(_assigned(rows), _MATCHES)


def match_quality(tables: Tables) -> "pa.Table":
    """`marts.mart_match_quality`: precision, recall and calibration on labelled pairs, and those measured on real files."""
    rows = [row | {"measured_on": "test half of the labelled pairs"} for row in _measured(labelled_set("test"))]
    for row in tables["seeds.match_quality_real_files"].to_pylist():
        row["pair_count"] = int(row["pair_count"])
        numbers = ("numerator", "denominator", "value", "value_low", "value_high")
        rows.append(row | {name: float(row[name]) if row[name] else None for name in numbers})
    for row in rows:
        target = _TARGETS.get(row["measure"]) if row["evidence"] == "name and contact" else None
        at_most = row["measure"].startswith("calibration")
        row["target"] = target
        row["meets_target"] = None if target is None else row["value"] <= target if at_most else row["value"] >= target
    return _table(rows, _QUALITY)


def judged(labelled: LabelledSet, *, names_only: bool = False) -> list[Judged]:
    """The best candidate of every payee of a labelled set, and whether it is right."""
    payees = _parties(
        (f"{i:05d}", *_fields(pair.payee, names_only=names_only)) for i, pair in enumerate(labelled.pairs)
    )
    firms = _parties((f"{i:05d}", *_fields(firm, names_only=names_only)) for i, firm in enumerate(labelled.firms))
    best: dict[str, dict[str, Any]] = {}
    for pair in link(payees, firms).to_pylist():
        best.setdefault(pair["payee_id"], pair)
    outcomes = []
    for i, pair in enumerate(labelled.pairs):
        candidate = best.get(f"{i:05d}")
        is_right = candidate is not None and pair.is_match and candidate["firm_id"] == f"{pair.firm:05d}"
        outcomes.append(Judged(candidate["match_probability"] if candidate else 0.0, is_right, pair.is_match))
    return outcomes


def _measured(labelled: LabelledSet) -> Iterator[dict[str, Any]]:
    for evidence, names_only in (("name and contact", False), ("name only", True)):
        for measure in quality(judged(labelled, names_only=names_only), _SEED):
            yield {
                "evidence": evidence, "measure": measure.name, "pair_count": len(labelled.pairs),
                "numerator": measure.numerator, "denominator": measure.denominator, "value": measure.value,
                "value_low": measure.low, "value_high": measure.high, "interval_method": measure.interval_method,
            }  # fmt: skip


def _assigned(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with the reviewed decisions applied, and the best candidate of each vendor and register marked."""
    confirmed = {(row["vendor_id"], row["authority"]) for row in rows if row["review"].get("decision") == "same firm"}
    for row in rows:
        decision = row["review"].get("decision")
        if (row["vendor_id"], row["authority"]) in confirmed:
            row["match_probability"] = 1.0 if decision == "same firm" else 0.0
        else:
            row["match_probability"] = 0.0 if decision == "another firm" else row["model_probability"]
    rows.sort(key=lambda row: (row["vendor_id"], row["authority"], -row["match_probability"], row["firm_id"]))
    seen: set[tuple[str, str]] = set()
    for row in rows:
        vendor = (row["vendor_id"], row["authority"])
        row["is_assigned"] = vendor not in seen and row["match_probability"] > 0
        seen.add(vendor)
        row["match_band"] = band(row["match_probability"])
        row |= {f"review_{name}": row["review"].get(name) for name in ("decision", "reason")}
        yield row


def _fields(party: "Party", *, names_only: bool) -> tuple[str | None, ...]:
    contact = (None, None, None) if names_only else (party.street, party.zip_code, party.phone)
    return (party.name, *contact)


def _parties(rows: Iterable[tuple[str | None, ...]]) -> "pa.Table":
    """Parties from (party_id, name, street, zip_code[, phone])."""
    import pyarrow as pa

    columns = ("party_id", "name", "street", "zip_code", "phone")
    listed = [dict(zip(columns, row, strict=False)) for row in rows]
    return pa.Table.from_pylist(listed, schema=pa.schema([(name, pa.string()) for name in columns]))


def _table(rows: Iterable[dict[str, Any]], columns: Mapping[str, str]) -> "pa.Table":
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])
    return pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows], schema=schema)


_MATCHES = {
    "vendor_id": "string", "authority": "string", "firm_id": "string", "city": "string", "vendor_name": "string",
    "firm_name": "string", "match_probability": "double", "match_band": "string", "is_assigned": "bool",
    "model_probability": "double", "match_weight": "double", "name_evidence": "string", "contact_evidence": "string",
    "review_decision": "string", "review_reason": "string",
}  # fmt: skip
_QUALITY = {
    "measured_on": "string", "evidence": "string", "measure": "string", "pair_count": "int64", "value": "double",
    "value_low": "double", "value_high": "double", "interval_method": "string", "numerator": "double", "denominator": "double",
    "target": "double", "meets_target": "bool",
}  # fmt: skip
