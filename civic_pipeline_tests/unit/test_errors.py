"""Every error class is expected by a test, and its message names the culprit and the fix."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

import civic_pipeline.demo
from civic_pipeline import errors
from civic_pipeline.errors import CivicError

TESTS = Path(__file__).parents[1]

A_PATH = Path("/data/a_culprit")
SAMPLES: dict[str, CivicError] = {
    type(error).__name__: error
    for error in (
        errors.SettingInvalid("A_CULPRIT", "x", "demo or live"),
        errors.FileInvalid(A_PATH, [(3, "cadence: 'hourly' is not allowed")]),
        errors.UnknownName("dataset", "a_culprit", ["b", "a"]),
        errors.AddressUnknown("a_culprit", "it is not the address of a dataset"),
        errors.AddressAmbiguous("https://a_culprit", {"https://a_culprit/0": "Wards"}),
        errors.AddressPrivate("https://a_culprit/x", "a_culprit", "10.0.0.1"),
        errors.HostPrivate("a_culprit", "10.0.0.1"),
        errors.RedirectInsecure("https://a_culprit.example", "http://b.example"),
        errors.ProjectionUnexpected("https://a_culprit", "EPSG:2248"),
        errors.LayerAmbiguous("a_culprit", "https://town.gov/MapServer", [1, 3]),
        errors.NamesAlike("https://a_culprit", ["Name", "NAME"]),
        errors.AlreadyThere(A_PATH),
        errors.ShapeUnknown("a_culprit.csv", ["Notice"]),
        errors.BackfillRefused("a_culprit", "2092-01-01 is in the future; give the day the file was published"),
        errors.NotBuilt("a_culprit"),
        errors.NotCapturedBy("2015-04-13", {"a_culprit": "2015-04-14"}),
        errors.PortalUnreachable("https://a_culprit", "no route"),
        errors.PortalOverloaded("https://a_culprit", "HTTP 504"),
        errors.PagingBroken("https://a_culprit", "it sends the same rows again"),
        errors.SourceChangedDuringRead("a_culprit", "1", "2"),
        errors.SourceNotFound("The item a_culprit", "https://x", "gone"),
        errors.PortalRefused("https://a_culprit", "498 Invalid Token"),
        errors.AnswerUnreadable("https://a_culprit", "JSON", "an HTML page"),
        errors.FileUnreadable("https://a_culprit", "line 7 has 3 values"),
        errors.SourceEmpty("a_culprit", "https://x"),
        errors.SchemaDrifted("a_culprit", ["Amount"], ["Day (text -> date)"], ["Amounts"]),
        errors.CaptureNotVerified("a_culprit", 1, 2, 3, 4),
        errors.ValueUnreadable("a_culprit", "number", "'x'"),
        errors.NumberTooLong("a_culprit", "number", "38 digits"),
        errors.VolumeCollapsed("a_culprit", 1, 100, 0.02, "town/payments/2026-01-01"),
        errors.NothingToAccept("a_culprit", "nothing holds it back"),
        errors.CaptureDamaged(A_PATH, "it is missing"),
        errors.ProfileMixed("town/a_culprit", A_PATH, "demo", "live"),
        errors.NotCaptured("town/a_culprit"),
        errors.ModelFailed(A_PATH, "Binder Error: did you mean amount?"),
        errors.ContractBroken("clean.a_culprit", ["key_unique"]),
        errors.HeldBack({"clean.a_culprit": "no answer"}, released=True),
        errors.RunFailed(["a_culprit: no answer"]),
        errors.OutputNotWritable("a_culprit"),
        errors.RecordsDamaged(A_PATH, "file is not a database"),
        errors.WarehouseMissing(A_PATH),
        errors.LockHeld(A_PATH, "process 7"),
        errors.WarehouseOpened(A_PATH, "its log exists"),
        errors.ReleaseDamaged(A_PATH, "its table meta.releases is empty"),
        errors.WarehouseUnreadable(A_PATH, "a_culprit"),
        errors.ServeTokenInvalid("is not set (a_culprit)"),
        errors.AddressTaken("a_culprit", 80, "in use"),
        errors.SiteMissing(A_PATH),
        errors.SiteFolderTaken(A_PATH),
        errors.QueryRefused("there is no a_culprit; did you mean b?"),
        errors.DiskFull(A_PATH),
        errors.NotReadable(A_PATH),
        errors.NotWritable(A_PATH, "Permission denied"),
        errors.NotificationFailed("a_culprit", "refused"),
        errors.TooFewFiles(100, 256),
        errors.TookTooLong("a_culprit", 900, "CIVIC_DATABASE_SECONDS"),
    )
}
# Their message repeats another message (of a check, of DuckDB, of a step), which names the fix.
REPEATS_A_MESSAGE = {
    "FileInvalid", "ModelFailed", "ContractBroken", "HeldBack", "RunFailed", "QueryRefused",
}  # fmt: skip
FIX = re.compile(
    r"\b([Ss]et|[Uu]nset|[Cc]hoose|[Cc]heck|[Cc]orrect|[Rr]un|[Rr]emove|[Rr]eport|[Rr]aise|[Rr]estore|[Mm]aterialize|[Ww]ait|[Cc]lose"
    r"|[Ff]ree|[Gg]ive|[Uu]se|[Aa]dd|[Ss]end)\b"
)


def classes() -> list[type[CivicError]]:
    return [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, CivicError) and cls is not CivicError
    ]


@cache
def expected_in_tests() -> set[str]:
    """Errors that a test expects: in `pytest.raises`, in an assertion, or in a table that names the error `pytest.raises` expects."""
    known, names = {cls.__name__ for cls in classes()}, set[str]()
    for path in TESTS.rglob("test_*.py"):
        if path == Path(__file__):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        expected = [
            node.args[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises"
        ]
        asserted = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        names |= {name for node in [*expected, *asserted] for name in _names(node)}
        if any(isinstance(node, ast.Name) and node.id not in known for node in expected):
            tables = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
            tables += [
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("parametrize")
            ]
            names |= {name for table in tables for name in _names(table)}
    return names


def _names(tree: ast.AST) -> set[str]:
    """The names in a piece of code, those behind a dot included."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_no_error_class_is_untested(cls: type[CivicError]) -> None:
    assert cls.__name__ in expected_in_tests(), f"no test under {TESTS.name}/ expects {cls.__name__}"


# The whole message of CatalogIncomplete is written by its callers and tested in test_models.py; nobody reads that of OutputClosed.
@pytest.mark.parametrize(
    "cls",
    [cls for cls in classes() if cls not in {errors.CatalogIncomplete, errors.OutputClosed}],
    ids=lambda cls: cls.__name__,
)
def test_a_message_names_the_culprit_and_the_fix(cls: type[CivicError]) -> None:
    message = str(SAMPLES[cls.__name__])
    assert ("a_culprit" if cls is not errors.TooFewFiles else "this process") in message.lower()
    assert cls.__name__ in REPEATS_A_MESSAGE or FIX.search(message), (
        f"{cls.__name__} does not say what to do: {message}"
    )
    assert message[0] != " "
    assert "  " not in message.replace("\n  ", "")


def test_every_error_class_has_a_docstring_of_sentences() -> None:
    for cls in classes():
        assert (cls.__doc__ or "").rstrip().endswith("."), cls


def test_exit_codes_are_those_documented_in_the_cli() -> None:
    from civic_pipeline import cli

    documented = {int(code) for code in re.findall(r"(\d+) [a-z]", str(cli.__doc__))}
    assert {cls.exit_code for cls in classes()} == documented - {0}


def test_errors_of_other_packages_are_civic_errors() -> None:
    assert issubclass(civic_pipeline.demo.DemoFolderError, CivicError)


def test_an_unknown_profile_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from civic_pipeline.settings import Settings

    monkeypatch.setenv("CIVIC_PROFILE", "prod")
    with pytest.raises(
        errors.SettingInvalid,
        match=r"'prod' is not a valid CIVIC_PROFILE\. Set CIVIC_PROFILE to demo or live, or unset it",
    ):
        Settings.from_environment()


@pytest.mark.parametrize(
    "text",
    ["data.gov", "https://data.gov", "https://data.gov/?a=/", "https://me:secret@data.gov/", "https://data.gov/{x}/"],
)
def test_the_address_of_the_site_is_whole_and_holds_no_password(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from civic_pipeline.settings import Settings

    monkeypatch.setenv("CIVIC_SITE_ADDRESS", "https://data.gov/open/")
    assert Settings.from_environment().site_address == "https://data.gov/open/"
    monkeypatch.setenv("CIVIC_SITE_ADDRESS", text)
    with pytest.raises(errors.SettingInvalid) as refused:
        Settings.from_environment()
    assert "secret" not in str(refused.value)
