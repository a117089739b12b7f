"""When a task may be tried again: only for what can heal by itself."""

from typing import Any

from blocks.transport.errors import Unavailable


def is_transient(_task: Any, _task_run: Any, state: Any) -> bool:
    """Prefect's `retry_condition_fn`: a system that was unavailable may be back; a refusal stays one."""
    return isinstance(state.data, Unavailable)
