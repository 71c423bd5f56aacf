"""What is true of a place whatever its data: a city, county, state or nation. Written in `defs/<place>/place.yaml`."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from civic_pipeline.catalog.yaml_file import Strict, mistake

Owner = Annotated[str, Field(pattern=r"^(team:[a-z0-9_-]+|[^@\s]+@[^@\s]+)$")]


class FiscalYear(Strict):
    """Twelve months from the first day of `first_month`."""

    first_month: int = Field(ge=1, le=12, description="Month the fiscal year begins in: 7 for July.")
    named_by: Literal["the year it ends", "the year it starts"]


class Population(Strict):
    """Residents in one year, as one source counts or estimates them."""

    residents: int = Field(ge=1)
    source: str = Field(min_length=1, description="Publication and table, such as `2020 Census, P1`.")


class Place(Strict):
    """One publisher of data, and the folder its datasets are filed under."""

    kind: Literal["city", "county", "state", "nation"]
    title: str = Field(min_length=1)
    state: str | None = Field(default=None, pattern=r"^[A-Z]{2}$", description="Postal code; none for a nation.")
    time_zone: str = Field(description="IANA name of the zone its local dates are in, such as America/New_York.")
    fiscal_year: FiscalYear
    population: dict[Annotated[int, Field(ge=1900, le=2100)], Population] = Field(
        default_factory=dict, description="By year; a year without a citable source is left out."
    )
    owners: tuple[Owner, ...] = Field(min_length=1, description="Teams (team:name) or addresses that look after it.")

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise mistake("give an IANA time zone, such as America/New_York") from None
        return name
