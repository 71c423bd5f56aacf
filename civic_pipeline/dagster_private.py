"""What Dagster has and does not export. Nothing of it is overridden; every import of ours from `dagster._` is here.

The pinned minor version of Dagster keeps these names; an upgrade that moves them fails at import. See docs/adr/NIGHT.
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
    """A failure that Dagster shows by its message alone: nobody needs our call stack to know that a portal was down.

    Dagster prints the stack of everything that a step raises, `dagster.Failure` included, but not of an error that
    arrived from another process already described.
    """
    described = SerializableErrorInfo(message=str(error), stack=[], cls_name=type(error).__name__)
    failure: Exception = DagsterUserCodeProcessError(str(error), user_code_process_error_infos=[described])  # type: ignore[no-untyped-call]
    return failure


def job_origin(module: str, location: str, job: str) -> RemoteJobOrigin:
    """Where a job comes from. The UI lists a run under a job, and can repeat it, only if the run says so."""
    target = LoadableTargetOrigin(module_name=module)
    return RemoteJobOrigin(
        RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target, location), "__repository__"), job
    )
