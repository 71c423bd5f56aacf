"""The description of a place: a city, county, state or nation. Written in `defs/<place>/place.yaml`."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from civic_pipeline.catalog.dataset import Owners
from civic_pipeline.catalog.yaml_file import Strict, mistake


class FiscalYear(Strict):
    """Twelve months from the first day of `first_month`."""

    first_month: int = Field(ge=1, le=12, description="First month of the fiscal year: 7 for July.")
    named_by: Literal["the year it ends", "the year it starts"]


class Population(Strict):
    """Residents in one year, counted or estimated by one source."""

    residents: int = Field(ge=1)
    source: str = Field(min_length=1, description="Publication and table, such as `2020 Census, P1`.")


class Place(Strict):
    """One publisher of data, and the folder of its datasets."""

    kind: Literal["city", "county", "state", "nation"]
    title: str = Field(min_length=1)
    state: str | None = Field(default=None, pattern=r"^[A-Z]{2}$", description="Postal code; none for a nation.")
    time_zone: str = Field(description="IANA time zone of its local dates, such as America/New_York.")
    fiscal_year: FiscalYear
    population: dict[Annotated[int, Field(ge=1900, le=2100)], Population] = Field(
        default_factory=dict, description="Residents by year; a year without a citable source is left out."
    )
    owners: Owners = Field(
        min_length=1, description="Teams (team:name) or e-mail addresses that are responsible for it."
    )

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise mistake("give an IANA time zone, such as America/New_York") from None
        return name
