"""Follows a collection of the API in a thread and hands on what its changes mean."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.kubernetes_api import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from queue import SimpleQueue

    from harness.fleet.model import Sign
    from harness.kubernetes_api import Json, KubernetesAPI, Watch


class Following:
    """Reads one collection: what `read` makes of each changed object goes to a queue.

    An error of the API goes there too; nothing follows after it.
    """

    def __init__(
        self,
        api: KubernetesAPI,
        path: str,
        read: Callable[[Json], Sign | None],
        into: SimpleQueue[Sign | Exception],
        selectors: Mapping[str, str],
    ) -> None:
        self._api = api
        self._path = path
        self._read = read
        self._into = into
        self._selectors = dict(selectors)
        self._version = ""
        self._watch: Watch | None = None
        self._ended = threading.Event()

    def prepare(self) -> None:
        """Remember the present as what to follow from."""
        self._version = self._api.get(self._path, limit=1)["metadata"]["resourceVersion"]

    @contextmanager
    def reading(self, timeout_seconds: float) -> Generator[None]:
        """Read in a thread as long as this lasts, and no longer than the time given."""
        deadline = time.monotonic() + timeout_seconds
        thread = threading.Thread(target=self._follow, args=(deadline,), name=self._path)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            if self._watch is not None:
                self._watch.stop()
            thread.join()

    def _follow(self, deadline: float) -> None:
        try:
            while not self._ended.is_set() and (left := deadline - time.monotonic()) > 0:
                self._follow_once(left)
        except HarnessError as error:
            self._into.put(error)

    def _follow_once(self, seconds: float) -> None:
        """Read until the API ends the watch, as it may at any time."""
        try:
            with self._api.watch(
                self._path,
                resource_version=self._version,
                timeout_seconds=max(1, int(seconds)),
                **self._selectors,
            ) as self._watch:
                if self._ended.is_set():
                    return
                for change in self._watch:
                    self._version = change.object["metadata"]["resourceVersion"]
                    if change.type in ("ADDED", "MODIFIED"):
                        self._hand_on(change.object)
        except KubernetesError as error:
            if error.status != HTTPStatus.GONE:
                raise
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Read the whole collection where the version has become too old to go on from."""
        self.prepare()
        for found in self._api.each(self._path, **self._selectors):
            self._hand_on(found)

    def _hand_on(self, found: Json) -> None:
        if (sign := self._read(found)) is not None:
            self._into.put(sign)
