from __future__ import annotations

from harness.images import Image, images_of
from harness.scenario.model import ClusterSpec, RegistrySpec, Scenario


def scenario(containerd: str, *versions: str) -> Scenario:
    return Scenario(
        version=1,
        name="x",
        cluster=ClusterSpec.model_validate({"containerd": containerd}),
        registries=tuple(
            RegistrySpec.model_validate({"name": f"r{number}", "version": version})
            for number, version in enumerate(versions)
        ),
    )


def test_scenario_needs_its_nodes_and_each_version_of_registry_once() -> None:
    needed = images_of(scenario("1.6", "3", "2.8", "3"))

    assert needed == (Image.NODE_1_6, Image.REGISTRY_3, Image.REGISTRY_2_8)


def test_every_version_that_a_scenario_may_name_has_an_image() -> None:
    needed = {
        image
        for version in ("1.6", "1.7", "2.1")
        for image in images_of(scenario(version, "2.8", "3"))
    }

    assert needed == set(Image) - {Image.LOAD_BALANCER}
