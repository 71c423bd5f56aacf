"""The definition of a dataset: its source, its columns and its limits. Written in `defs.yaml`."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from civic_pipeline.catalog.shape import Shape
from civic_pipeline.catalog.yaml_file import Strict, mistake
from civic_pipeline.redaction import redacted

Cadence = Literal["daily", "weekly", "monthly", "quarterly", "annually", "irregular", "closed"]
Subject = Literal[
    "shared", "budget", "spending", "salaries", "participation", "covid", "housing", "service_requests", "performance",
    "certification", "reconciliation",
]  # fmt: skip
# Owners as Dagster writes them: a team as `team:<name>`, a person by e-mail address.
Owners = tuple[Annotated[str, Field(pattern=r"^(team:[\w-]+|[^@\s]+@[^@\s]+)$")], ...]
OWNERS: Owners = ("team:open-data",)
TimeZonePolicy = Literal["utc", "local_labelled_utc", "date_only"]

# Largest age of the newest date per cadence, in days: the period, plus weekends, holidays and late postings.
FRESH_FOR_DAYS: dict[Cadence, int] = {"daily": 7, "weekly": 14, "monthly": 45, "quarterly": 120, "annually": 400}


def _share(value: object) -> object:
    """`2%` as a share from 0 to 1."""
    if isinstance(value, str) and value.endswith("%"):
        try:
            return float(value[:-1]) / 100
        except ValueError:
            raise ValueError("write a percentage such as 2%") from None
    raise ValueError("write a percentage such as 2%")


Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=1),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"}),
]


# Serialized as it is read, so that a dataset can be copied with other values.
_AsWritten = PlainSerializer(lambda share: f"{share * 100:.10g}%")
Tolerance = Annotated[Share, _AsWritten]
Growth = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"}),
    _AsWritten,
]


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
    """A Socrata dataset, or one dataset per year with the same columns (`editions`)."""

    portal: Literal["socrata"]
    domain: str = Field(
        pattern=r"^[a-z0-9.-]+\.[a-z]+$", description="Host of the portal, such as data.cityofchicago.org."
    )
    id: str | None = Field(default=None, pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$", description="The 4x4 id.")
    editions: dict[
        Annotated[str, Field(pattern=r"^[0-9]{4}$")], Annotated[str, Field(pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")]
    ] = Field(default_factory=dict, description="Year -> 4x4 id, for a publisher who opens a new dataset every year.")
    recorded: date = Field(description="Day on which this reference was last confirmed in a public source.")

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.id is None) == (not self.editions):
            raise mistake("give either `id` or `editions`")
        return self


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
    """A file on the web or in the project: CSV, Excel or GeoJSON, also compressed by gzip. The format is recognised by its bytes."""

    portal: Literal["file"]
    url: str = Field(
        description="An https address, or a path from the project's root such as data/seeds/wards.csv. A dataset's file"
        " must be inside the project; `civic capture` reads any local file."
    )
    sheet: str | None = Field(default=None, description="Sheet of a workbook, if it is not the first.")
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
        if url != redacted(url):
            raise mistake("the address contains a token or a password, and these files are public")
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


Source = Annotated[SocrataSource | ArcgisSource | OpendatasoftSource | FileSource, Field(discriminator="portal")]


class PersonalColumn(Strict):
    """A column about persons, as it is written in `columns`."""

    type: str = Field(min_length=1, description="The portal type.")
    personal: Literal[True]


_COLUMN_TYPES = WithJsonSchema(
    {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"anyOf": [{"type": "string"}, PersonalColumn.model_json_schema()]},
    }
)


class Volume(Strict):
    """The expected number of rows."""

    shrink_at_most: Share = Field(description="Largest allowed drop against the last accepted capture, such as 2%.")


class Limits(Strict):
    """The shares from which a drift check warns and holds the table back."""

    warn: Tolerance = Field(description="Share from which it warns, such as 0.5%.")
    hold: Tolerance = Field(description="Share from which it holds the table back, such as 2%.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn > self.hold:
            raise mistake("`warn` is above `hold`, so it would never warn", "warn")
        return self

    @classmethod
    def of(cls, warn: str, hold: str) -> Self:
        return cls.model_validate({"warn": warn, "hold": hold})


class Drift(Strict):
    """How much the clean table may change against its last accepted version. All have defaults."""

    slices: tuple[str, ...] | None = Field(
        default=None,
        description="Columns of the clean table whose values are compared one by one, within fiscal years where it has them."
        " Default: agency_name or department_name.",
    )
    payee: str | None = Field(default=None, description="Column of the payees to count. Default: vendor_name.")
    grow_at_most: Growth = Field(
        default=0.25, description="Largest allowed growth of rows and of each control total in one step."
    )
    closed: Limits = Field(default=Limits.of("0.5%", "2%"), description="Allowed changes of a past fiscal year.")
    open: Limits = Field(
        default=Limits.of("10%", "20%"),
        description="Allowed drops of any other slice, and allowed changes of a share, in percentage points.",
    )
    changed: Limits = Field(
        default=Limits.of("1%", "20%"), description="Allowed share of accepted rows that changed or are missing."
    )


class Dataset(Strict):
    """One dataset of one publisher: the `attributes:` of a `defs.yaml`."""

    title: str = Field(min_length=1, description="Title on the portal.")
    subject: Subject = Field(description="Subject: the folder of the marts that use it.")
    formerly: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_]+/[a-z0-9_]+$",
        description="Earlier name of the dataset; captures under that name are still read.",
    )
    retired: bool = Field(
        default=False,
        description="The source is gone: it is not asked any more. Its captures stay readable; without any, its tables are empty.",
    )
    publisher: str = Field(min_length=1)
    owners: Owners = Field(default=OWNERS, description="Who answers for it here, such as team:open-data.")
    licence: str = Field(min_length=1, description="Licence the publisher states, or `not stated`.")
    description: str = Field(min_length=1, description="What the dataset holds and what it leaves out.")
    source: Source
    cadence: Cadence = Field(description="How often the publisher says it updates.")
    dated_by: str | None = Field(
        default=None, description="Date column of the clean table that gives the age of the data."
    )
    key: tuple[str, ...] = Field(description="Columns that identify a record in the source; may be empty.")
    columns: Annotated[dict[str, str], _COLUMN_TYPES] = Field(
        min_length=1,
        description="Expected columns and their portal types; a name with * stands for a family of columns, of which one must exist."
        " A column about persons is written {type: text, personal: true}.",
    )
    personal: SkipJsonSchema[frozenset[str]] = Field(
        default=frozenset(), description="The columns about persons, from `columns`."
    )
    time_zones: dict[str, TimeZonePolicy] = Field(
        default_factory=dict, description="Meaning of the times of each date column."
    )
    valid_from: str | None = Field(
        default=None, description="Column with the first day on which a record is valid, for meta.record_versions."
    )
    valid_to: str | None = Field(default=None, description="Column with its last valid day.")
    earlier_shapes: tuple[Shape, ...] = Field(
        default=(),
        description="Earlier column names of the source; the first shape that fits a capture is used.",
    )
    volume: Volume
    drift: Drift = Field(default=Drift(), description="How much the clean table may change in one step.")

    def lacks(self, columns: Iterable[str]) -> list[str]:
        """The declared columns that are missing in `columns`, ignoring case; of a family, one is enough."""
        present = [column.lower() for column in columns]
        return [name for name in self.columns if not any(stands_for(name.lower(), column) for column in present)]

    def shape_of(self, columns: tuple[str, ...]) -> Shape | None:
        """The earlier shape of a capture with these columns; None for the current or an undescribed shape."""
        if not self.lacks(columns):
            return None
        return next((shape for shape in self.earlier_shapes if shape.fits(columns)), None)

    @field_serializer("personal")
    def _in_one_order(self, names: frozenset[str]) -> list[str]:
        """Serialize in sorted order: the order of a set differs between processes, and the text is part of the fingerprint."""
        return sorted(names)

    @model_validator(mode="before")
    @classmethod
    def _personal_apart(cls, values: Any) -> Any:
        """Split `columns` into name and type, and into `personal`, the names of those about persons."""
        columns = values.get("columns") if isinstance(values, dict) else None
        if not isinstance(columns, dict) or not any(isinstance(kind, dict) for kind in columns.values()):
            return values
        if "personal" in values:
            raise mistake("write personal: true beside the column's type")
        types, personal = dict(columns), set()
        for name, kind in columns.items():
            if isinstance(kind, dict):
                try:
                    types[name] = PersonalColumn.model_validate(kind).type
                except ValidationError:
                    message = "write the column's type, or {type: text, personal: true} for a column about persons"
                    raise mistake(message, "columns", name) from None
                personal.add(name)
        return values | {"columns": types, "personal": frozenset(personal)}

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        spellings = [name.lower() for name in self.columns]
        if twice := next((name for name in self.columns if spellings.count(name.lower()) > 1), None):
            raise mistake(f"{twice} is listed twice: names are compared without case", "columns", twice)
        mentioned = {
            "key": self.key,
            "time_zones": tuple(self.time_zones),
            "valid_from": (self.valid_from,) if self.valid_from else (),
            "valid_to": (self.valid_to,) if self.valid_to else (),
            "earlier_shapes": tuple(name for shape in self.earlier_shapes for name in shape.columns),
        }
        for part, names in mentioned.items():
            unknown = [name for name in names if name not in self.columns]
            if unknown:
                raise mistake(f"{part} names {', '.join(unknown)}, which `columns` does not list", part)
        for part in ("key", "valid_from", "valid_to"):
            shown = [name for name in mentioned[part] if name in self.personal]
            if shown:
                raise mistake(f"{part} names {', '.join(shown)}, which is about persons; histories would show it", part)
        families = [name for name in self.personal if "*" in name]
        if families:
            raise mistake("a family of columns cannot be personal: list its columns", "columns", families[0])
        undated = [
            name for name, kind in self.columns.items() if kind in {"date", "Date"} and name not in self.time_zones
        ]
        if undated:
            raise mistake(
                f"time_zones must say what the times of {', '.join(undated)} mean: utc, local_labelled_utc or date_only",
                "columns",
                undated[0],
            )
        return self


def stands_for(pattern: str, column: str) -> bool:
    """Whether a name in `columns` matches `column`; * matches any characters."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), column, re.DOTALL) is not None
