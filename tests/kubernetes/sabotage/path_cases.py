"""Nodes that reach other registries than they should, and answers where there should be none."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from harness.diagnosis import FailureCode
from harness.findings import Code
from harness.hosts_toml import Host
from harness.scenario import kinds
from harness.scenario.model import DOCKER_HUB
from harness.wait import wait_until
from tests.kubernetes.sabotage.breaking import (
    Mutation,
    added_line,
    declared,
    mutated,
    reconfigured,
    worker_2,
)
from tests.kubernetes.sabotage.case import Case, red
from tests.kubernetes.sabotage.credential_cases import ALL_NODES, WORKER_2
from tests.sabotage.breaking import as_declared, distribution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harness.cluster.protocols import Pull
    from harness.lab import Lab
    from harness.workload import Published
    from tests.sabotage.breaking import Document

RESOLVER_SECONDS = 60
TAGS_THAT_NOBODY_PUSHES = ("missing", "no-such-tag")


@contextmanager
def _skewed_hosts_file(lab: Lab) -> Iterator[None]:
    """Lead worker2 to another registry with accounts, for the primary and for docker.io."""
    _, other = map(as_declared, lab.find_two(kinds.WITH_ACCOUNTS))
    with ExitStack() as stack:
        for host in (lab.primary.host, DOCKER_HUB):
            stack.enter_context(declared(worker_2(lab), host, other))
        yield


def _authority_missing(lab: Lab) -> AbstractContextManager[None]:
    without = replace(as_declared(lab.primary), ca=None)
    return declared(worker_2(lab), lab.primary.host, without)


def _verification_off(lab: Lab) -> AbstractContextManager[None]:
    host = lab.find(kinds.UNKNOWN_CA).host
    return declared(worker_2(lab), host, Host(f"https://{host}", skip_verify=True))


@contextmanager
def _name_that_nobody_holds(lab: Lab) -> Iterator[None]:
    """Have worker2 resolve what it should not, as behind a name server with a wildcard.

    It does so once its runtime has read the file again: Go keeps it for 5 s (`net/hosts.go`).
    """
    node, name = worker_2(lab), "registry.pullproof.invalid"
    address = distribution(lab.primary).endpoint.address
    with added_line(node, "/etc/hosts", f"{address} {name}"):
        wait_until(
            partial(node.pull, f"{name}/sabotage:v1"),
            ready=_is_past_resolution,
            timeout_seconds=RESOLVER_SECONDS,
            interval_seconds=0.2,
            what=f"the runtime of {node.name} to resolve {name}",
        )
        yield


def _is_past_resolution(pull: Pull) -> bool:
    return pull.failure is None or pull.failure.code is not FailureCode.NAME_RESOLUTION


def _port_that_should_be_closed(lab: Lab) -> AbstractContextManager[None]:
    def move_metrics(document: Document) -> None:
        debug = document["http"]["debug"]
        assert isinstance(debug, dict)
        debug["addr"] = ":1"

    return reconfigured(lab.primary, move_metrics)


def _push_every_tag(lab: Lab, published: Published) -> None:
    if published.host == lab.primary.host:
        for tag in TAGS_THAT_NOBODY_PUSHES:
            lab.primary.api().push(published.image, published.repository, tag)


def _mirror_in_front(lab: Lab) -> AbstractContextManager[None]:
    """Have worker2 ask another registry first."""
    mirror = as_declared(lab.find(kinds.PLAIN_HTTP))
    return declared(worker_2(lab), lab.primary.host, as_declared(lab.primary), mirror)


def _push_to_the_mirror(lab: Lab, published: Published) -> None:
    if published.host == lab.primary.host:
        lab.find(kinds.PLAIN_HTTP).api().push(published.image, published.repository, "v1")


CASES = (
    Case(
        name="node-has-a-skewed-hosts-file",
        broken=_skewed_hosts_file,
        turns_red=red(
            Code.PULL_FAILED,
            "secret-on-the-pod-pulls",
            "matching-keys-pull",
            "key-of-docker-hub-pulls-images-of-docker-io",
            "private-ca-is-accepted-on-every-node",
        ),
        subjects=WORKER_2,
        bystanders=("pod-without-a-secret-is-refused",),
    ),
    Case(
        name="node-lacks-an-authority",
        broken=_authority_missing,
        turns_red={
            **red(Code.PULL_FAILED, "private-ca-is-accepted-on-every-node"),
            **red(Code.WRONG_REASON, "pod-without-a-secret-is-refused"),
            **red(Code.ROLLOUT_HANGS, "changed-daemon-set-is-rolled-out-on-every-node"),
        },
        subjects=WORKER_2,
        bystanders=("unknown-ca-is-refused-on-every-node",),
    ),
    Case(
        name="node-of-the-fleet-lacks-an-authority",
        suite="latency",
        broken=_authority_missing,
        turns_red=red(Code.PULL_FAILED, "cold-pulls-of-the-whole-fleet-1mib"),
        subjects=WORKER_2,
        bystanders=(),
    ),
    Case(
        name="node-skips-verification",
        broken=_verification_off,
        turns_red=red(
            Code.PULL_ACCEPTED,
            "unknown-ca-is-refused-on-every-node",
            "unknown-ca-is-named-alike-by-all",
        ),
        subjects=WORKER_2,
    ),
    Case(
        name="node-resolves-every-name",
        broken=_name_that_nobody_holds,
        turns_red=red(Code.WRONG_REASON, "unknown-name-is-named-alike-by-all"),
        subjects=WORKER_2,
    ),
    Case(
        name="closed-port-answers",
        broken=_port_that_should_be_closed,
        turns_red=red(Code.WRONG_REASON, "closed-port-is-named-alike-by-all"),
        subjects=ALL_NODES,
    ),
    Case(
        name="references-are-rewritten",
        broken=lambda lab: mutated(
            lab,
            Mutation(
                "pods",
                "/spec/containers/0/image",
                "object.spec.containers[0].image.lowerAscii()",
            ),
        ),
        turns_red=red(Code.WRONG_REASON, "invalid-image-name-is-named-alike-by-all"),
        subjects=ALL_NODES,
    ),
    Case(
        name="registry-holds-every-tag",
        published=_push_every_tag,
        turns_red=red(
            Code.PULL_ACCEPTED,
            "missing-tag-is-named-alike-by-all",
            "rollout-of-a-missing-image-stops",
        ),
        subjects=ALL_NODES,
        bystanders=("pod-without-a-secret-is-refused",),
    ),
    Case(
        name="node-asks-a-mirror-first",
        broken=_mirror_in_front,
        published=_push_to_the_mirror,
        turns_red=red(
            Code.WRONG_PATH,
            "secret-on-the-pod-pulls",
            "private-ca-is-accepted-on-every-node",
            "always-asks-the-registry-each-time",
        ),
        subjects=WORKER_2,
        bystanders=("unknown-ca-is-refused-on-every-node",),
    ),
)
