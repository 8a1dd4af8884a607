"""Follows a collection of the API as it changes, for some seconds at a time."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from harness.kubernetes_api import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.kubernetes_api import Json, KubernetesAPI


class Following:
    """The objects of a collection that a field selector takes, from the moment of `begin`."""

    def __init__(self, api: KubernetesAPI, path: str, field_selector: str) -> None:
        self._api = api
        self._path = path
        self._field_selector = field_selector
        self._version = ""

    def begin(self) -> None:
        """Remember the present as what to follow from."""
        self._version = self._api.get(self._path, limit=1)["metadata"]["resourceVersion"]

    def changes(self, seconds: int) -> Generator[Json]:
        """Yield what is new or changed, for so many seconds; the next call goes on from there.

        An object may come twice where the API no longer knows what came since.
        """
        try:
            with self._api.watch(
                self._path,
                resource_version=self._version,
                timeout_seconds=seconds,
                fieldSelector=self._field_selector,
            ) as changes:
                for change in changes:
                    self._version = change.object["metadata"]["resourceVersion"]
                    if change.type in ("ADDED", "MODIFIED"):
                        yield change.object
        except KubernetesError as error:
            if error.status != HTTPStatus.GONE:
                raise
            self.begin()
            yield from self._api.each(self._path, fieldSelector=self._field_selector)
