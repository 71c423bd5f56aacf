"""Errors of `civic serve` and of the public site."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class ServeTokenInvalid(CivicError):
    """`civic serve` has no token, or one that is no secret. The message never repeats it."""

    exit_code = 2

    def __init__(self, why: str) -> None:
        super().__init__(
            f"CIVIC_SERVE_TOKEN {why}. Set it to a new secret, for example the output of"
            " python -c 'import secrets; print(secrets.token_urlsafe())', and start again."
        )


class AddressTaken(CivicError):
    """`civic serve` cannot listen on this host and port."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(f"Cannot listen on {host}, port {port}: {problem}. Choose another --host or --port.")


class SiteMissing(CivicError):
    """`civic site serve` has no site to serve."""

    exit_code = 2

    def __init__(self, folder: Path) -> None:
        super().__init__(f"There is no site in {folder}. Run `civic site build` to make it from the live release.")


class SiteFolderTaken(CivicError):
    """The site is a link to its newest build; something else has its name."""

    exit_code = 2

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not a site that `civic site build` made. Move it away, or choose another --out.")
