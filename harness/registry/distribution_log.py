"""The log of a Distribution registry: read from a position in its file, and waited for."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from harness.distribution_api import UnexpectedStatusError
from harness.registry import access_log
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.distribution_api import DistributionAPI

_LOG_TIMEOUT_SECONDS: Final = 10


def read_from(file: Path, begin: int) -> bytes:
    """Return what stands in a log from a position (bytes) on."""
    with file.open("rb") as log:
        log.seek(begin)
        return log.read()


def settle(stranger: DistributionAPI, host: str, read: Callable[[], bytes]) -> None:
    """Wait until a log holds all requests that its registry has completed before.

    `stranger` is a client without an account, `read` returns what was logged since this began.
    """
    # The last byte of a blob leaves just before its line is written, so one request of
    # ours could overtake it; a second one that begins after the first was logged cannot.
    _send_marker(stranger, host, read)
    _send_marker(stranger, host, read)


def _send_marker(api: DistributionAPI, host: str, read: Callable[[], bytes]) -> None:
    """Send a request of our own and wait until the log shows it."""
    token = secrets.token_hex(8)
    with suppress(UnexpectedStatusError):  # refused or not found, it is in the log
        api.manifest_exists(access_log.MARKER_REPOSITORY, token)
    wait_until(
        lambda: f"/{token} HTTP/".encode() in read(),
        timeout_seconds=_LOG_TIMEOUT_SECONDS,
        what=f"the log of {host} to show our own request",
    )
