"""Nodes, pulls and requests for tests of the checkers."""

from __future__ import annotations

from dataclasses import dataclass

from harness.cluster.protocols import Pull
from harness.diagnosis import Diagnosis, FailureCode
from harness.registry.protocols import Request
from harness.secret import Credentials

REPOSITORY = "trust/app"


@dataclass(frozen=True)
class StillNode:
    """A node that has a name and an address and pulls nothing."""

    name: str
    address: str

    def pull(
        self, reference: str, credentials: Credentials | None = None, *, timeout_seconds: float = 60
    ) -> Pull:
        raise NotImplementedError(reference, credentials, timeout_seconds)


NODES = (StillNode("node-1", "10.0.0.1"), StillNode("node-2", "10.0.0.2"))


def pull(node: str, failure: FailureCode | None = None, image_id: str = "sha256:aa") -> Pull:
    words = "the runtime's own words"
    return Pull(
        node=node,
        reference="registry.test/trust/app:v1",
        started=1.0,
        ended=2.0,
        duration_seconds=1.0,
        image_id=None if failure else image_id,
        failure=Diagnosis(failure, words, "change the node") if failure else None,
    )


def request(
    client: str,
    status: int = 200,
    *,
    method: str = "GET",
    path: str = f"/v2/{REPOSITORY}/blobs/sha256:aa",
    namespace: str = "",
    user: str = "",
) -> Request:
    return Request(
        client=client,
        method=method,
        path=path,
        namespace=namespace,
        status=status,
        response_bytes=10,
        user=user,
        user_agent="containerd/1.7.24",
    )
