"""What people paste, and the source it names. Nobody is asked: portals answer from memory."""

from pathlib import Path
from typing import Any

import pytest

from civic_pipeline.catalog import ArcgisSource, OpendatasoftSource, SocrataSource
from civic_pipeline.cli.datasets import _resolve
from civic_pipeline.errors import AddressAmbiguous, AddressPrivate, AddressUnknown, SourceNotFound
from civic_pipeline.portals import session
from civic_pipeline.portals.http import Client
from civic_pipeline.scaffold.address import (
    FileAddress,
    HubAddress,
    ItemAddress,
    LayerAddress,
    OpendatasoftAddress,
    SocrataAddress,
    recognise,
    resolve,
)

CHICAGO = SocrataAddress("https://data.cityofchicago.org", "s4vu-giwb")
AGOL, CHECKBOOK = "https://www.arcgis.com", "f11a8992be0e4b8e8c80fd846b776114"
S1 = "https://services1.arcgis.com/UWYHeuuJISiGmgXx/arcgis/rest/services"
DHCD = "https://baltegis.baltimorecity.gov/mapping/rest/services/Housing/DHCD_Open_Baltimore_Datasets/FeatureServer"
SERVICE_REQUESTS = OpendatasoftAddress("https://data.longbeach.gov", "service-requests")
ALERTS = OpendatasoftAddress("https://cityofsalinas.opendatasoft.com", "311-alerts-qscend")


@pytest.mark.parametrize(
    ("pasted", "meant"),
    {
        # Socrata
        "https://data.cityofchicago.org/Administration-Finance/Payments/s4vu-giwb": CHICAGO,
        "https://data.cityofchicago.org/Administration-Finance/Payments/s4vu-giwb/about_data": CHICAGO,
        "https://data.cityofchicago.org/d/s4vu-giwb": CHICAGO,
        "https://data.cityofchicago.org/dataset/Payments/s4vu-giwb/data?no_mobile=true#x": CHICAGO,
        "https://data.cityofchicago.org/resource/s4vu-giwb.json?$limit=5": CHICAGO,
        "https://data.cityofchicago.org/resource/s4vu-giwb.csv": CHICAGO,
        "https://data.cityofchicago.org/api/views/s4vu-giwb": CHICAGO,
        "https://data.cityofchicago.org/api/views/s4vu-giwb.json": CHICAGO,
        "https://data.cityofchicago.org/api/views/s4vu-giwb/rows.csv?accessType=DOWNLOAD": CHICAGO,
        "https://data.cityofchicago.org/api/v3/views/s4vu-giwb/query.json": CHICAGO,
        "https://data.cityofchicago.org/api/odata/v4/s4vu-giwb": CHICAGO,
        "https://dev.socrata.com/foundry/data.cityofchicago.org/s4vu-giwb": CHICAGO,
        "  <https://data.cityofchicago.org/d/s4vu-giwb>\n": CHICAGO,
        "data.cityofchicago.org/d/s4vu-giwb": CHICAGO,
        "HTTPS://Data.CityOfChicago.org/d/s4vu-giwb": CHICAGO,
        "http://127.0.0.1:8899/resource/d621-379b.json": SocrataAddress("http://127.0.0.1:8899", "d621-379b"),
        # ArcGIS layers and services
        f"{S1}/OpenCheckbookFY2022_Through_Present/FeatureServer/0": LayerAddress(
            f"{S1}/OpenCheckbookFY2022_Through_Present/FeatureServer", 0
        ),
        f"{DHCD}/3/query?where=1%3D1&outFields=*&f=json": LayerAddress(DHCD, 3),
        f"{DHCD}": LayerAddress(DHCD, None),
        f"{DHCD}/?f=pjson": LayerAddress(DHCD, None),
        "https://webgis2.durhamnc.gov/server/rest/services/PublicServices/Inspections/MapServer/12": LayerAddress(
            "https://webgis2.durhamnc.gov/server/rest/services/PublicServices/Inspections/MapServer", 12
        ),
        f"{S1}/Community_Statistical_Areas_(CSAs)__Reference_Boundaries_new/FeatureServer/0": LayerAddress(
            f"{S1}/Community_Statistical_Areas_(CSAs)__Reference_Boundaries_new/FeatureServer", 0
        ),
        # ArcGIS items and hub pages
        CHECKBOOK: ItemAddress(AGOL, CHECKBOOK),
        CHECKBOOK.upper(): ItemAddress(AGOL, CHECKBOOK),
        f"https://www.arcgis.com/home/item.html?id={CHECKBOOK}": ItemAddress(AGOL, CHECKBOOK),
        f"https://baltimore.maps.arcgis.com/home/item.html?id={CHECKBOOK}&sublayer=3#data": ItemAddress(
            AGOL, CHECKBOOK, 3
        ),
        f"https://gis.town.gov/portal/home/item.html?id={CHECKBOOK}": ItemAddress(
            "https://gis.town.gov/portal", CHECKBOOK
        ),
        f"https://www.arcgis.com/sharing/rest/content/items/{CHECKBOOK}?f=json": ItemAddress(AGOL, CHECKBOOK),
        f"https://data.baltimorecity.gov/datasets/{CHECKBOOK}": ItemAddress(AGOL, CHECKBOOK),
        f"https://data.baltimorecity.gov/datasets/{CHECKBOOK}_0/explore?location=39.3": ItemAddress(AGOL, CHECKBOOK, 0),
        f"https://data.baltimorecity.gov/datasets/{CHECKBOOK}/about": ItemAddress(AGOL, CHECKBOOK),
        f"https://data.baltimorecity.gov/api/download/v1/items/{CHECKBOOK}/geojson?layers=7": ItemAddress(
            AGOL, CHECKBOOK, 7
        ),
        f"https://opendata.arcgis.com/datasets/{CHECKBOOK}_2.csv": ItemAddress(AGOL, CHECKBOOK, 2),
        "https://data.baltimorecity.gov/datasets/baltimore::open-checkbook-fy2022-present/about": HubAddress(
            "baltimore::open-checkbook-fy2022-present"
        ),
        "https://hub.arcgis.com/maps/baltimore%3A%3Aneighborhood": HubAddress("baltimore::neighborhood"),
        # OpenDataSoft
        "https://data.longbeach.gov/explore/dataset/service-requests/": SERVICE_REQUESTS,
        "https://data.longbeach.gov/explore/dataset/service-requests/table/?disjunctive.type": SERVICE_REQUESTS,
        "https://cityofsalinas.opendatasoft.com/api/explore/v2.1/catalog/datasets/311-alerts-qscend/records": ALERTS,
        "https://cityofsalinas.opendatasoft.com/api/v2/catalog/datasets/311-alerts-qscend/exports/csv": ALERTS,
        "https://cityofsalinas.opendatasoft.com/api/records/1.0/search/?dataset=311-alerts-qscend": ALERTS,
        # Files
        "https://www.denvergov.org/media/gis/DataCatalog/x/csv/x.csv": FileAddress(
            "https://www.denvergov.org/media/gis/DataCatalog/x/csv/x.csv"
        ),
        "https://town.gov/open-data/wards.geojson?v=2": FileAddress("https://town.gov/open-data/wards.geojson?v=2"),
        "https://town.gov/Payments FY26.XLSX": FileAddress("https://town.gov/Payments FY26.XLSX"),
    }.items(),
)  # fmt: skip
def test_an_address_is_recognised(pasted: str, meant: object) -> None:
    assert recognise(pasted) == meant


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("", "neither a web address nor an existing file"),
        ("payments", "neither a web address nor an existing file"),
        ("missing.csv", "neither a web address nor an existing file"),
        ("s4vu-giwb", "neither a web address nor an existing file"),
        ("ftp://town.gov/payments.csv", "neither a web address nor an existing file"),
        ("https://data.cityofchicago.org/", "it is not the address of a dataset"),
        ("https://data.baltimorecity.gov/search?q=vacant", "it is not the address of a dataset"),
        ("https://town.gov/data.pdf", "it is not the address of a dataset"),
        ("https://town.gov:x/d/s4vu-giwb", "it is not a valid address"),
        ("http://[::1/x", "it is not a valid address"),
    ],
)
def test_any_other_text_is_an_error_that_lists_valid_addresses(pasted: str, why: str) -> None:
    with pytest.raises(AddressUnknown, match="can be read") as refused:
        recognise(pasted)
    assert why in str(refused.value)
    for kind in ("Socrata", "ArcGIS layer", "ArcGIS item", "OpenDataSoft", "CSV, XLSX or GeoJSON"):
        assert kind in str(refused.value)


def test_a_file_here_is_named_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wards.csv").write_text("a\n1\n", encoding="utf-8")
    Path("notes.txt").write_text("a\n", encoding="utf-8")
    assert recognise("wards.csv") == FileAddress(str(tmp_path.resolve() / "wards.csv"))
    with pytest.raises(AddressUnknown, match=r"must end with one of \.csv"):
        recognise("notes.txt")


# Finding what an address leaves open


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A name service: every host is public but those in here."""
    known = {
        "127.0.0.1": "127.0.0.1",
        "localhost": "::1",
        "intranet.town.gov": "10.1.2.3",
        "metadata": "169.254.169.254",
    }

    def resolve(host: str, *_: Any) -> list[Any]:
        if host == "nowhere.gov":
            raise OSError
        return [(0, 0, 0, "", (known.get(host, "93.184.216.34"), 0))]

    monkeypatch.setattr(session.socket, "getaddrinfo", resolve)
    return known


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What portals answer, by address without parameters."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(Client, "json", lambda _, url, parameters: given[url])
    return given


LAYER = {"name": "Vacant_Building_Notices", "type": "Feature Layer", "fields": [{"name": "OBJECTID"}]}


@pytest.mark.parametrize(
    "pasted",
    [
        "http://127.0.0.1:8899/resource/d621-379b.json",
        "http://localhost:8899/resource/d621-379b.json",
        "https://intranet.town.gov/d/d621-379b",
        "http://metadata.x/latest.csv",
        "https://intranet.town.gov/explore/dataset/x/",
        f"{S1}/x/FeatureServer/0".replace("services1.arcgis.com", "intranet.town.gov"),
    ],
)
def test_a_private_host_is_an_error(pasted: str, names: dict[str, str]) -> None:
    names["metadata.x"] = "169.254.169.254"
    with pytest.raises(AddressPrivate, match="--allow-private-hosts"):
        resolve(pasted, allow_private=False)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "0.0.0.0", "100.64.0.1", "224.0.0.1", "::", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "fd00::1", "198.18.0.1"])  # fmt: skip
def test_every_kind_of_private_address_is_detected(inside: str, names: dict[str, str]) -> None:
    names["town.gov"] = inside
    assert session.private_address("town.gov")


def test_a_public_or_unknown_host_is_not_private() -> None:
    assert session.private_address("town.gov") is None
    assert session.private_address("nowhere.gov") is None


def test_an_item_with_a_url_in_a_private_network_is_an_error(answers: dict[str, Any]) -> None:
    answers[f"{AGOL}/sharing/rest/content/items/{CHECKBOOK}"] = {
        "url": "http://intranet.town.gov/arcgis/rest/services/x/FeatureServer"
    }
    with pytest.raises(AddressPrivate, match=r"intranet\.town\.gov \(10\.1\.2\.3\)"):
        resolve(CHECKBOOK, allow_private=False)


def test_public_hosts_use_https_and_private_hosts_the_scheme_of_the_address() -> None:
    public = resolve(
        "http://data.cityofchicago.org/d/s4vu-giwb", allow_private=False, tokens={"data.cityofchicago.org": "t"}
    )
    assert isinstance(public.source, SocrataSource)
    assert (public.source.domain, public.access.root, public.access.socrata_token) == (
        "data.cityofchicago.org",
        None,
        "t",
    )
    private = resolve("http://127.0.0.1:8899/resource/d621-379b.json", allow_private=True)
    assert private.access.root == "http://127.0.0.1:8899"
    dataset = resolve("http://127.0.0.1:8899/explore/dataset/wards/", allow_private=True)
    assert isinstance(dataset.source, OpendatasoftSource)
    assert (dataset.source.id, dataset.access.root) == ("wards", "http://127.0.0.1:8899")


def test_the_token_is_sent_only_to_hosts_of_our_own_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCRATA_APP_TOKEN", "secret")
    tokens = {
        host: _resolve(f"https://{host}/d/s4vu-giwb", allow_private_hosts=False).access.socrata_token
        for host in ("data.cityofchicago.org", "data.cityofchicago.org.evil.example", "data.town.gov")
    }
    assert list(tokens.values()) == ["secret", None, None]


def test_a_layer_is_identified_by_item_and_name(answers: dict[str, Any]) -> None:
    answers[DHCD] = {"layers": [{"id": 1, "name": LAYER["name"]}]}
    answers[f"{DHCD}/1"] = LAYER | {"serviceItemId": "a" * 32}
    source = resolve(f"{DHCD}/1", allow_private=False).source
    assert isinstance(source, ArcgisSource)
    assert (source.item, source.layer, source.number, source.fallbacks) == (
        "a" * 32,
        "Vacant_Building_Notices",
        None,
        (DHCD,),
    )
    answers[f"{DHCD}/1"] = LAYER  # a city's own server knows no items
    assert resolve(f"{DHCD}/1", allow_private=False).source == source.model_copy(update={"item": None})


def test_a_layer_that_shares_its_name_gets_its_number(answers: dict[str, Any]) -> None:
    answers[DHCD] = {"layers": [{"id": 0, "name": "2019", "type": "Group Layer"}, {"id": 1, "name": LAYER["name"]}]}
    answers[DHCD]["tables"] = [{"id": 4, "name": LAYER["name"]}]
    for number in (1, 4):
        answers[f"{DHCD}/{number}"] = LAYER
        source = resolve(f"{DHCD}/{number}", allow_private=False).source
        assert isinstance(source, ArcgisSource)
        assert (source.layer, source.number) == (LAYER["name"], number)


def test_a_hub_page_gives_the_layer_that_it_shows(answers: dict[str, Any]) -> None:
    answers["https://hub.arcgis.com/api/v3/datasets"] = {"data": [{"id": f"{CHECKBOOK}_1"}]}
    answers[f"{AGOL}/sharing/rest/content/items/{CHECKBOOK}"] = {"url": DHCD.replace("https", "http")}
    answers[f"{DHCD}/1"] = LAYER
    answers[DHCD] = {"layers": [{"id": 1, "name": LAYER["name"]}]}
    resolved = resolve("https://data.baltimorecity.gov/datasets/baltimore::vacants/about", allow_private=False)
    assert (
        resolved.source == resolve(f"https://data.baltimorecity.gov/datasets/{CHECKBOOK}_1", allow_private=False).source
    )
    answers["https://hub.arcgis.com/api/v3/datasets"] = {"data": []}
    with pytest.raises(SourceNotFound, match="baltimore::vacants"):
        resolve("https://data.baltimorecity.gov/datasets/baltimore::vacants/about", allow_private=False)


def test_a_service_with_several_layers_is_ambiguous(answers: dict[str, Any]) -> None:
    answers[DHCD] = {
        "layers": [{"id": 9, "name": "Group", "type": "Group Layer"}],
        "tables": [{"id": 1, "name": "Notices"}],
    }
    answers[f"{DHCD}/1"] = LAYER
    assert resolve(DHCD, allow_private=False) == resolve(f"{DHCD}/1", allow_private=False)
    answers[DHCD]["tables"].append({"id": 3, "name": "Permits"})
    with pytest.raises(AddressAmbiguous, match="has 2 layers") as refused:
        resolve(DHCD, allow_private=False)
    assert f"{DHCD}/1 (Notices)\n  {DHCD}/3 (Permits)" in str(refused.value)


def test_the_error_names_the_type_of_an_item_without_a_table(answers: dict[str, Any]) -> None:
    item = f"{AGOL}/sharing/rest/content/items/{CHECKBOOK}"
    answers[item] = {"type": "Web Map", "url": None}
    with pytest.raises(SourceNotFound, match="it is a Web Map"):
        resolve(CHECKBOOK, allow_private=False)
    answers[item] = {"error": {"code": 400, "message": "Item does not exist or is inaccessible."}}
    with pytest.raises(SourceNotFound, match="does not exist"):
        resolve(CHECKBOOK, allow_private=False)
    answers[f"{DHCD}/9"] = {"name": "Group", "type": "Group Layer", "subLayers": [{"id": 1, "name": "Notices"}]}
    with pytest.raises(AddressAmbiguous, match=r"/1 \(Notices\)"):
        resolve(f"{DHCD}/9", allow_private=False)
    answers[f"{DHCD}/9"] = {"name": "Aerial", "type": "Raster Layer"}
    with pytest.raises(SourceNotFound, match="Raster Layer"):
        resolve(f"{DHCD}/9", allow_private=False)


def test_an_invalid_host_is_an_error() -> None:
    with pytest.raises(AddressUnknown):
        resolve("https://93.184.216.34/d/s4vu-giwb", allow_private=False)
