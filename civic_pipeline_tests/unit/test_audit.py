"""The audit of dependencies: red for a known vulnerability, skipped with the reason where nobody can know. Answers as pip-audit 2.10 gives them."""

import importlib.util
import json

from civic_pipeline.settings import CHECKOUT

UNKNOWN = {"name": "yarl", "skip_reason": "Dependency not found on PyPI and could not be audited: yarl (1.25.1)"}
SOUND = {"name": "tqdm", "version": "4.70.1", "vulns": []}
VULNERABLE = {
    "name": "jinja2", "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": ["CVE-2014-1402"], "description": "..."}],
}  # fmt: skip


def verdict(*packages: object, told: str | None = None, errors: str = "") -> tuple[int, str]:
    spec = importlib.util.spec_from_file_location("audit", CHECKOUT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    audit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(audit)
    said: tuple[int, str] = audit.verdict(
        json.dumps({"dependencies": packages, "fixes": []}) if told is None else told, errors
    )
    return said


def test_a_known_vulnerability_is_red() -> None:
    assert verdict(SOUND, VULNERABLE, UNKNOWN) == (
        1,
        "jinja2 2.4.1: PYSEC-2014-8, mended in 2.7.2\n2 of 3 packages audited, 1 known vulnerabilities",
    )


def test_sound_packages_pass_and_are_counted() -> None:
    assert verdict(SOUND, UNKNOWN) == (0, "1 of 2 packages audited, 0 known vulnerabilities")


def test_a_database_that_knows_none_of_them_is_said() -> None:
    """A mirror of the index answers 404 to every question, which pip-audit passes over with exit code 0."""
    assert verdict(UNKNOWN, UNKNOWN) == (0, "skipped: the database reached from here knows none of the 2 packages")


def test_a_database_out_of_reach_is_said() -> None:
    code, words = verdict(told="", errors="Traceback ...\nConnectionError: no route to host\n")
    assert (code, words) == (0, "skipped: pip-audit could not ask its database (ConnectionError: no route to host)")
