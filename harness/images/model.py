"""The images that a lab is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Image(StrEnum):
    """A kind of image; the number is the version of the software in it that matters."""

    REGISTRY_2_8 = "registry-2.8"
    REGISTRY_3 = "registry-3"
    NODE_1_6 = "node-1.6"
    NODE_1_7 = "node-1.7"
    NODE_2_1 = "node-2.1"
    KIND_NODE_1_35 = "kind-node-1.35"
    KIND_NODE_1_36 = "kind-node-1.36"
    LOAD_BALANCER = "load-balancer"
    TOOLS = "tools"
    PROMETHEUS = "prometheus"


class Origin(StrEnum):
    """How an image came into the engine's store in this run."""

    CACHED = "cached"
    BUNDLE = "bundle"
    PULLED = "pulled"
    BUILT = "built"


@dataclass(frozen=True)
class ProvidedImage:
    """An image that is in the engine's store.

    `id` is the engine's, `reference` the tag under which it is kept. `digest` is the manifest
    digest of a published image, and the digest of the root file system of a built one (the
    same packages give the same digest). `software` names program and version. `reason` says
    in a sentence why it came from there.
    """

    image: Image
    id: str
    reference: str
    origin: Origin
    reason: str
    digest: str
    software: str
    seconds: float
