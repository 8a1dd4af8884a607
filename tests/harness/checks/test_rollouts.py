from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from harness import checks, oci
from harness.cluster.rollout_model import (
    Claim,
    ControllerKind,
    Hang,
    HangCode,
    RolledPod,
    Rollout,
    Workload,
)
from harness.diagnosis import FailureCode
from harness.findings import Code, Inconclusive

IMAGE = oci.image(layers=1, layer_bytes=16)
OLD, NEW = "r.test/a:v1", "r.test/b:v1"
NAMES = {"cluster-worker": "node-1", "cluster-worker2": "node-2"}
READY = RolledPod("p-1", "cluster-worker", NEW, f"r.test/b@{IMAGE.digest}", True, False)
ELSEWHERE = replace(READY, name="p-2", node="cluster-worker2")
SERVING = replace(READY, name="o-1", image=OLD)
REFUSED = replace(
    READY,
    name="p-3",
    image_id="",
    ready=False,
    hang=Hang(HangCode.IMAGE_PULL, "not-found: ErrImagePull", "push it", FailureCode.NOT_FOUND),
)
HELD = replace(
    REFUSED, hang=Hang(HangCode.VOLUME_MULTI_ATTACH, "Multi-Attach error", "use Recreate")
)


def rollout(*pods: RolledPod, complete: bool = True, hangs: tuple[Hang, ...] = ()) -> Rollout:
    return Rollout("roller", NEW, complete, 60.0, "generation 2", pods, hangs)


def test_complete_rollout_leaves_nothing_to_find() -> None:
    assert checks.rolled_out(rollout(READY, ELSEWHERE), IMAGE, NAMES) == ()


def test_node_of_the_pod_that_hangs_is_named() -> None:
    (finding,) = checks.rolled_out(rollout(ELSEWHERE, HELD, complete=False), IMAGE, NAMES)

    assert (finding.code, finding.subject) == (Code.ROLLOUT_HANGS, "node-1")
    assert "volume-multi-attach: Multi-Attach error" in finding.evidence
    assert finding.remedy == "use Recreate"


def test_workload_is_named_where_no_node_is_chosen_yet() -> None:
    (finding,) = checks.rolled_out(rollout(replace(HELD, node=""), complete=False), IMAGE, NAMES)

    assert finding.subject == "roller"


def test_node_that_reports_do_not_know_has_its_own_name() -> None:
    (finding,) = checks.rolled_out(rollout(replace(HELD, node="new"), complete=False), IMAGE, NAMES)

    assert finding.subject == "new"


def test_controller_that_makes_no_pods_tells_why() -> None:
    quota = Hang(HangCode.POD_REFUSED, "exceeded quota", "look at quotas")

    (told,) = checks.rolled_out(rollout(complete=False, hangs=(quota,)), IMAGE, NAMES)
    (silent,) = checks.rolled_out(rollout(READY, complete=False), IMAGE, NAMES)

    assert (told.subject, told.remedy) == ("roller", "look at quotas")
    assert "pod-refused: exceeded quota" in told.evidence
    assert silent.evidence.startswith("not complete after 60 s: generation 2")


@pytest.mark.parametrize("left", [SERVING, replace(READY, ending=True)])
def test_pod_that_is_left_of_earlier_images_is_found(left: RolledPod) -> None:
    (finding,) = checks.rolled_out(rollout(READY, left), IMAGE, NAMES)

    assert (finding.code, finding.subject) == (Code.ROLLOUT_LEFTOVER, "node-1")


def test_pod_that_runs_another_image_than_the_pushed_one_is_found() -> None:
    (finding,) = checks.rolled_out(rollout(replace(READY, image_id="r@sha256:00")), IMAGE, NAMES)
    (nothing,) = checks.rolled_out(rollout(replace(READY, image_id="")), IMAGE, NAMES)

    assert finding.code == nothing.code == Code.WRONG_BYTES
    assert IMAGE.digest in finding.evidence


def test_rollout_without_pods_proves_nothing() -> None:
    with pytest.raises(Inconclusive):
        checks.rolled_out(rollout(), IMAGE, NAMES)


def test_node_without_a_pod_is_found() -> None:
    assert checks.on_every_node(rollout(READY, ELSEWHERE), NAMES) == ()

    (finding,) = checks.on_every_node(rollout(READY, complete=False), NAMES)

    assert (finding.code, finding.subject) == (Code.ROLLOUT_HANGS, "node-2")


def test_cluster_without_nodes_proves_nothing() -> None:
    with pytest.raises(Inconclusive):
        checks.on_every_node(rollout(READY), {})


def judged(*pods: RolledPod, complete: bool = False) -> list[tuple[Code, str]]:
    found = checks.stopped(
        rollout(*pods, complete=complete), OLD, NAMES, serving=1, cause=FailureCode.NOT_FOUND
    )
    return [(finding.code, finding.subject) for finding in found]


def test_refused_rollout_that_keeps_its_service_leaves_nothing_to_find() -> None:
    assert judged(SERVING, REFUSED) == []


def test_rollout_of_what_must_be_refused_is_found() -> None:
    both = [(Code.PULL_ACCEPTED, "node-1"), (Code.PULL_ACCEPTED, "node-2")]

    assert judged(READY, ELSEWHERE, complete=True) == both
    assert judged(SERVING, READY, REFUSED) == both[:1]


def test_refusal_for_another_reason_is_found() -> None:
    assert REFUSED.hang
    wrong = replace(REFUSED.hang, pull_failure=FailureCode.TIMEOUT)

    assert judged(SERVING, replace(REFUSED, hang=wrong)) == [(Code.WRONG_REASON, "node-1")]


def test_pod_that_is_ending_serves_nobody() -> None:
    assert judged(replace(SERVING, ending=True), REFUSED) == [(Code.SERVICE_LOST, "roller")]


def test_lost_service_is_found() -> None:
    gone = [(Code.SERVICE_LOST, "roller")]

    assert judged(REFUSED) == gone
    assert judged(replace(SERVING, ready=False), REFUSED) == gone


def test_rollout_that_nobody_refused_yet_proves_nothing() -> None:
    with pytest.raises(Inconclusive):
        judged(SERVING, HELD)
    with pytest.raises(Inconclusive):
        judged(SERVING)


@pytest.mark.parametrize(
    ("kind", "strategy", "replicas", "words"),
    [
        (ControllerKind.DEPLOYMENT, "RollingUpdate", 1, "its strategy is RollingUpdate"),
        (ControllerKind.DEPLOYMENT, "Recreate", 2, "it has 2 replicas"),
        (ControllerKind.DEPLOYMENT, "RollingUpdate", 2, "RollingUpdate and it has 2 replicas"),
        (ControllerKind.DAEMON_SET, "Recreate", 1, "it runs on many nodes"),
    ],
)
def test_workload_that_does_not_fit_a_volume_of_one_node_is_found(
    kind: ControllerKind,
    strategy: Literal["RollingUpdate", "Recreate"],
    replicas: int,
    words: str,
) -> None:
    workload = Workload(kind, "ours", "roller", NEW, replicas=replicas, strategy=strategy)

    (finding,) = checks.fits_volume(workload, Claim("data", ("ReadWriteOnce",), "", "Bound"))

    assert (finding.code, finding.subject) == (Code.CONFIGURATION, "roller")
    assert words in finding.evidence


def test_workload_that_fits_its_volume_leaves_nothing_to_find() -> None:
    rolling = Workload(ControllerKind.DEPLOYMENT, "ours", "roller", NEW)
    recreated = replace(rolling, strategy="Recreate")

    assert checks.fits_volume(recreated, Claim("data", ("ReadWriteOncePod",), "", "Bound")) == ()
    assert checks.fits_volume(rolling, Claim("data", ("ReadWriteMany",), "", "Bound")) == ()
    assert checks.fits_volume(rolling, Claim("data", (), "", "Pending")) == ()
