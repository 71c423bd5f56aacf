"""The definition of a dataset: its source, its columns and its limits. Written in `defs.yaml`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, field_serializer, model_validator
from pydantic.json_schema import SkipJsonSchema

from civic_pipeline.catalog.columns import columns_schema, finder, members, split_personal
from civic_pipeline.catalog.shape import Shape
from civic_pipeline.catalog.source import Editions, Source
from civic_pipeline.catalog.yaml_file import Strict, mistake

Cadence = Literal["daily", "weekly", "monthly", "quarterly", "annually", "irregular", "closed"]
Subject = Literal[
    "shared", "budget", "spending", "salaries", "participation", "covid", "housing", "places", "service_requests", "performance",
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


class Points(Strict):
    """Where the files of older copies hold points: two columns, and the reference system of their numbers."""

    x: str = Field(min_length=1, description="Column of the easting or longitude.")
    y: str = Field(min_length=1, description="Column of the northing or latitude.")
    system: str = Field(pattern=r"^EPSG:\d+$", description="Their reference system, such as EPSG:2248.")


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
    successor: str | None = Field(
        default=None,
        min_length=1,
        description="Where the publisher moved it, as far as is known. `civic doctor` says it where the source does not answer.",
    )
    provenance: str | None = Field(
        default=None,
        min_length=1,
        description="What is known of the source and was not checked: since when it answers, what it was before, what misleads. For"
        " docs/sources.md.",
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
    columns: Annotated[dict[str, str], columns_schema(1)] = Field(
        min_length=1,
        description="Expected columns and their portal types, or integer, number, text or date for any type of that class; a name with *"
        " stands for a family of columns, of which one must exist. A column about persons is written {type: text, personal: true}.",
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
    points: Points | None = Field(
        default=None,
        description="Columns of older copies that hold a point of a layer, if a copy has them: a backfill makes it the geometry.",
    )
    volume: Volume
    drift: Drift = Field(default=Drift(), description="How much the clean table may change in one step.")

    @property
    def editions(self) -> dict[str | None, "Dataset"]:
        """Each edition as a dataset of one source, with its own columns and key; under None if there are no editions."""
        if not isinstance(self.source, Editions):
            return {None: self}
        return {
            label: self.model_copy(
                update={"source": edition.source}
                | ({"columns": edition.columns, "personal": edition.personal} if edition.columns else {})
                | ({"key": edition.key} if edition.key is not None else {})
            )
            for label, edition in self.source.editions.items()
        }

    def edition(self, label: str | None) -> "Dataset":
        """The edition of that label; the dataset itself for a capture from before it had this edition."""
        return self.editions.get(label, self)

    @property
    def inferred(self) -> frozenset[str]:
        """The labels of the editions whose columns were never seen."""
        editions = self.source.editions if isinstance(self.source, Editions) else {}
        return frozenset(label for label, edition in editions.items() if edition.inferred)

    @property
    def all_columns(self) -> dict[str, str]:
        """The declared columns of the dataset and of all its editions, each once, whatever its case."""
        columns: dict[str, tuple[str, str]] = {}
        for declared in (self, *self.editions.values()):
            for name, kind in declared.columns.items():
                columns.setdefault(name.lower(), (name, kind))
        return dict(columns.values())

    @property
    def about_persons(self) -> frozenset[str]:
        """The columns about persons, in lower case, of the dataset and of all its editions."""
        declared = (self, *self.editions.values())
        return frozenset(name.lower() for dataset in declared for name in dataset.personal)

    def lacks(self, columns: Iterable[str]) -> list[str]:
        """The declared columns that are missing in `columns`, ignoring case; of a family, one is enough."""
        find = finder(columns)
        return [name for name in self.columns if not find(name)]

    def shape_of(self, columns: tuple[str, ...]) -> Shape | None:
        """The earlier shape of a source with these columns; None for the current or an undescribed shape."""
        if not (lacking := self.lacks(columns)):
            return None
        unexplained = [name for name in lacking if self.columns[name] != "OID"]  # an export has no object ids
        return next((shape for shape in self.earlier_shapes if shape.fits(columns, unexplained)), None)

    @field_serializer("personal")
    def _in_one_order(self, names: frozenset[str]) -> list[str]:
        """Serialize in sorted order: the order of a set differs between processes, and the text is part of the fingerprint."""
        return sorted(names)

    @model_validator(mode="before")
    @classmethod
    def _personal_apart(cls, values: Any) -> Any:
        return split_personal(values)

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        shown_nowhere = self.about_persons
        for part, names in self._mentioned():
            listed = self.columns if part == "key" else self.all_columns
            # A shape may name members of a family, such as fy15_budget of fy*_budget.
            families = [name for name in listed if "*" in name] if part == "earlier_shapes" else []
            unknown = [
                name for name in names if name not in listed and not any(members(one, [name]) for one in families)
            ]
            if unknown:
                raise mistake(f"{part} names {', '.join(unknown)}, which `columns` does not list", part)
            shown = [name for name in names if name.lower() in shown_nowhere]
            if shown and part in ("key", "valid_from", "valid_to"):
                raise mistake(f"{part} names {', '.join(shown)}, which is about persons; histories would show it", part)
        _refuse_columns(self.columns, self.personal, self.time_zones)
        for label, edition in self.source.editions.items() if isinstance(self.source, Editions) else ():
            at = ("source", "editions", label)
            _refuse_columns(edition.columns, edition.personal, self.time_zones, *at)
            own = edition.columns or self.columns
            if unknown := [name for name in edition.key or () if name not in own]:
                raise mistake(f"key names {', '.join(unknown)}, which its columns do not list", *at, "key")
            if shown := [name for name in edition.key or () if name.lower() in self.about_persons]:
                raise mistake(
                    f"key names {', '.join(shown)}, which is about persons; histories would show it", *at, "key"
                )
        for position, shape in enumerate(self.earlier_shapes):
            if shape.columns and not shape.without and all(members(name, self.columns) for name in shape.reads):
                message = (
                    "it reads only current names, so today's layout with a column missing would fit: give `without`"
                )
                raise mistake(message, "earlier_shapes", position)
        return self

    def _mentioned(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The names of columns in the other keys, by key."""
        yield "key", self.key
        yield "time_zones", tuple(self.time_zones)
        yield "valid_from", (self.valid_from,) if self.valid_from else ()
        yield "valid_to", (self.valid_to,) if self.valid_to else ()
        yield (
            "earlier_shapes",
            tuple(name for shape in self.earlier_shapes for name in (*shape.columns, *shape.without)),
        )


def _refuse_columns(
    columns: Mapping[str, str], personal: Iterable[str], time_zones: Mapping[str, TimeZonePolicy], *at: str
) -> None:
    """Refuse columns listed twice, families about persons, and dates whose times have no meaning. `at`: where they stand."""
    spellings = [name.lower() for name in columns]
    if twice := next((name for name in columns if spellings.count(name.lower()) > 1), None):
        raise mistake(f"{twice} is listed twice: names are compared without case", *at, "columns", twice)
    if family := next((name for name in sorted(personal) if "*" in name), None):
        raise mistake("a family of columns cannot be personal: list its columns", *at, "columns", family)
    undated = [name for name, kind in columns.items() if kind in {"date", "Date"} and name not in time_zones]
    if undated:
        raise mistake(
            f"time_zones must say what the times of {', '.join(undated)} mean: utc, local_labelled_utc or date_only",
            *at, "columns", undated[0],
        )  # fmt: skip
