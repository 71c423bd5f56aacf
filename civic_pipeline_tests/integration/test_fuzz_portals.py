"""A hostile portal: whatever one of its answers is changed to, a capture succeeds or ends with an error of ours."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal import serve

from civic_pipeline.catalog import ArcgisSource, FileHere, OpendatasoftSource, SocrataSource
from civic_pipeline.catalog.dataset import Dataset
from civic_pipeline.demo import DemoPortals
from civic_pipeline.lake import Lake
from civic_pipeline.lake.attempt import try_capture
from civic_pipeline.portals import Access, editions_of, http
from civic_pipeline.portals.session import Session
from civic_pipeline.scaffold.trial import dataset_of

pytestmark = pytest.mark.slow

RECORDED = "2026-01-01"
ITEM = "0123456789abcdef0123456789abcdef"
ROWS = "id,name,amount,paid\n" + "".join(f"{n},Name {n},{n}.5,2024-01-{1 + n % 28:02}\n" for n in range(25))
SOURCES = {
    "socrata": SocrataSource(portal="socrata", domain="data.town.gov", id="abcd-1234", recorded=RECORDED),
    "arcgis": ArcgisSource(portal="arcgis", item=ITEM, layer="payments", recorded=RECORDED),
    "opendatasoft": OpendatasoftSource(portal="opendatasoft", domain="data.town.gov", id="payments", recorded=RECORDED),
}

# What stands at one place of an answer instead. Long, deep and foreign texts are among them.
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["", "\x1b[2J", "x" * 5000, "<title" * 500, "__proto__", "-1", "1e999", "2024-13-45", "' or 1=1 --"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6
)  # fmt: skip
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Content-Type", "ETag", "Last-Modified", "X-SODA2-Fields", "X-SODA2-Data-Out-Of-Date"]),
    st.sampled_from(["", "0", "-1", "soon", "9" * 40, "Wed, 99 Foo 2024", "text/html", "\x1b[2J", "[", '{"a":']), max_size=2,
)  # fmt: skip


@dataclass
class Change:
    """A change of the answer number `at`: of its JSON at a place, of its bytes, its status or its headers."""

    at: int
    where: list[int]
    value: Any
    bytes_at: float | None
    inserted: bytes
    status: int | None
    headers: dict[str, str]
    seen: int = field(default=0)

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> requests.Response:
        self.seen += 1
        if self.seen - 1 != self.at:
            return response
        body = response.content
        if self.bytes_at is not None:
            position = int(self.bytes_at * len(body))
            body = body[:position] + self.inserted
        else:
            try:
                body = json.dumps(replaced(json.loads(body), self.where, self.value)).encode()
            except ValueError:  # an export of lines, or a file
                body = self.inserted + body
        response._content = body
        response.status_code = self.status or response.status_code
        response.headers.update(self.headers)
        return response


def replaced(value: Any, where: list[int], by: Any) -> Any:
    """`value` with `by` at a place of it: the numbers choose among the children at each level."""
    if not where or not isinstance(value, dict | list) or not value:
        return by
    if isinstance(value, list):
        index = where[0] % len(value)
        return [replaced(inner, where[1:], by) if n == index else inner for n, inner in enumerate(value)]
    key = sorted(value)[where[0] % len(value)]
    return {name: replaced(inner, where[1:], by) if name == key else inner for name, inner in value.items()}


CHANGES = st.builds(
    Change, at=st.integers(0, 5), where=st.lists(st.integers(0, 30), max_size=5), value=VALUES,
    bytes_at=st.none() | st.none() | st.floats(0, 1), inserted=st.binary(max_size=12),
    status=st.none() | st.none() | st.sampled_from([200, 202, 204, 206, 301, 304, 400, 401, 404, 429, 500, 503, 599]), headers=HEADERS,
)  # fmt: skip


@dataclass(frozen=True)
class Hostile(Access):
    """Access to the demo portals whose answers are changed."""

    change: Change | None = None

    def session(self) -> Session:
        session = super().session()
        if self.change:
            session.hooks["response"].append(self.change)
        return session


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPortals]:
    kinds = {"id": "integer", "name": "text", "amount": "double", "paid": "text"}
    entry = {"file": "payments.csv", "socrata": "abcd-1234", "item": ITEM, "layer": "payments", "opendatasoft": "payments", "types": kinds}  # fmt: skip
    folder = serve(tmp_path_factory.mktemp("served") / "files", entry)
    (folder / "payments.csv").write_text(ROWS, encoding="utf-8")
    with DemoPortals(folder) as portals:
        yield portals


@pytest.mark.parametrize("kind", [*SOURCES, "file"])
@settings(max_examples=300)
@given(change=CHANGES)
def test_any_change_of_an_answer_is_rows_or_an_error_of_ours(
    kind: str, portals: DemoPortals, tmp_path_factory: pytest.TempPathFactory, change: Change
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "pause", lambda _: None)
        attempt = try_capture("town/payments", dataset(kind, portals), lake, Hostile(root=portals.url, change=change))
    if attempt.problem:
        assert "\x1b" not in attempt.problem
        assert "\n" not in attempt.problem
    else:
        (manifest,) = lake.captures("town/payments")
        lake.verify(manifest)
        assert manifest.rows > 0


_DATASETS: dict[str, Dataset] = {}


def dataset(kind: str, portals: DemoPortals) -> Dataset:
    """The dataset as the unchanged portal describes it, once."""
    if kind not in _DATASETS:
        source = SOURCES.get(kind) or FileHere(
            portal="file", url=f"{portals.url}/files/payments.csv", recorded=RECORDED
        )
        (reader,) = editions_of(source, Access(root=portals.url)).values()
        _DATASETS[kind] = dataset_of(source, reader.describe())
    return _DATASETS[kind]
