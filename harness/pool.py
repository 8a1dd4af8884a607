"""Threads that have nothing left to do once their block has ended, however it ended."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


class Pool(ThreadPoolExecutor):
    """A thread pool whose block ends only when no thread works any more.

    An interrupt may come while `submit` waits for a new thread to report (`Thread.start`). The
    standard pool has not noted that thread yet and does not wait for it, so that it would create
    a container after all containers were removed. Here a thread that comes after the end of the
    block does nothing. A block that ends by an exception drops what had not begun.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._state = threading.Condition()
        self._working = 0
        self._closed = False

    def submit(
        self,
        fn: Callable[Arguments, Returned],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Future[Returned]:
        """Have a thread call `fn`, unless the block ends before it begins."""
        return super().submit(self._admitted, fn, *args, **kwargs)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.shutdown(wait=error is None, cancel_futures=error is not None)
        finally:
            with self._state:
                self._closed = True
                self._state.wait_for(lambda: not self._working)

    def _admitted(
        self,
        fn: Callable[Arguments, Returned],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Returned:
        with self._state:
            if self._closed:
                raise CancelledError
            self._working += 1
        try:
            return fn(*args, **kwargs)
        finally:
            with self._state:
                self._working -= 1
                self._state.notify_all()
