"""Broken collections of garbage: what the suite `gc` must see through."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.machine import CHECKOUT
from harness.registry import distribution_config as config
from harness.registry.distribution import CONFIGURATION_FOLDER
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


def _collect_by(script: str) -> Sabotage:
    return Sabotage(
        lab_started=lambda lab: collecting.replace_collection(lab.primary, script),
        published=collecting.choose_victim,
    )


def _stay_writable(lab: Lab) -> None:
    """Have the registry start with the configuration that it has now, whatever it is told."""
    registry = distribution(lab.primary)
    file = registry.handle.folder / CONFIGURATION_FOLDER / config.CONFIGURATION_FILE
    registry._container.put_file("/tmp/usual.yml", file.read_bytes())
    collecting.replace_serving(registry, f"exec {collecting.REAL} serve /tmp/usual.yml")


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
        sabotage=_collect_by(collecting.DELETES_A_LIVE_BLOB),
        turns_red={
            LIVE: Code.LOST_CONTENT,
            SPACE: Code.LOST_CONTENT,
            MEANWHILE: Code.LOST_CONTENT,
        },
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-claims-success-and-frees-nothing",
        suite="gc",
        sabotage=_collect_by(collecting.ONLY_CLAIMS),
        turns_red={SPACE: Code.COLLECTION},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-finds-no-garbage",
        suite="gc",
        sabotage=_collect_by(collecting.FINDS_NOTHING),
        turns_red={SPACE: Code.SPACE_KEPT},
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-fails",
        suite="gc",
        sabotage=_collect_by(collecting.FAILS),
        turns_red=dict.fromkeys((LIVE, SPACE, AGAIN, MEANWHILE), Code.COLLECTION),
        subjects=PRIMARY,
        scenario=SCENARIO,
    ),
    Case(
        name="collection-purges-uploads",
        suite="gc",
        sabotage=_collect_by(collecting.PURGES_UPLOADS),
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
