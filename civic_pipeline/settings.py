"""Settings: paths and profile, read once from environment variables and passed on as a value."""

import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, cast, get_args

from civic_pipeline.errors import SettingInvalid

Profile = Literal["demo", "live"]

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Waits:
    """How long this process waits for what may never come."""

    connect_seconds: int = 10  # a connection to a portal
    response_seconds: int = 3600  # a whole response
    least_bytes_a_second: int = 1000  # of a response, in every two minutes
    attempt_seconds: int = 4 * 3600  # all requests of one attempt to capture a source
    lock_seconds: int = 120  # another process that writes
    database_seconds: int = 3600  # one table with its checks, a release, a query, the queries of the site
    process_seconds: int = 900  # another program, such as the one that reads a workbook
    notify_seconds: int = 30  # a notification


def waits() -> Waits:
    """The waits that the environment sets, each as `CIVIC_` and its name in capitals. Raises SettingInvalid."""
    return Waits(**{wait.name: _number(f"CIVIC_{wait.name.upper()}", int(str(wait.default))) for wait in fields(Waits)})


@dataclass(frozen=True)
class Settings:
    """Paths and profile of one installation.

    `root` is the checkout: `sql/`, `data/seeds/` and the catalog. `data` is the folder that runs write to.
    """

    root: Path = CHECKOUT
    data: Path = CHECKOUT / "data"
    profile: Profile = "demo"
    demo_folder: Path = CHECKOUT / "data" / "sample"
    socrata_token: str | None = field(default=None, repr=False)
    serve_token: str | None = field(default=None, repr=False)
    keep_releases: int = 14
    keep_releases_days: int = 90
    site_address: str = ""

    @classmethod
    def from_environment(cls) -> "Settings":
        """Settings from the environment variables `CIVIC_*` and `SOCRATA_APP_TOKEN`. Raises SettingInvalid."""
        profile = os.environ.get("CIVIC_PROFILE", "demo")
        if profile not in get_args(Profile):
            raise SettingInvalid("CIVIC_PROFILE", profile, " or ".join(get_args(Profile)))
        waits()  # a wrong one is reported before a run begins
        data = _folder("CIVIC_DATA", CHECKOUT / "data")
        return cls(
            data=data,
            profile=cast("Profile", profile),
            demo_folder=_folder("CIVIC_DEMO_FOLDER", CHECKOUT / "data" / "sample"),
            socrata_token=os.environ.get("SOCRATA_APP_TOKEN"),
            serve_token=os.environ.get("CIVIC_SERVE_TOKEN"),
            keep_releases=_number("CIVIC_KEEP_RELEASES", cls.keep_releases),
            keep_releases_days=_number("CIVIC_KEEP_RELEASES_DAYS", cls.keep_releases_days),
            site_address=_address("CIVIC_SITE_ADDRESS"),
        )

    @property
    def lake(self) -> Path:
        return self.data / "lake"

    @property
    def build(self) -> Path:
        return self.data / "build" / "build.duckdb"

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    @property
    def site(self) -> Path:
        return self.data / "site"

    @property
    def releases(self) -> Path:
        return self.data / "releases"

    @property
    def reports(self) -> Path:
        return self.data / "quality"

    @property
    def failed_rows(self) -> Path:
        return self.reports / "failed"

    @property
    def dagster_home(self) -> Path:
        return self.data / "dagster_home"


def is_text(value: str) -> bool:
    """Whether an argument or variable of this process is text; bytes that its locale cannot read are no letters."""
    return not re.search("[\udc80-\udcff]", value)


def _folder(name: str, default: Path) -> Path:
    text = os.environ.get(name, str(default))
    if not text.strip() or not is_text(text):
        raise SettingInvalid(name, text, "a folder, as text in the encoding of this locale")
    try:
        folder = Path(text).resolve()
        is_other = folder.exists() and not folder.is_dir()
    except (OSError, RuntimeError) as error:  # a name that is too long, links in a circle
        raise SettingInvalid(name, text, f"a folder ({error})") from error
    if is_other:
        raise SettingInvalid(name, text, "a folder")
    return folder


def _address(name: str) -> str:
    text = os.environ.get(name, "")
    if text and not re.fullmatch(r"https?://[^\s<>\"'?#@{}|\\^`]+/", text):
        raise SettingInvalid(name, text, "an address that ends with a slash, such as https://data.example.gov/")
    return text


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingInvalid(name, text, "a whole number, at least 1")
    return int(text)
