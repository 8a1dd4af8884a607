"""Broken collections of garbage: what the suite `gc` must see through."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.machine import CHECKOUT
from harness.registry import distribution_config as config
from harness.result.model import Status
from tests.sabotage import collecting
from tests.sabotage.breaking import distribution
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from harness.workload import Published

SCENARIO = CHECKOUT / "tests/sabotage/gc.yaml"
PRIMARY = frozenset({"primary.pullproof.test:5000"})
LIVE = "gc.live-content-survives-a-collection"
SPACE = "gc.garbage-gives-its-space-back"
AGAIN = "gc.image-pushed-again-after-a-collection-is-whole"
MEANWHILE = "gc.pushes-are-refused-and-pulls-go-on-during-a-collection"
UNTAGGED = "gc.untagged-manifests-go-when-asked-and-as-foretold"
BESIDE = "gc.collection-beside-a-push-is-seen-to-lose-content"


def _stay_writable(lab: Lab) -> None:
    """Have the registry start with the configuration that it has now, whatever it is told."""
    registry = distribution(lab.primary)
    file = registry.handle.configuration_folder / config.CONFIGURATION_FILE
    registry._container.put_file("/tmp/usual.yml", file.read_bytes())
    collecting.replace_serving(registry._container, f"exec {collecting.REAL} serve /tmp/usual.yml")


def _lose_what_is_pushed_again(seen: set[str], lab: Lab, published: Published) -> None:
    """Be in the state in which a cache of blob descriptors outlived a collection.

    The registry says that it has a layer, so that nobody sends it, and has it not.
    """
    if published.image.digest in seen:
        collecting.delete_blob(lab.primary, published.image.layers[0].digest)
    seen.add(published.image.digest)


CASES = (
    Case(
        name="collection-deletes-a-live-blob",
        suite="gc",
        sabotage=collecting.collect_by(collecting.DELETES_A_LIVE_BLOB),
        turns_red={
            LIVE: Code.LOST_CONTENT,
            SPACE: Code.LOST_CONTENT,
            MEANWHILE: Code.LOST_CONTENT,
            UNTAGGED: Code.LOST_CONTENT,
            BESIDE: Code.COLLECTION,
        },
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-claims-success-and-frees-nothing",
        suite="gc",
        sabotage=collecting.collect_by(collecting.ONLY_CLAIMS),
        turns_red={
            SPACE: Code.COLLECTION,
            UNTAGGED: Code.SPACE_KEPT,
            BESIDE: Code.COLLECTION,
        },
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-finds-no-garbage",
        suite="gc",
        sabotage=collecting.collect_by(collecting.FINDS_NOTHING),
        turns_red={SPACE: Code.SPACE_KEPT, UNTAGGED: Code.SPACE_KEPT},
        subjects=PRIMARY,
        leaves_open={BESIDE: Status.INCONCLUSIVE},
        reason="no loss was ever seen",
        scenario=SCENARIO,
    ),
    Case(
        name="collection-fails",
        suite="gc",
        sabotage=collecting.collect_by(collecting.FAILS),
        turns_red=dict.fromkeys((LIVE, SPACE, AGAIN, MEANWHILE, UNTAGGED, BESIDE), Code.COLLECTION),
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="dry-run-foretells-nothing",
        suite="gc",
        sabotage=collecting.collect_by(collecting.FORETELLS_NOTHING),
        turns_red={SPACE: Code.COLLECTION, UNTAGGED: Code.COLLECTION},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-takes-untagged-manifests-unasked",
        suite="gc",
        sabotage=collecting.collect_by(collecting.TAKES_UNTAGGED_UNASKED),
        turns_red={LIVE: Code.LOST_CONTENT, UNTAGGED: Code.LOST_CONTENT},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-leaves-untagged-manifests",
        suite="gc",
        sabotage=collecting.collect_by(collecting.LEAVES_UNTAGGED),
        turns_red={UNTAGGED: Code.SPACE_KEPT},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-purges-uploads",
        suite="gc",
        sabotage=collecting.collect_by(collecting.PURGES_UPLOADS),
        turns_red={LIVE: Code.LOST_CONTENT},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="registry-takes-pushes-while-garbage-is-collected",
        suite="gc",
        sabotage=Sabotage(lab_started=_stay_writable),
        turns_red={MEANWHILE: Code.WRITE_ACCEPTED},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="registry-claims-blobs-that-were-collected",
        suite="gc",
        sabotage=Sabotage(published=partial(_lose_what_is_pushed_again, set())),
        turns_red={AGAIN: Code.LOST_CONTENT},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
)
