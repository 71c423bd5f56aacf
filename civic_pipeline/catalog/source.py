"""Where the rows of a dataset come from: one source of one portal, or editions, of which each is a source."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, field_serializer, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from civic_pipeline.catalog.columns import columns_schema, split_personal
from civic_pipeline.catalog.yaml_file import Strict, mistake
from civic_pipeline.redaction import doubtful_parts


class PagedSource(Strict):
    """How a source is read in pages."""

    requests_at_once: int = Field(
        default=4, ge=1, le=16, description="Largest number of parallel requests to the portal."
    )
    full_read_every_days: int | None = Field(
        default=None,
        ge=1,
        description="Read only what the portal marks as changed, and everything every so many days, since deletions leave no mark."
        " Without it, everything is read whenever something changed.",
    )


class SocrataSource(PagedSource):
    """A Socrata dataset."""

    portal: Literal["socrata"]
    domain: str = Field(
        pattern=r"^[a-z0-9.-]+\.[a-z]+$", description="Host of the portal, such as data.cityofchicago.org."
    )
    id: str = Field(pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$", description="The 4x4 id.")
    recorded: date = Field(description="Day on which this reference was last confirmed in a public source.")


class ArcgisSource(PagedSource):
    """An ArcGIS layer or table. The item id is the stable reference; hosts, services and layer numbers change."""

    portal: Literal["arcgis"]
    item: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{32}$",
        description="The 32-hex item id. If the city's own server has none, `fallbacks` has the address of the layer.",
    )
    layer: str = Field(min_length=1, description="The layer's name, verified on every read.")
    number: int | None = Field(
        default=None,
        ge=0,
        description="The layer's number, verified too. Only where several layers of the service have this name: numbers move.",
    )
    fallbacks: tuple[Annotated[str, Field(pattern=r"^https://.+/(FeatureServer|MapServer)$")], ...] = Field(
        default=(), description="Service addresses to try, in order, when the item does not resolve."
    )
    recorded: date = Field(description="Day on which this reference was last confirmed in a public source.")

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if self.item is None and not self.fallbacks:
            raise mistake("give `item`, or `fallbacks` for a layer that belongs to no item")
        return self


class OpendatasoftSource(Strict):
    """An OpenDataSoft (Huwise) dataset, read as one export: such portals have no row ids and do not mark changed rows."""

    portal: Literal["opendatasoft"]
    domain: str = Field(pattern=r"^[a-z0-9.-]+\.[a-z]+$", description="Host of the portal, such as data.longbeach.gov.")
    id: str = Field(pattern=r"^[\w@.-]+$", description="The dataset's id, as in its address: /explore/dataset/<id>/.")
    recorded: date = Field(description="Day on which this reference was last confirmed in a public source.")


class FileSource(Strict):
    """A file on the web or in the project: CSV, Excel, GeoJSON or JSON, also compressed by gzip. The format is recognised by its bytes."""

    portal: Literal["file"]
    url: str = Field(
        description="An https address, or a path from the project's root such as data/seeds/wards.csv. A dataset's file"
        " must be inside the project; `civic capture` reads any local file."
    )
    sheet: str | None = Field(default=None, description="Sheet of a workbook, if it is not the first.")
    member: str | None = Field(
        default=None,
        min_length=1,
        description="Member of a JSON file that has the rows as an array of objects, such as dataset in a DCAT-US catalog.",
    )
    encoding: str | None = Field(
        default=None,
        description="Encoding of a CSV file that is neither Unicode nor Windows-1252, such as mac_roman: any bytes pass for"
        " Windows-1252, so nothing but a misspelt name reveals it.",
    )
    recorded: date = Field(description="Day on which this reference was last confirmed in a public source.")

    @field_validator("url")
    @classmethod
    def _leads_to_a_file(cls, url: str) -> str:
        is_inside = not re.match(r"[/~\\]|\w+:", url) and not {"", ".", ".."} & set(re.split(r"[/\\]", url))
        if not re.fullmatch(r"https://[^/@\s]+/\S+", url) and not is_inside:
            raise mistake("give an https address, or a path from the project's root without ..")
        if parts := doubtful_parts(url):
            raise mistake(f"these files are public, and the address contains {', '.join(parts)}, which may be a secret")
        return url

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str | None) -> str | None:
        try:
            if encoding is not None:
                "".encode(encoding)
        except (LookupError, ValueError):
            raise mistake("give an encoding that Python knows, such as mac_roman") from None
        return encoding


class FileHere(FileSource):
    """A file named on the command line: an absolute path, or a private http address. Not possible in YAML."""

    @field_validator("url")
    @classmethod
    def _leads_to_a_file(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^/@\s]+/\S+", url) and not Path(url).is_absolute():
            raise mistake("give a web address or an absolute path")
        return url


SingleSource = SocrataSource | ArcgisSource | OpendatasoftSource | FileSource

# What names a source of its kind when it is written as plain text, and what editions cannot share.
_NAMED_BY = {"socrata": "id", "opendatasoft": "id", "arcgis": "item", "file": "url"}
_OWN_KEYS = ("columns", "personal", "key", "inferred")


class Edition(Strict):
    """One part of a dataset that the publisher keeps as a dataset of its own, such as a year."""

    source: Annotated[SingleSource, Field(discriminator="portal")]
    columns: Annotated[dict[str, str], columns_schema(0)] = Field(
        default_factory=dict, description="Its columns, all of them, if they are not those of the dataset."
    )
    personal: SkipJsonSchema[frozenset[str]] = frozenset()
    key: tuple[str, ...] | None = Field(default=None, description="Its key, if it is not that of the dataset.")
    inferred: bool = Field(
        default=False,
        description="What is declared of it was never seen. Where the portal has something else, the edition is left out with a warning.",
    )

    @model_validator(mode="before")
    @classmethod
    def _personal_apart(cls, values: Any) -> Any:
        return split_personal(values)

    @field_serializer("personal")
    def _in_one_order(self, names: frozenset[str]) -> list[str]:
        return sorted(names)


Label = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class Editions(Strict):
    """A source in editions. The keys beside `editions` are those that the editions share."""

    # As written, it also has the shared keys of a source.
    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    portal: str = Field(description="Kind of portal of the editions that name no other.")
    recorded: date = Field(description="Day on which these references were last confirmed in a public source.")
    editions: dict[Label, Edition] = Field(
        min_length=1,
        description="Label, such as 2022 or fy2022-, -> what names the source (an id, an item, an address), or the keys of a source"
        " with `columns`, `key` and `inferred` where they differ. The raw table has the label in `_edition`.",
        json_schema_extra={
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "object"}]},
            "propertyNames": {},
        },
    )

    @model_validator(mode="before")
    @classmethod
    def _share(cls, values: Any) -> Any:
        """Give each edition the keys that all share, and separate those of its source from its own."""
        editions = values.get("editions")
        if not isinstance(editions, dict):
            return values
        shared = {key: value for key, value in values.items() if key != "editions"}
        if alone := [key for key in _NAMED_BY.values() if key in shared]:
            raise mistake(f"give either `{alone[0]}` or `editions`", alone[0])
        whole = {str(label): _spread(edition, shared) for label, edition in editions.items()}
        return {key: shared[key] for key in ("portal", "recorded") if key in shared} | {"editions": whole}


def _spread(edition: object, shared: dict[str, Any]) -> object:
    if isinstance(edition, str):
        edition = {_NAMED_BY.get(shared.get("portal", ""), "id"): edition}
    if not isinstance(edition, dict) or "source" in edition:
        return edition
    own = {key: value for key, value in edition.items() if key in _OWN_KEYS}
    source = {key: value for key, value in edition.items() if key not in own}
    if source.get("portal", shared.get("portal")) == shared.get("portal"):
        source = shared | source
    elif "recorded" in shared:
        source = {"recorded": shared["recorded"]} | source
    return {"source": source, **own}


def _kind_of(value: Any) -> str | None:
    if isinstance(value, dict):
        return "editions" if "editions" in value else value.get("portal")
    return "editions" if isinstance(value, Editions) else getattr(value, "portal", None)


Source = Annotated[
    Annotated[SocrataSource, Tag("socrata")]
    | Annotated[ArcgisSource, Tag("arcgis")]
    | Annotated[OpendatasoftSource, Tag("opendatasoft")]
    | Annotated[FileSource, Tag("file")]
    | Annotated[Editions, Tag("editions")],
    Discriminator(_kind_of),
]
