"""Runs pip-audit on the pinned requirements and fails if a package has a known vulnerability. Installs nothing.

The audit is skipped, with the reason, if the database (PyPI's JSON service) is not reachable; a package index is not enough.
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


def verdict(output: str, errors: str) -> tuple[int, str]:
    """Return the exit code and the message for the output of pip-audit."""
    try:
        packages = json.loads(output)["dependencies"]
    except ValueError:
        last = (errors.strip().splitlines() or ["no error message"])[-1]
        return 0, f"skipped: pip-audit could not reach its database ({last})"
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return 0, f"skipped: the reachable database has none of the {len(packages)} packages"
    vulnerabilities = [
        f"{package['name']} {package['version']}: {vuln['id']}, fixed in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for package in audited
        for vuln in package["vulns"]
    ]
    summary = f"{len(audited)} of {len(packages)} packages audited, {len(vulnerabilities)} known vulnerabilities"
    return (1 if vulnerabilities else 0), "\n".join([*vulnerabilities, summary])


if __name__ == "__main__":
    program = Path(sys.executable).with_name(COMMAND[0])
    process = subprocess.run([program, *COMMAND[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    code, message = verdict(process.stdout, process.stderr)
    print(f"audit: {message}")
    sys.exit(code)
