"""Build a node of kind: packages, compiled programs, and images in its containerd's store."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from docker.errors import DockerException

from harness.debian import download
from harness.errors import ImageError
from harness.images import store
from harness.images.component_images import archive, images_of, write_layer
from harness.images.go_programs import compile_programs
from harness.images.root_filesystem import root_filesystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

    from harness.home import Home
    from harness.images.recipe import Kubernetes, Recipe

ASSEMBLY_LABEL = "pullproof.assembly"

# containerd's store is filled on a volume, because its overlays cannot lie on the overlay that
# a container's own files are; then it is copied to where the node looks for it. Blobs are not
# kept: the layer is unpacked, and nobody pushes these images.
_FILL = """
containerd --root /seed/root --state /seed/state --address /seed/socket >/seed/log 2>&1 &
runtime=$!
call() { ctr --address /seed/socket --namespace k8s.io "$@" >/dev/null; }
for try in $(seq 100); do
  call version 2>/dev/null && break
  sleep 0.1
done
tar --directory /seed/images --create . | call images import --discard-unpacked-layers -
for name in $(ctr --address /seed/socket --namespace k8s.io images list --quiet); do
  call images label $name io.cri-containerd.pinned=pinned
done
call content prune references
kill $runtime
wait $runtime || true
cp --archive /seed/root/. /var/lib/containerd/
"""


def build_kind_node(
    recipe: Recipe,
    kubernetes: Kubernetes,
    *,
    labels: list[str],
    client: DockerClient,
    home: Home,
    announce: Callable[[str], None],
) -> None:
    """Build the image into the store; its name appears only when it is whole.

    Raises PackageError and ImageError with what cannot be had.
    """
    build = recipe.build
    programs = compile_programs(kubernetes, home=home, announce=announce)
    packages = download(build.packages, suite=build.suite, home=home, announce=announce)
    started = time.monotonic()
    announce(
        f"importing {len(packages)} packages of Debian {build.suite} and {len(programs)} programs"
    )
    draft = f"{recipe.hash}-draft"
    store.import_file_system(
        client,
        root_filesystem(build, packages, programs),
        repository=recipe.repository,
        tag=draft,
        changes=["ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin container=docker", *labels],
    )
    reference = f"{recipe.repository}:{draft}"
    try:
        with _container(client, reference, recipe.image) as container:
            layer = home.images / f"{recipe.image}.layer"
            try:
                _put_images(container, kubernetes, programs, layer, home=home, announce=announce)
            finally:
                layer.unlink(missing_ok=True)
            announce("filling containerd's store")
            _execute(container, _FILL)
            container.commit(
                recipe.repository,
                recipe.hash,
                changes="\n".join(
                    [
                        f"ENTRYPOINT {json.dumps(build.entrypoint)}",
                        "CMD []",
                        "STOPSIGNAL SIGRTMIN+3",
                    ]
                ),
            )
    finally:
        store.drop(client, reference)
    announce(f"assembled in {time.monotonic() - started:.1f} s")


def _put_images(
    container: Container,
    kubernetes: Kubernetes,
    programs: tuple[Path, ...],
    layer: Path,
    *,
    home: Home,
    announce: Callable[[str], None],
) -> None:
    component = kubernetes.component
    packages = download(component.packages, suite=component.suite, home=home, announce=announce)
    sha256 = write_layer(root_filesystem(component, packages, programs), layer)
    listed = _execute(
        container,
        f"kubeadm config images list --kubernetes-version v{kubernetes.version} 2>/dev/null",
    )
    architecture = _execute(container, "kubeadm version -o json | jq -r .clientVersion.platform")
    container.put_archive(
        "/",
        archive(
            images_of(listed.split()),
            layer=layer,
            sha256=sha256,
            architecture=architecture.strip().rpartition("/")[2],
            folder="seed/images",
        ),
    )


@contextmanager
def _container(client: DockerClient, reference: str, image: str) -> Iterator[Container]:
    """Run an image that does nothing by itself, with a volume to fill a store on.

    Nobody else assembles the same image meanwhile, so what is found was left by a killed run.
    """
    label = {ASSEMBLY_LABEL: image}
    try:
        for left in client.containers.list(
            all=True, filters={"label": f"{ASSEMBLY_LABEL}={image}"}, ignore_removed=True
        ):
            left.remove(force=True, v=True)
        container = client.containers.run(
            reference,
            ["sleep", "infinity"],
            detach=True,
            labels=label,
            init=False,
            network_mode="none",
            privileged=True,
            stop_signal="SIGKILL",
            volumes=["/seed"],
        )
        try:
            yield container
        finally:
            container.remove(force=True, v=True)
    except DockerException as error:
        raise ImageError(f"the engine did not assemble {reference}: {error}") from error


def _execute(container: Container, script: str) -> str:
    done = container.exec_run(["sh", "-euc", script])
    output = done.output if isinstance(done.output, bytes) else b"".join(done.output)
    said = output.decode("utf-8", "replace")
    if done.exit_code != 0:
        raise ImageError(f"a step inside the node's image failed: {said[-2000:].strip()}")
    return said
