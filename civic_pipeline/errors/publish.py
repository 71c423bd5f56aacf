"""Failures of serving the releases."""

from civic_pipeline.errors.base import CivicError


class ServeTokenUnfit(CivicError):
    """`civic serve` has no token, or one that is no secret. The message never repeats it."""

    exit_code = 2

    def __init__(self, why: str) -> None:
        super().__init__(
            f"CIVIC_SERVE_TOKEN {why}. Set it to a secret of its own, such as the one that"
            " python -c 'import secrets; print(secrets.token_urlsafe())' prints, and start again."
        )


class AddressTaken(CivicError):
    """`civic serve` cannot listen where it was told to."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(f"{host}, port {port}, cannot be listened on: {problem}. Choose another --host or --port.")
