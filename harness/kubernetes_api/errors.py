"""What the Kubernetes API answers when it does not do what it was asked."""

from __future__ import annotations

from harness.errors import HarnessError


class KubernetesError(HarnessError):
    """The API refused a request or did not answer.

    `status` is the HTTP status, 0 where there was no answer; `reason` is the API's own word,
    such as NotFound, Forbidden, AlreadyExists, Invalid.
    """

    def __init__(
        self, problem: str, *, status: int = 0, reason: str = "", remedy: str = ""
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.status = status
        self.reason = reason
