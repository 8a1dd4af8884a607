"""Replicators that do half of their work: what the suite `replication` must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.findings import Code
from harness.hosts_toml import Host
from harness.machine import CHECKOUT
from harness.wait import wait_until
from tests.sabotage.breaking import declare, distribution, node_2
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.registry.distribution import DistributionRegistry
    from harness.workload import Published

SCENARIO = CHECKOUT / "tests/sabotage/replication.yaml"
SCHEDULED: Final = CHECKOUT / "tests/sabotage/replication_schedule.yaml"
SCRIPT: Final = "/usr/local/bin/replicate"
WHOLE: Final = f"{SCRIPT}-as-it-was"
COPY = frozenset({"dr.pullproof.test:5000"})

ARRIVES = "replication.pushed-image-arrives-whole"
MOVES = "replication.moved-tag-moves-in-the-copy"
INDEX = "replication.index-arrives-with-all-its-images"
DELETED = "replication.deleted-image-goes-from-the-copy-and-no-other"
SIGNED = "replication.signatures-verify-at-the-copy"
LAG = "replication.replication-lag"
CATCHES_UP = "replication.copy-catches-up-after-an-outage"
NODES = "replication.nodes-pull-from-the-copy-while-the-source-is-away"
ALL = "replication.whole-copy-equals-its-source"

# Each stands in for `replicate ACTION REPOSITORY DIGEST TAG` and calls what that was.
# While the copy cannot be asked this one ends with an error, to be called again: it would else copy
# the tag to one that comes back between two questions. Tags of referrers are no user's: notation
# moves the one that cosign has set and deletes what it led to, perhaps before that is copied.
SKIPS_MOVED_TAGS: Final = f"""
[ "$1" = push ] && [ "$4" ] || exec {WHOLE} "$@"
case $4 in sha256-*) exec {WHOLE} "$@" ;; esac
told=$(skopeo inspect --raw "docker://$DESTINATION/$2:$4" 2>&1 >/dev/null) && exit
case $told in *'manifest unknown'* | *'name unknown'*) exec {WHOLE} "$@" ;; *) exit 1 ;; esac
"""
SKIPS_SIGNATURES: Final = f"""
case $4 in sha256-*) ;; *) exec {WHOLE} "$@" ;; esac
"""
# Unless it is told otherwise, skopeo copies one image of an index and compresses layers.
USES_DEFAULTS: Final = f"""
case $1-$4 in
push-v1) set -- --preserve-digests "docker://$SOURCE/$2@$3" "docker://$DESTINATION/$2:v1" ;;
push-latest) set -- "docker://$SOURCE/$2@$3" "docker://$DESTINATION/$2:latest" ;;
*) exec {WHOLE} "$@" ;;
esac
exec skopeo copy "$@"
"""
# The tag that is pushed only while the copy is away. Trying each change once instead would lose
# what fails for any other reason too, and nothing where the copy is back before the first try.
FORGETS_WHAT_CAME_DURING_AN_OUTAGE: Final = f"""
[ "$4" = new ] || exec {WHOLE} "$@"
"""
TAKES_ITS_TIME: Final = f"""
case $4 in v0) sleep 6 ;; esac
exec {WHOLE} "$@"
"""
KEEPS_WHAT_WAS_DELETED: Final = f"""
[ "$1" = delete ] || exec {WHOLE} "$@"
"""
# The neighbour first: a check that looks in between would find all as it should be.
DELETES_A_NEIGHBOUR: Final = f"""
if [ "$1" = delete ] && kept=$(crane digest "$DESTINATION/$2:kept"); then
  crane delete "$DESTINATION/$2@$kept" || exit 1
fi
exec {WHOLE} "$@"
"""
# Found before the program of the same name, which a schedule calls for each repository.
SYNCS_SLOWLY: Final = """#!/bin/sh
[ "$1" != sync ] || sleep 30
exec /usr/bin/skopeo "$@"
"""
MOVES_INSTEAD_OF_COPYING: Final = f"""
{WHOLE} "$@" || exit 1
case $1-$4 in push-latest) crane delete "$SOURCE/$2@$3" ;; esac
"""


def _replicating_by(script: str) -> Sabotage:
    """Have a script stand before the replicator's own."""

    def replace(lab: Lab) -> None:
        (replicator,) = lab.replicators
        usual = replicator.container.get_file(SCRIPT)
        assert usual
        replicator.container.put_file(WHOLE, usual, mode=0o755)
        replicator.container.put_file(SCRIPT, f"#!/bin/sh{script}".encode(), mode=0o755)

    return Sabotage(lab_started=replace)


def _stop_the_schedule(lab: Lab) -> None:
    lab.replicators[0].container.kill()


def _slow_the_schedule(lab: Lab) -> None:
    """Have each round with something to copy take longer than the schedule states."""
    content = SYNCS_SLOWLY.encode()
    lab.replicators[0].container.put_file("/usr/sbin/skopeo", content, mode=0o755)


def _copy(lab: Lab) -> DistributionRegistry:
    return distribution(lab.registries[1])


def _change_a_layer_of_the_copy(lab: Lab, published: Published) -> None:
    """Change what the first check has pushed, which alone has images of this size."""
    layer = published.image.layers[0]
    if layer.size > LARGE_BYTES:
        copy = _copy(lab)
        wait_until(
            lambda: copy.read_blob(layer.digest),
            timeout_seconds=60,
            what="the layer to be in the copy",
        )
        copy.overwrite_blob(layer.digest, bytes([layer.content[0] ^ 0xFF]) + layer.content[1:])


def _leave_node_2_without_the_copys_authority(lab: Lab) -> None:
    copy = _copy(lab)
    declare(node_2(lab), copy.host, Host(f"https://{copy.host}"))


LARGE_BYTES: Final = 200 * 1024

CASES = (
    Case(
        name="replicator-skips-moved-tags",
        suite="replication",
        sabotage=_replicating_by(SKIPS_MOVED_TAGS),
        turns_red=dict.fromkeys((MOVES, CATCHES_UP, ALL), Code.NOT_REPLICATED),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-skips-signatures",
        suite="replication",
        sabotage=_replicating_by(SKIPS_SIGNATURES),
        turns_red=dict.fromkeys((SIGNED, ALL), Code.NOT_REPLICATED),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-uses-the-defaults-of-skopeo",
        suite="replication",
        sabotage=_replicating_by(USES_DEFAULTS),
        turns_red=dict.fromkeys((ARRIVES, INDEX, ALL), Code.NOT_REPLICATED),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-forgets-what-came-during-an-outage",
        suite="replication",
        sabotage=_replicating_by(FORGETS_WHAT_CAME_DURING_AN_OUTAGE),
        turns_red=dict.fromkeys((CATCHES_UP, ALL), Code.NOT_REPLICATED),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-takes-its-time",
        suite="replication",
        sabotage=_replicating_by(TAKES_ITS_TIME),
        turns_red={LAG: Code.TARGET_MISSED},
        subjects=frozenset({"primary to dr"}),
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-keeps-what-was-deleted",
        suite="replication",
        sabotage=_replicating_by(KEEPS_WHAT_WAS_DELETED),
        turns_red=dict.fromkeys((DELETED, CATCHES_UP, ALL), Code.NOT_DELETED),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-deletes-a-neighbour",
        suite="replication",
        sabotage=_replicating_by(DELETES_A_NEIGHBOUR),
        turns_red=dict.fromkeys((DELETED, ALL), Code.NOT_REPLICATED),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="replicator-moves-instead-of-copying",
        suite="replication",
        sabotage=_replicating_by(MOVES_INSTEAD_OF_COPYING),
        turns_red={ARRIVES: Code.LOST_CONTENT},
        subjects=frozenset({"primary.pullproof.test:5000"}),
        scenario=SCENARIO,
    ),
    Case(
        name="copy-changes-a-layer-on-its-disk",
        suite="replication",
        sabotage=Sabotage(published=_change_a_layer_of_the_copy),
        turns_red=dict.fromkeys((ARRIVES, ALL), Code.WRONG_BYTES),
        subjects=COPY,
        scenario=SCENARIO,
    ),
    Case(
        name="node-does-not-know-the-copys-authority",
        suite="replication",
        sabotage=Sabotage(lab_started=_leave_node_2_without_the_copys_authority),
        turns_red={NODES: Code.PULL_FAILED},
        subjects=frozenset({"node-2"}),
        scenario=SCENARIO,
    ),
    Case(
        name="schedule-has-stopped",
        suite="replication",
        sabotage=Sabotage(lab_started=_stop_the_schedule),
        turns_red={LAG: Code.NOT_REPLICATED},
        subjects=COPY,
        scenario=SCHEDULED,
        parts=("test_outages.py::test_replication_lag",),
    ),
    Case(
        name="schedule-is-slower-than-stated",
        suite="replication",
        sabotage=Sabotage(lab_started=_slow_the_schedule),
        turns_red={LAG: Code.TARGET_MISSED},
        subjects=frozenset({"primary to dr"}),
        scenario=SCHEDULED,
        parts=("test_outages.py::test_replication_lag",),
    ),
)
