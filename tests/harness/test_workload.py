from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Barrier
from typing import TYPE_CHECKING

from harness import oci, workload
from harness.diagnosis import FailureCode
from harness.distribution_api import DistributionAPI, Endpoint
from harness.findings import Code
from harness.history import Outcome
from harness.workload import Published
from tests.harness.checks.parts import pull
from tests.harness.distribution_api.scripted_server import Answer, ScriptedServer

if TYPE_CHECKING:
    from harness.cluster.protocols import Pull
    from harness.secret import Credentials

IMAGE = oci.image(layers=2)
PUBLISHED = Published("registry.test:5000", "trust/app", IMAGE)


@dataclass(frozen=True)
class MeetingNode:
    """A node whose pull ends only when all others have begun theirs."""

    name: str
    barrier: Barrier
    address: str = "10.0.0.1"

    def pull(
        self, reference: str, credentials: Credentials | None = None, *, timeout_seconds: float = 60
    ) -> Pull:
        assert credentials is None
        self.barrier.wait(timeout_seconds)
        return replace(pull(self.name), reference=reference)


def test_published_image_has_a_reference_at_any_host() -> None:
    assert PUBLISHED.reference == "registry.test:5000/trust/app:v1"
    assert PUBLISHED.at("mirror.test") == "mirror.test/trust/app:v1"


def test_digests_are_those_of_manifest_configuration_and_layers() -> None:
    assert PUBLISHED.digests == (
        IMAGE.digest,
        IMAGE.config.digest,
        IMAGE.layers[0].digest,
        IMAGE.layers[1].digest,
    )


def test_repositories_differ() -> None:
    first, second = (workload.unique_repository("trust") for _ in range(2))

    assert first != second
    assert first.startswith("trust/")


def test_nodes_pull_at_once_and_answer_in_their_order() -> None:
    barrier = Barrier(3)
    nodes = [MeetingNode(f"node-{number}", barrier) for number in range(3)]

    pulls = workload.pull_on(nodes, "registry.test/app:v1", None)

    assert [each.node for each in pulls] == ["node-0", "node-1", "node-2"]
    assert {each.reference for each in pulls} == {"registry.test/app:v1"}


def test_success_is_recorded_with_its_digest_and_size() -> None:
    operation = workload.as_operation(pull("node-1"), transferred_bytes=7)

    assert (operation.outcome, operation.digest, operation.cause) == (Outcome.OK, "sha256:aa", "")
    assert (operation.kind, operation.actor, operation.transferred_bytes) == ("pull", "node-1", 7)


def test_refusal_is_recorded_with_its_cause() -> None:
    operation = workload.as_operation(pull("node-1", FailureCode.NOT_FOUND))

    assert (operation.outcome, operation.digest) == (Outcome.FAILED, "")
    assert operation.cause == FailureCode.NOT_FOUND
    assert operation.evidence == "the runtime's own words"


def test_push_that_nobody_answers_may_have_landed() -> None:
    api = DistributionAPI(Endpoint("registry.test:1", "127.0.0.1", None))

    operation = workload.push_once(api, IMAGE, "ha/app", host="registry.test:1")

    assert (operation.outcome, operation.cause) == (Outcome.UNKNOWN, FailureCode.CONNECTION)
    assert operation.reference == "registry.test:1/ha/app:v1"
    assert (operation.digest, operation.transferred_bytes) == (IMAGE.digest, IMAGE.size)


def test_push_that_the_registry_refuses_has_failed() -> None:
    uploads = ("POST", "/v2/ha/app/blobs/uploads/")
    with ScriptedServer({uploads: Answer(503)}) as server:
        api = DistributionAPI(server.endpoint())

        operation = workload.push_once(api, IMAGE, "ha/app", host="registry.test")

    assert (operation.outcome, operation.cause) == (Outcome.FAILED, FailureCode.SERVER_ERROR)
    assert "answered 503" in operation.evidence


def test_what_is_not_served_is_lost_and_what_is_served_is_hashed() -> None:
    layer = IMAGE.layers[0]
    script = {
        ("GET", "/v2/trust/app/blobs/" + layer.digest): Answer(200, b"other bytes"),
        ("GET", "/v2/trust/app/manifests/" + IMAGE.digest): Answer(200, IMAGE.manifest.content),
    }
    with ScriptedServer(script) as server:
        api = DistributionAPI(server.endpoint())
        found = workload.unserved_by("ha-1", api, PUBLISHED)

    assert [finding.code for finding in found] == [
        Code.LOST_CONTENT,
        Code.WRONG_BYTES,
        Code.LOST_CONTENT,
    ]
    assert {finding.subject for finding in found} == {"ha-1"}
