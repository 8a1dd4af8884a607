"""Whether the engine can reach the registry of published images: asked once a day."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException
from filelock import FileLock
from requests.exceptions import RequestException

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from docker import DockerClient

    from harness.images.recipe import Published

REMEMBERED_SECONDS = 24 * 3600
_FILE = "reachable.json"


@dataclass(frozen=True)
class Reach:
    """What was found: whether the registry answered, why not, and when (seconds since 1970)."""

    answers: bool
    why: str
    checked: float


def reach(
    client: DockerClient,
    published: Published,
    *,
    folder: Path,
    announce: Callable[[str], None],
    now: Callable[[], float],
    timeout_seconds: float = 3,
) -> Reach:
    """Return what `folder` remembers, else ask the registry once and remember the answer.

    The engine asks, because its proxies and mirrors decide. A registry that has not answered
    within the time counts as out of reach.
    """
    with FileLock(folder / "reachable.lock"):
        known = remembered(folder, now=now())
        if known is not None:
            return known
        announce(f"asking once for published images (at most {timeout_seconds:g} s)")
        why = _ask(client, f"{published.repository}@{published.digest}", timeout_seconds)
        found = Reach(answers=not why, why=why, checked=now())
        remember(found, folder)
        return found


def remembered(folder: Path, *, now: float) -> Reach | None:
    """Return the answer of the last day, None when there is none that can be read."""
    try:
        known = json.loads((folder / _FILE).read_text("utf-8"))
        found = Reach(bool(known["answers"]), str(known["why"]), float(known["checked"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if 0 <= now - found.checked < REMEMBERED_SECONDS else None


def remember(found: Reach, folder: Path) -> None:
    """Keep an answer for whoever asks next."""
    draft = folder / f"{_FILE}.{secrets.token_hex(4)}"  # threads and processes do this at once
    draft.write_text(json.dumps(asdict(found)), "utf-8")
    draft.replace(folder / _FILE)


def _ask(client: DockerClient, reference: str, timeout_seconds: float) -> str:
    """Return why the registry does not answer, nothing when it does.

    The engine offers no time limit, so a thread waits for it; one that is left behind ends
    when the engine gives up.
    """
    answer: SimpleQueue[str] = SimpleQueue()

    def ask() -> None:
        try:
            client.images.get_registry_data(reference)
        except APIError as error:
            answer.put(error.explanation or str(error))
        except (DockerException, RequestException) as error:
            answer.put(str(error))
        else:
            answer.put("")

    Thread(target=ask, daemon=True).start()
    try:
        return answer.get(timeout=timeout_seconds)
    except Empty:
        return f"no answer within {timeout_seconds:g} s"
