from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from harness import oci
from harness.clients.container import ToolsHandle, attach, tools_container
from harness.engine import open_engine
from harness.errors import CommandError, EngineError, HarnessError
from harness.home import Home
from harness.images.model import Image
from harness.images.provide import provide_all
from harness.registry.distribution_start import distribution_registry
from harness.scenario.model import AuthSpec, RegistrySpec, TLSSpec
from harness.trust import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.clients import Workspace
    from harness.clients.container import ToolsContainer
    from harness.command import Completed
    from harness.engine import Engine
    from harness.registry.distribution import DistributionRegistry

LABEL = "pullproof.test"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine(Home.locate(os.environ), print, os.environ) as engine:
        yield engine


@pytest.fixture(scope="module")
def stage(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[DistributionRegistry, ToolsContainer]]:
    images = provide_all(
        [Image.REGISTRY_2_8, Image.TOOLS],
        engine=engine,
        home=Home.locate(os.environ),
        announce=print,
    )
    name = f"test-{uuid4().hex[:8]}"
    labels = {LABEL: name}
    folder = tmp_path_factory.mktemp("tools")
    authority = Authority.create("private-ca")
    network = engine.create_network(name, labels)
    try:
        with distribution_registry(
            RegistrySpec(name="primary", tls=TLSSpec(), auth=AuthSpec()),
            engine=engine,
            image_id=images[Image.REGISTRY_2_8].id,
            network=name,
            labels=labels,
            name=f"{name}-primary",
            folder=folder / "primary",
            authorities={"private-ca": authority},
        ) as registry:
            assert registry.credentials
            handle = ToolsHandle(f"{name}-tools", folder / "tools")
            with tools_container(
                handle,
                engine=engine,
                image_id=images[Image.TOOLS].id,
                network=name,
                labels=labels,
                accounts={registry.host: registry.credentials},
                authorities=[authority.certificate_pem],
            ) as tools:
                yield registry, tools
            with pytest.raises(EngineError, match="is gone"):
                attach(handle, engine)
            assert not handle.folder.exists()
    finally:
        network.remove()


@pytest.fixture
def registry(stage: tuple[DistributionRegistry, ToolsContainer]) -> DistributionRegistry:
    return stage[0]


@pytest.fixture
def workspace(stage: tuple[DistributionRegistry, ToolsContainer]) -> Iterator[Workspace]:
    with stage[1].workspace() as workspace:
        yield workspace


def succeeded(done: Completed) -> Completed:
    assert done.status == 0, done.stderr
    return done


def repository_with_image(registry: DistributionRegistry) -> tuple[str, str]:
    """Return the name of a new repository on the registry's host, and the digest in it."""
    image, path = oci.image(), f"test/{uuid4().hex[:12]}"
    registry.api().push(image, path, "v1")
    return f"{registry.host}/{path}", image.digest


def test_skopeo_knows_the_account_and_trusts_the_authority(
    registry: DistributionRegistry, workspace: Workspace
) -> None:
    name, digest = repository_with_image(registry)

    copied = workspace.run(
        ["skopeo", "copy", "--preserve-digests", f"docker://{name}:v1", f"docker://{name}:v2"]
    )
    inspected = workspace.run(["skopeo", "inspect", f"docker://{name}:v2"])

    succeeded(copied)
    assert json.loads(succeeded(inspected).text)["Digest"] == digest


def test_cosign_signs_with_a_key_of_the_workspace_and_verifies(
    registry: DistributionRegistry, workspace: Workspace
) -> None:
    name, digest = repository_with_image(registry)
    workspace.write("password", b"of this test")

    succeeded(workspace.run(["cosign", "generate-key-pair"], input_file="password"))
    sign = ["cosign", "sign", "--key", "cosign.key", "--use-signing-config=false"]
    sign += ["--tlog-upload=false", "--new-bundle-format=false", f"{name}@{digest}"]
    succeeded(workspace.run(sign, input_file="password"))
    verify = ["cosign", "verify", "--key", "cosign.pub", "--insecure-ignore-tlog"]
    verify += ["--new-bundle-format=false"]

    succeeded(workspace.run([*verify, f"{name}@{digest}"]))
    unsigned, _ = repository_with_image(registry)
    assert workspace.run([*verify, f"{unsigned}:v1"]).status != 0


def test_oras_attaches_and_discovers(registry: DistributionRegistry, workspace: Workspace) -> None:
    name, digest = repository_with_image(registry)
    workspace.write("bill.txt", b"of materials")

    attach = ["oras", "attach", "--artifact-type", "test/bill", f"{name}@{digest}", "bill.txt"]
    succeeded(workspace.run(attach))
    found = succeeded(workspace.run(["oras", "discover", f"{name}@{digest}"]))

    assert "test/bill" in found.text


def test_notation_is_there(workspace: Workspace) -> None:
    assert "1.3" in succeeded(workspace.run(["notation", "version"])).text


def test_programs_are_given_no_longer_than_their_time(workspace: Workspace) -> None:
    with pytest.raises(CommandError, match="still running after"):
        workspace.run(["sleep", "5"], timeout_seconds=0.2)


def test_workspaces_are_apart_and_leave_nothing(
    stage: tuple[DistributionRegistry, ToolsContainer], workspace: Workspace
) -> None:
    with stage[1].workspace() as other:
        path = other.write("key", b"secret")
        mode = succeeded(workspace.run(["stat", "-c", "%a", path])).text.strip()
        assert other.read("key") == b"secret"
        with pytest.raises(HarnessError, match="left no file key"):
            workspace.read("key")

    assert mode == "600"
    assert workspace.run(["cat", path]).status != 0


def test_passwords_are_in_no_argument_and_no_environment(
    registry: DistributionRegistry, workspace: Workspace
) -> None:
    assert registry.credentials
    password = registry.credentials.password.reveal()
    shown = workspace.run(["sh", "-c", "cat /proc/*/cmdline /proc/*/environ"]).text

    assert "sleep" in shown
    assert "DOCKER_CONFIG" in shown
    assert password not in shown
