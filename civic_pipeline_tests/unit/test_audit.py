"""The audit of dependencies fails for a known vulnerability and is skipped without a database. Output as of pip-audit 2.10."""

import importlib.util
import json

from civic_pipeline.settings import CHECKOUT

UNKNOWN = {"name": "yarl", "skip_reason": "Dependency not found on PyPI and could not be audited: yarl (1.25.1)"}
SOUND = {"name": "tqdm", "version": "4.70.1", "vulns": []}
VULNERABLE = {
    "name": "jinja2", "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": ["CVE-2014-1402"], "description": "..."}],
}  # fmt: skip


def verdict(*packages: object, output: str | None = None, errors: str = "") -> tuple[int, str]:
    spec = importlib.util.spec_from_file_location("audit", CHECKOUT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    audit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(audit)
    result: tuple[int, str] = audit.verdict(
        json.dumps({"dependencies": packages, "fixes": []}) if output is None else output, errors
    )
    return result


def test_a_known_vulnerability_fails() -> None:
    assert verdict(SOUND, VULNERABLE, UNKNOWN) == (
        1,
        "jinja2 2.4.1: PYSEC-2014-8, fixed in 2.7.2\n2 of 3 packages audited, 1 known vulnerabilities",
    )


def test_sound_packages_pass_and_are_counted() -> None:
    assert verdict(SOUND, UNKNOWN) == (0, "1 of 2 packages audited, 0 known vulnerabilities")


def test_a_database_without_the_packages_is_reported() -> None:
    """A mirror of the index returns 404 to every request, which pip-audit ignores with exit code 0."""
    assert verdict(UNKNOWN, UNKNOWN) == (0, "skipped: the reachable database has none of the 2 packages")


def test_an_unreachable_database_is_reported() -> None:
    code, message = verdict(output="", errors="Traceback ...\nConnectionError: no route to host\n")
    assert (code, message) == (0, "skipped: pip-audit could not reach its database (ConnectionError: no route to host)")
