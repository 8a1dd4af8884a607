from __future__ import annotations

import hashlib
import io
import json
import platform
import random
import tarfile

import pytest

from harness import oci, sleeper
from harness.errors import HarnessError

DIGEST = "sha256:" + "ab" * 32


def test_digest_is_sha256_in_hexadecimal() -> None:
    assert oci.sha256_digest(b"abc") == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"


def test_layer_is_a_tar_of_one_regular_file_with_random_bytes() -> None:
    made = oci.image(layers=3, layer_bytes=1000, random_bytes=lambda size: b"x" * size)

    for number, layer in enumerate(made.layers):
        assert layer.media_type == "application/vnd.oci.image.layer.v1.tar"
        files = _files(layer)
        files.pop("pullproof", None)
        assert files == {f"payload-{number}": b"x" * 1000}


def test_first_layer_alone_holds_the_program_that_the_image_starts() -> None:
    made = oci.image(layers=2)
    config = json.loads(made.config.content)["config"]

    assert config == {"Entrypoint": ["/pullproof"], "User": "65532"}
    assert _files(made.layers[0])["pullproof"] == sleeper.program(oci.machine_architecture())
    assert set(_files(made.layers[1])) == {"payload-1"}
    with tarfile.open(fileobj=io.BytesIO(made.layers[0].content), mode="r:") as archive:
        assert archive.getmember("pullproof").mode == 0o755


def _files(layer: oci.Blob) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(layer.content), mode="r:") as archive:
        found = {entry.name: archive.extractfile(entry) for entry in archive.getmembers()}
    return {name: file.read() for name, file in found.items() if file is not None}


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 4096])
def test_layer_consists_of_whole_blocks(size: int) -> None:
    first, second = oci.image(layers=2, layer_bytes=size).layers

    assert second.size == 512 + (size + 511) // 512 * 512 + 1024
    assert first.size == second.size + 1024
    assert first.size % 512 == 0


def test_manifest_describes_config_and_layers() -> None:
    made = oci.image(layers=3, layer_bytes=100)
    manifest = json.loads(made.manifest.content)

    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == made.manifest.media_type
    assert manifest["config"] == {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": oci.sha256_digest(made.config.content),
        "size": len(made.config.content),
    }
    assert [entry["digest"] for entry in manifest["layers"]] == [
        oci.sha256_digest(layer.content) for layer in made.layers
    ]
    assert made.digest == oci.sha256_digest(made.manifest.content)


def test_config_names_the_platform_and_every_layer() -> None:
    made = oci.image(layers=2)
    config = json.loads(made.config.content)

    assert config["os"] == "linux"
    assert config["architecture"] == oci.machine_architecture()
    assert config["rootfs"]["diff_ids"] == [layer.digest for layer in made.layers]


def test_image_size_is_all_that_a_node_fetches() -> None:
    made = oci.image(layers=2, layer_bytes=1000)

    assert made.size == made.manifest.size + made.config.size + sum(
        layer.size for layer in made.layers
    )


def test_images_are_unlike_each_other() -> None:
    assert oci.image().digest != oci.image().digest


def test_image_of_one_seed_is_made_the_same_again() -> None:
    first, second = (
        oci.image(layers=2, random_bytes=random.Random(7).randbytes)  # noqa: S311 - not a secret
        for _ in range(2)
    )

    assert first == second


def test_image_with_shared_layers_begins_with_them() -> None:
    base = oci.image(layers=2)
    derived = oci.with_shared_layers(base, layers=1)

    assert derived.layers[:2] == base.layers
    assert len(derived.layers) == 3
    assert derived.digest != base.digest
    with tarfile.open(fileobj=io.BytesIO(derived.layers[2].content), mode="r:") as archive:
        assert archive.getnames() == ["payload-2"]


def test_index_lists_images_with_their_platform() -> None:
    images = (oci.image(), oci.image())
    made = oci.index(images)
    document = json.loads(made.manifest.content)

    assert made.images == images
    assert made.digest == oci.sha256_digest(made.manifest.content)
    assert document["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert [entry["digest"] for entry in document["manifests"]] == [each.digest for each in images]
    assert document["manifests"][0]["platform"] == {
        "architecture": oci.machine_architecture(),
        "os": "linux",
    }


def test_representation_does_not_show_content() -> None:
    assert "content" not in repr(oci.image().layers[0])


def test_machine_without_a_known_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")

    with pytest.raises(HarnessError, match="vax"):
        oci.machine_architecture()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("busybox", oci.Reference("docker.io", "library/busybox", "latest")),
        ("team/app:v1", oci.Reference("docker.io", "team/app", "v1")),
        ("docker.io/busybox:1", oci.Reference("docker.io", "library/busybox", "1")),
        ("index.docker.io/busybox", oci.Reference("docker.io", "library/busybox", "latest")),
        ("localhost/app", oci.Reference("localhost", "app", "latest")),
        ("host:5000/a/b:t", oci.Reference("host:5000", "a/b", "t")),
        ("h.test/a__b-c.d:T_1", oci.Reference("h.test", "a__b-c.d", "T_1")),
        ("Host/app", oci.Reference("Host", "app", "latest")),
        ("[::1]:5000/app", oci.Reference("[::1]:5000", "app", "latest")),
        (f"h.test/app@{DIGEST}", oci.Reference("h.test", "app", "", DIGEST)),
        (f"h.test/app:t@{DIGEST}", oci.Reference("h.test", "app", "t", DIGEST)),
    ],
)
def test_reference_is_read_as_docker_reads_it(text: str, expected: oci.Reference) -> None:
    parsed = oci.Reference.parse(text)

    assert parsed == expected
    assert oci.Reference.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "h.test/", "h.test/App", "h.test/app:", "h.test/app@", "h.test/app@sha256:12",
     "h.test/app:-x", "-h.test/app", "h.test/a//b", "h.test/app:t:u", "https://h.test/app"],
)  # fmt: skip
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(HarnessError, match="not an image reference"):
        oci.Reference.parse(text)


def test_reference_is_written_in_full() -> None:
    assert str(oci.Reference("h.test:5000", "app", "t")) == "h.test:5000/app:t"
    assert str(oci.Reference("h.test", "app", "", DIGEST)) == f"h.test/app@{DIGEST}"


def test_links_of_an_image_are_its_configuration_and_layers() -> None:
    image = oci.image(layers=2)

    assert oci.links(image.manifest.content) == oci.Links(
        (), (image.config.digest, *(layer.digest for layer in image.layers))
    )


def test_links_of_an_index_are_its_images() -> None:
    index = oci.index([oci.image(), oci.image()])

    assert oci.links(index.manifest.content) == oci.Links(
        tuple(image.digest for image in index.images), ()
    )


@pytest.mark.parametrize("content", [b"no JSON", b"[]", b'{"config": {}}', b'{"layers": ["x"]}'])
def test_what_is_no_manifest_has_no_links(content: bytes) -> None:
    with pytest.raises(HarnessError, match="neither a manifest nor an index"):
        oci.links(content)


def test_content_comes_in_parts() -> None:
    blob = oci.image(layer_bytes=100).layers[0]

    parts = list(blob.parts(1000))
    assert {len(part) for part in parts[:-1]} == {1000}
    assert b"".join(parts) == blob.content


def test_layer_that_is_pushed_apart_stands_in_config_and_manifest_alone() -> None:
    base, further = oci.image(layers=2), oci.image().layers[0]
    made = oci.with_layer(base, further)
    digests = [layer.digest for layer in (*base.layers, further)]

    manifest, config = json.loads(made.manifest.content), json.loads(made.config.content)
    assert [layer["digest"] for layer in manifest["layers"]] == digests
    assert manifest["layers"][-1]["size"] == further.size
    assert config["rootfs"]["diff_ids"] == digests
    assert made.layers == base.layers


def test_tags_of_what_belongs_to_an_image_are_made_of_its_digest() -> None:
    assert oci.referrers_tag("sha256:ab") == "sha256-ab"
    assert oci.cosign_tag("sha256:ab") == "sha256-ab.sig"
