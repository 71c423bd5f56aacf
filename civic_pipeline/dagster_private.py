"""Names that Dagster does not export. Nothing is overridden; all imports from `dagster._` are here.

The pinned minor version of Dagster keeps these names; an upgrade that moves them fails at import.
See docs/adr/0019-one-step-for-the-whole-night.md.
"""

from dagster._core.errors import DagsterUserCodeProcessError
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo


def without_stack_trace(error: Exception) -> Exception:
    """A failure that Dagster shows without a stack trace: for a portal that was down, the message is enough.

    Dagster prints the stack trace of every exception of a step, also of `dagster.Failure`, but not of an error that
    another process has already serialized.
    """
    described = SerializableErrorInfo(message=str(error), stack=[], cls_name=type(error).__name__)
    failure: Exception = DagsterUserCodeProcessError(str(error), user_code_process_error_infos=[described])  # type: ignore[no-untyped-call]
    return failure


def job_origin(module: str, location: str, job: str) -> RemoteJobOrigin:
    """The origin of a job. The UI lists a run under its job, and can re-execute it, only if the run has it."""
    target = LoadableTargetOrigin(module_name=module)
    return RemoteJobOrigin(
        RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target, location), "__repository__"), job
    )
