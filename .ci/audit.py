"""Known vulnerabilities of the pinned requirements, by pip-audit; nothing is installed. Ends red where it finds one.

Skipped, with the reason, where its database (PyPI's JSON service) is not reachable: a package index alone does not have it.
"""  # noqa: INP001 - a script, not a package

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMAND = [
    "pip-audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "15", "--format", "json",
    "-r", "requirements.txt", "-r", "requirements-dev.txt",
]  # fmt: skip


def verdict(told: str, errors: str) -> tuple[int, str]:
    """Exit code and words for what pip-audit printed."""
    try:
        packages = json.loads(told)["dependencies"]
    except ValueError:
        last = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return 0, f"skipped: pip-audit could not ask its database ({last})"
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return 0, f"skipped: the database reached from here knows none of the {len(packages)} packages"
    found = [
        f"{package['name']} {package['version']}: {vuln['id']}, mended in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for package in audited
        for vuln in package["vulns"]
    ]
    summary = f"{len(audited)} of {len(packages)} packages audited, {len(found)} known vulnerabilities"
    return (1 if found else 0), "\n".join([*found, summary])


if __name__ == "__main__":
    program = Path(sys.executable).with_name(COMMAND[0])
    ended = subprocess.run([program, *COMMAND[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    code, words = verdict(ended.stdout, ended.stderr)
    print(f"audit: {words}")
    sys.exit(code)
