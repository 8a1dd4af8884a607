from __future__ import annotations

import base64
import json

import pytest

from harness import oci
from harness.distribution_api import BlobRead, DistributionAPI, Endpoint, UnexpectedStatusError
from harness.errors import RegistryError
from harness.large_layer import large_layer
from harness.scenario.model import MIB
from harness.secret import Credentials, Secret
from tests.harness.distribution_api.scripted_server import NAME, Answer, ScriptedServer

UPLOADS = "/v2/team/app/blobs/uploads/"
SESSION = f"{UPLOADS}1?_state=s"


def uploads_of(*digests: str) -> dict[tuple[str, str], Answer]:
    return {
        ("POST", UPLOADS): Answer(202, headers={"Location": SESSION}),
        **{
            ("PUT", f"{SESSION}&digest={digest.replace(':', '%3A')}"): Answer(201)
            for digest in digests
        },
    }


def test_ping_tells_status_and_headers_as_they_come() -> None:
    script = {("GET", "/v2/"): Answer(401, headers={"WWW-Authenticate": "Basic"})}
    with ScriptedServer(script) as server:
        ping = DistributionAPI(server.endpoint()).ping()

    assert ping.status == 401
    assert ping.headers["www-authenticate"] == "Basic"


def test_requests_carry_the_host_and_the_credentials() -> None:
    credentials = Credentials("pullproof", Secret("pässword"))
    with ScriptedServer({}) as server:
        DistributionAPI(server.endpoint(), credentials).ping()
        (request,) = server.received

    assert request.headers["host"] == f"{NAME}:{server.port}"
    encoded = request.headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(encoded).decode() == "pullproof:pässword"


def test_anonymous_requests_carry_no_credentials() -> None:
    with ScriptedServer({}) as server:
        DistributionAPI(server.endpoint()).ping()

    assert "authorization" not in server.received[0].headers


def test_push_sends_blobs_before_the_manifest() -> None:
    image = oci.image(layers=2)
    blobs = (*image.layers, image.config)
    script = uploads_of(*(blob.digest for blob in blobs))
    script["PUT", "/v2/team/app/manifests/v1"] = Answer(201)
    with ScriptedServer(script) as server:
        reference = DistributionAPI(server.endpoint()).push(image, "team/app", "v1")
        bodies = [entry.body for entry in server.received if entry.method == "PUT"]

    assert reference == f"{NAME}:{server.port}/team/app@{image.digest}"
    assert bodies == [*(blob.content for blob in blobs), image.manifest.content]
    assert server.received[-1].headers["content-type"] == image.manifest.media_type


def test_push_sends_no_blob_that_is_there() -> None:
    image = oci.image(layers=2)
    script = uploads_of(image.layers[1].digest, image.config.digest)
    script["HEAD", f"/v2/team/app/blobs/{image.layers[0].digest}"] = Answer(200)
    script["PUT", "/v2/team/app/manifests/v1"] = Answer(201)
    with ScriptedServer(script) as server:
        DistributionAPI(server.endpoint()).push(image, "team/app", "v1")
        uploads = [entry for entry in server.received if entry.method == "POST"]

    assert len(uploads) == 2


def test_push_of_an_index_stores_its_images_by_digest() -> None:
    index = oci.index([oci.image()])
    (image,) = index.images
    script = uploads_of(image.layers[0].digest, image.config.digest)
    script["PUT", f"/v2/team/app/manifests/{image.digest}"] = Answer(201)
    script["PUT", "/v2/team/app/manifests/v1"] = Answer(201)
    with ScriptedServer(script) as server:
        reference = DistributionAPI(server.endpoint()).push(index, "team/app", "v1")

    assert reference.endswith(index.digest)
    assert server.received[-1].body == index.manifest.content


def test_blob_is_sent_in_chunks_when_asked() -> None:
    (_, layer) = oci.image(layers=2, layer_bytes=512).layers
    script = uploads_of(layer.digest)
    script["PATCH", SESSION] = Answer(202, headers={"Location": SESSION})
    with ScriptedServer(script) as server:
        DistributionAPI(server.endpoint()).push_blob("team/app", layer, chunk_bytes=1000)
        chunks = [entry for entry in server.received if entry.method == "PATCH"]

    assert b"".join(chunk.body for chunk in chunks) == layer.content
    assert [chunk.headers["content-range"] for chunk in chunks] == [
        "0-999",
        "1000-1999",
        "2000-2047",
    ]
    assert server.received[-1].body == b""


@pytest.mark.parametrize(("chunk_bytes", "requests"), [(0, ["POST", "PUT"]), (2 * MIB, None)])
def test_large_layer_is_sent_as_it_is_made(chunk_bytes: int, requests: list[str] | None) -> None:
    layer = large_layer(3)
    script = uploads_of(layer.digest)
    script["PATCH", SESSION] = Answer(202, headers={"Location": SESSION})
    with ScriptedServer(script) as server:
        DistributionAPI(server.endpoint()).push_blob("team/app", layer, chunk_bytes=chunk_bytes)
        received = server.received

    assert [each.method for each in received] == (requests or ["POST", "PATCH", "PATCH", "PUT"])
    assert all("transfer-encoding" not in each.headers for each in received)
    assert oci.sha256_digest(b"".join(each.body for each in received)) == layer.digest


def test_upload_shows_the_location_unchanged() -> None:
    location = "http://elsewhere.test/x?y=1"
    script = {("POST", UPLOADS): Answer(202, headers={"Location": location})}
    with ScriptedServer(script) as server:
        upload = DistributionAPI(server.endpoint()).start_upload("team/app")

    assert upload.location == location
    assert upload.headers["location"] == location


def test_upload_without_location_is_refused() -> None:
    with (
        ScriptedServer({("POST", UPLOADS): Answer(202)}) as server,
        pytest.raises(RegistryError, match="without a Location"),
    ):
        DistributionAPI(server.endpoint()).start_upload("team/app")


def test_location_on_another_host_is_not_followed() -> None:
    script = {("POST", UPLOADS): Answer(202, headers={"Location": "http://elsewhere.test/x"})}
    with ScriptedServer(script) as server:
        api = DistributionAPI(server.endpoint(), Credentials("u", Secret("p")))
        with pytest.raises(RegistryError, match=r"Location at http://elsewhere\.test"):
            api.push_blob("team/app", oci.image().config)

    assert len(server.received) == 1


def test_location_without_query_gets_the_digest() -> None:
    blob = oci.image().config
    digest = blob.digest.replace(":", "%3A")
    script = {
        ("POST", UPLOADS): Answer(202, headers={"Location": f"{UPLOADS}1"}),
        ("PUT", f"{UPLOADS}1?digest={digest}"): Answer(201),
    }
    with ScriptedServer(script) as server:
        DistributionAPI(server.endpoint()).push_blob("team/app", blob)

    assert server.received[-1].body == blob.content


def test_manifest_tells_computed_and_claimed_digest_apart() -> None:
    headers = {"Content-Type": oci.MANIFEST_TYPE, "Docker-Content-Digest": "sha256:claimed"}
    script = {("GET", "/v2/team/app/manifests/v1"): Answer(200, b"{}", headers)}
    with ScriptedServer(script) as server:
        manifest = DistributionAPI(server.endpoint()).manifest("team/app", "v1")

    assert manifest.content == b"{}"
    assert manifest.media_type == oci.MANIFEST_TYPE
    assert manifest.digest == oci.sha256_digest(b"{}")
    assert manifest.claimed_digest == "sha256:claimed"
    assert oci.INDEX_TYPE in server.received[0].headers["accept"]


@pytest.mark.parametrize("content", [b"", b"x", bytes(3_000_000)])
def test_blob_is_hashed_while_it_is_read(content: bytes) -> None:
    with ScriptedServer({("GET", "/v2/a/blobs/sha256:1"): Answer(200, content)}) as server:
        read = DistributionAPI(server.endpoint()).blob("a", "sha256:1")

    assert read == BlobRead(
        oci.sha256_digest(content), len(content), read.first_byte_seconds, read.duration_seconds
    )
    assert 0 < read.first_byte_seconds <= read.duration_seconds


def test_truncated_blob_is_an_error() -> None:
    script = {
        ("GET", "/v2/a/blobs/sha256:1"): Answer(
            200, b"xy", {"Content-Length": "5", "Connection": "close"}
        )
    }
    with ScriptedServer(script) as server, pytest.raises(RegistryError, match="GET http"):
        DistributionAPI(server.endpoint()).blob("a", "sha256:1")


def test_existence_is_told_for_blobs_and_manifests() -> None:
    script = {
        ("HEAD", "/v2/a/manifests/v1"): Answer(200),
        ("HEAD", "/v2/a/blobs/sha256:1"): Answer(200),
    }
    with ScriptedServer(script) as server:
        api = DistributionAPI(server.endpoint())

        assert api.manifest_exists("a", "v1")
        assert not api.manifest_exists("a", "v2")
        assert api.blob_exists("a", "sha256:1")
        assert not api.blob_exists("a", "sha256:2")


def test_lists_are_read_to_their_last_page() -> None:
    next_page = "/v2/a/tags/list?last=b&n=1000"
    script = {
        ("GET", "/v2/a/tags/list?n=1000"): Answer(
            200, b'{"tags":["b"]}', {"Link": f'<{next_page}>; rel="next"'}
        ),
        ("GET", next_page): Answer(200, b'{"tags":["a"]}'),
        ("GET", "/v2/_catalog?n=1000"): Answer(200, b'{"repositories":["y","x"]}'),
        ("GET", "/v2/empty/tags/list?n=1000"): Answer(200, b'{"tags":null}'),
    }
    with ScriptedServer(script) as server:
        api = DistributionAPI(server.endpoint())

        assert api.tags("a") == ("a", "b")
        assert api.tags("empty") == ()
        assert api.catalog() == ("x", "y")


def test_pages_of_tags_come_as_they_are_served() -> None:
    next_page = "/v2/a/tags/list?last=d&n=2"
    script = {
        ("GET", "/v2/a/tags/list?n=2&last=b"): Answer(
            200, b'{"tags":["d","c"]}', {"Link": f'<{next_page}>; rel="next"'}
        ),
        ("GET", next_page): Answer(200, b'{"tags":["e"]}'),
    }
    with ScriptedServer(script) as server:
        pages = DistributionAPI(server.endpoint()).tag_pages("a", entries=2, last="b")

    assert pages == (("d", "c"), ("e",))


def test_list_without_end_is_an_error() -> None:
    page = "/v2/a/tags/list?n=1000"
    script = {("GET", page): Answer(200, b'{"tags":[]}', {"Link": f"<{page}>"})}
    with ScriptedServer(script) as server, pytest.raises(RegistryError, match="did not end"):
        DistributionAPI(server.endpoint()).tags("a")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"tags":1}'])
def test_list_that_is_none_is_an_error(body: bytes) -> None:
    with (
        ScriptedServer({("GET", "/v2/a/tags/list?n=1000"): Answer(200, body)}) as server,
        pytest.raises(RegistryError, match="holds no list 'tags'"),
    ):
        DistributionAPI(server.endpoint()).tags("a")


def test_manifest_is_deleted_by_digest() -> None:
    script = {("DELETE", "/v2/a/manifests/sha256:1"): Answer(202)}
    with ScriptedServer(script) as server:
        DistributionAPI(server.endpoint()).delete_manifest("a", "sha256:1")

    assert server.received[0].method == "DELETE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (json.dumps({"errors": [{"code": "DENIED"}]}).encode(), "DENIED"),
        (b"<html>", ""),
        (b'{"errors":[]}', ""),
        (b"[]", ""),
    ],
)
def test_unexpected_status_tells_request_status_and_code(body: bytes, code: str) -> None:
    script = {("DELETE", "/v2/a/manifests/sha256:1"): Answer(403, body)}
    with ScriptedServer(script) as server, pytest.raises(UnexpectedStatusError) as caught:
        DistributionAPI(server.endpoint()).delete_manifest("a", "sha256:1")

    assert caught.value.status == 403
    assert caught.value.code == code
    assert f"DELETE http://{NAME}:{server.port}/v2/a/manifests/sha256:1" in str(caught.value)
    assert "expected 202" in str(caught.value)


def test_unreachable_registry_is_an_error_without_secrets() -> None:
    endpoint = Endpoint(f"{NAME}:1", "127.0.0.1", None)
    with pytest.raises(RegistryError, match="GET http://primary") as caught:
        DistributionAPI(endpoint, Credentials("u", Secret("canary"))).ping()

    assert "canary" not in str(caught.value)


def test_redirect_is_not_followed() -> None:
    script = {("GET", "/v2/a/blobs/sha256:1"): Answer(307, headers={"Location": "/v2/"})}
    with ScriptedServer(script) as server, pytest.raises(UnexpectedStatusError) as caught:
        DistributionAPI(server.endpoint()).blob("a", "sha256:1")

    assert caught.value.status == 307
    assert len(server.received) == 1


def test_refusal_is_named_and_what_is_served_is_none() -> None:
    script = {
        ("GET", "/v2/a/manifests/closed"): Answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}'),
        ("GET", "/v2/a/manifests/open"): Answer(200),
    }
    with ScriptedServer(script) as server:
        api = DistributionAPI(server.endpoint())
        closed, absent, served = (api.refusal("a", tag) for tag in ("closed", "absent", "open"))

    assert closed is not None
    assert absent is not None
    assert (closed.code, absent.code) == ("authentication", "not-found")
    assert served is None


def test_referrers_are_those_that_the_registry_tells() -> None:
    listed = {"manifests": [{"digest": "sha256:bb"}, {"digest": "sha256:aa"}]}
    path = "/v2/team/app/referrers/sha256:00"
    with ScriptedServer({("GET", path): Answer(200, json.dumps(listed).encode())}) as server:
        found = DistributionAPI(server.endpoint()).referrers("team/app", "sha256:00")

    assert found == ("sha256:aa", "sha256:bb")


def test_referrers_of_a_registry_that_cannot_tell_stand_under_a_tag_of_the_digest() -> None:
    content = json.dumps({"manifests": [{"digest": "sha256:aa"}]}).encode()
    path = "/v2/team/app/manifests/sha256-00"
    script = {("HEAD", path): Answer(200), ("GET", path): Answer(200, content)}
    with ScriptedServer(script) as server:
        api = DistributionAPI(server.endpoint())
        found, none = (api.referrers("team/app", f"sha256:0{last}") for last in "01")

    assert found == ("sha256:aa",)
    assert none == ()
