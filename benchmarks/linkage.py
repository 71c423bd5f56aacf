"""Payees linked to certified firms by `civic_pipeline.methods.linkage` and by a plain fuzzy join with rapidfuzz, on the same rows.

    .venv/bin/python benchmarks/linkage.py                # precision at equal recall on the test half, then 200,000 x 5,000
    .venv/bin/python benchmarks/linkage.py --payees 20000 # a short test

The fuzzy join is the usual one: names in capitals without punctuation and legal form, the best `token_sort_ratio` of all firms,
and where two are equal the one in the same ZIP code. Its score orders its answers as the probability orders ours.
"""

import argparse
import random
import re
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from civic_pipeline.methods.linkage.corruption import Party, incomplete
from civic_pipeline.methods.linkage.labelled import (
    LabelledPair,
    LabelledSet,
    corrupted_copy,
    invented_firms,
    labelled_set,
)
from civic_pipeline.methods.linkage.matcher import link

SECONDS, GIGABYTES = 60, 2
RECALLS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
_LEGAL = re.compile(r"( (LLC|INC|INCORPORATED|CORP|CORPORATION|CO|COMPANY|LTD|LP|LLP))+$")


@dataclass(frozen=True)
class Answers:
    """For each payee a score, and whether the firm that it was given is right."""

    scores: "np.ndarray"
    right: "np.ndarray"
    seconds: float


def ours(labelled: LabelledSet) -> Answers:
    began = time.monotonic()
    payees = parties([pair.payee for pair in labelled.pairs])
    rows = link(payees, parties(list(labelled.firms))).to_pylist()
    seconds = time.monotonic() - began
    scores, chosen = np.zeros(len(labelled.pairs)), np.full(len(labelled.pairs), -1)
    for row in rows:
        payee = int(row["payee_id"])
        if row["match_probability"] > scores[payee]:
            scores[payee], chosen[payee] = row["match_probability"], int(row["firm_id"])
    return Answers(scores, is_right(labelled, chosen), seconds)


def fuzzy(labelled: LabelledSet) -> Answers:
    began = time.monotonic()
    firms = [plain(firm.name) for firm in labelled.firms]
    scores, chosen = np.zeros(len(labelled.pairs)), np.full(len(labelled.pairs), -1)
    for start in range(0, len(labelled.pairs), 1000):  # a matrix of all would not fit into the memory
        pairs = labelled.pairs[start : start + 1000]
        matrix = process.cdist([plain(p.payee.name) for p in pairs], firms, scorer=fuzz.token_sort_ratio, workers=-1)
        for row, pair in enumerate(pairs):
            best = np.flatnonzero(matrix[row] == matrix[row].max())
            near = [i for i in best if labelled.firms[i].zip_code == pair.payee.zip_code]
            chosen[start + row] = near[0] if near else best[0]
            scores[start + row] = matrix[row].max() + (0.5 if near else 0)
    return Answers(scores, is_right(labelled, chosen), time.monotonic() - began)


def plain(name: str) -> str:
    """A name as the usual fuzzy join prepares it."""
    return _LEGAL.sub("", re.sub(r"[^A-Z0-9]+", " ", name.upper().replace("&", " AND ")).strip())


def parties(listed: list[Party]) -> pa.Table:
    return pa.table({
        "party_id": [f"{i:06d}" for i in range(len(listed))],
        **{name: pa.array([getattr(party, name) for party in listed], pa.string()) for name in ("name", "street", "zip_code", "phone")},
    })  # fmt: skip


def is_right(labelled: LabelledSet, chosen: "np.ndarray") -> "np.ndarray":
    return np.array([p.is_match and p.firm == firm for p, firm in zip(labelled.pairs, chosen, strict=True)])


def precision_at(answers: Answers, recall: float, matches: int) -> float | None:
    """The precision where `recall` of the matches is found, going down by score; None if it is never reached."""
    order = np.argsort(-answers.scores, kind="stable")
    hits = np.cumsum(answers.right[order])
    scores = answers.scores[order]
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)  # equal scores are accepted together
    reached = [end for end in ends if hits[end] >= recall * matches]
    return float(hits[reached[0]] / (reached[0] + 1)) if reached else None


def large(payees: int, firms: int) -> LabelledSet:
    """`firms` firms with a payee each, and other payees that are none of them."""
    rng = random.Random(3)  # noqa: S311 - invented data, not secrets
    labelled = corrupted_copy(invented_firms(rng, firms), rng)
    others = [incomplete(rng, party) for party in invented_firms(rng, payees - firms)]
    return LabelledSet(labelled.firms, (*labelled.pairs, *(LabelledPair(party, 0, False, "other") for party in others)))


def names_only(labelled: LabelledSet) -> LabelledSet:
    """The same pairs as Baltimore publishes its payees: without address and telephone."""
    pairs = (LabelledPair(Party(p.payee.name), p.firm, p.is_match, p.kind) for p in labelled.pairs)
    return LabelledSet(tuple(Party(firm.name) for firm in labelled.firms), tuple(pairs))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--payees", type=int, default=200_000)
    options.add_argument("--firms", type=int, default=5_000)
    asked = options.parse_args()
    labelled = labelled_set("test")
    matches = sum(pair.is_match for pair in labelled.pairs)
    answers = [(ours(rows), fuzzy(rows)) for rows in (labelled, names_only(labelled))]
    print(f"Test half: {len(labelled.pairs):,} payees, {len(labelled.firms):,} firms, {matches:,} matches\n")
    print(
        "| recall | precision, linkage | fuzzy join | linkage, names only | fuzzy join, names only |\n|---:|---:|---:|---:|---:|"
    )
    worse = []
    for recall in RECALLS:
        reached = [precision_at(each, recall, matches) or 0.0 for pair in answers for each in pair]
        print(f"| {recall:.0%} | " + " | ".join(f"{p:.3f}" if p else "not reached" for p in reached) + " |")
        if reached[0] <= reached[1]:
            worse.append(recall)
    (mine, theirs), _ = answers
    print(f"\nSeconds: linkage {mine.seconds:.1f}, fuzzy join {theirs.seconds:.1f}")
    many = large(asked.payees, asked.firms)
    began, cpu = time.monotonic(), time.process_time()
    rows = link(parties([pair.payee for pair in many.pairs]), parties(list(many.firms))).num_rows
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{len(many.pairs):,} payees x {len(many.firms):,} firms: {rows:,} candidate pairs")
    print(f"{seconds:.1f} s, {cpu:.1f} CPU s, {memory:.2f} GB at most")
    failed = [f"not better at recall {recall:.0%}" for recall in worse]
    failed += [f"{seconds:.0f} s, the target is {SECONDS}"] if seconds > SECONDS else []
    failed += [f"{memory:.1f} GB, the target is {GIGABYTES}"] if memory > GIGABYTES else []
    print(*(f"FAIL: {what}" for what in failed), sep="\n")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
