"""Images: in the store already, or loaded, pulled or built."""

from harness.images.bundle import save_bundle
from harness.images.choice import images_of, node_image, registry_image
from harness.images.model import Image, Origin, ProvidedImage
from harness.images.provide import provide, provide_all
from harness.images.store import drop_all

__all__ = [
    "Image",
    "Origin",
    "ProvidedImage",
    "drop_all",
    "images_of",
    "node_image",
    "provide",
    "provide_all",
    "registry_image",
    "save_bundle",
]
