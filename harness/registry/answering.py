"""Waits until a registry answers, and shows its log where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.errors import RegistryError, WaitTimeoutError
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN_LOG_BYTES: Final = 2000


def wait_for_answer(
    state: Callable[[], str],
    *,
    healthy: Callable[[str], bool],
    timeout_seconds: float,
    host: str,
    log: Callable[[], bytes],
) -> None:
    """Wait until a state is healthy: the status of an answer, or why there is none.

    Raises RegistryError with the end of the log when the registry has exited or the time is up.
    """
    try:
        last = wait_until(
            state,
            ready=lambda state: healthy(state) or state.startswith("exited"),
            timeout_seconds=timeout_seconds,
            what=f"{host} to answer",
        )
    except WaitTimeoutError as error:
        last = str(error)
    if not healthy(last):
        end = log()[-_SHOWN_LOG_BYTES:].decode("utf-8", "replace")
        raise RegistryError(f"{host} is not healthy: {last}\n  end of its log: {end}")
