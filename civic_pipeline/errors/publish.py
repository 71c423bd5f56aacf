"""Errors of `civic serve`."""

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
