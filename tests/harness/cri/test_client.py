"""The client speaks to a real gRPC server on a real socket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import grpc
import pytest

from harness.cri import runtime_pb2 as messages
from harness.cri.client import CRI, Condition, CRIError, Image
from harness.errors import HarnessError
from harness.secret import Credentials, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

STORED = messages.Image(id="sha256:1", repo_tags=["r/a:1"], repo_digests=["r/a@sha256:2"], size=7)
METHODS = {
    "runtime.v1.RuntimeService": ("Version", "Status"),
    "runtime.v1.ImageService": ("PullImage", "RemoveImage", "ImageStatus", "ListImages"),
}


class Runtime:
    """Answers as a runtime would, and keeps the requests that it got."""

    def __init__(self) -> None:
        self.answers: dict[str, Message] = {}
        self.refusal = grpc.StatusCode.NOT_FOUND, "r/missing:1: not found"
        self.requests: list[bytes] = []

    def serve(self, server: grpc.Server) -> None:
        """Answer the methods that the client calls with what is prepared for them."""
        for service, methods in METHODS.items():
            handlers = {method: self._handler(f"/{service}/{method}") for method in methods}
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, handlers),)
            )

    def _handler(self, path: str) -> grpc.RpcMethodHandler[bytes, Message]:
        def answer(request: bytes, context: grpc.ServicerContext) -> Message:
            self.requests.append(request)
            if path not in self.answers:
                context.abort(*self.refusal)
            return self.answers[path]

        return grpc.unary_unary_rpc_method_handler(
            answer, response_serializer=lambda message: message.SerializeToString()
        )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path that is short enough for sockets."""
    with TemporaryDirectory() as path:
        yield Path(path)


@pytest.fixture
def runtime(folder: Path) -> Iterator[Runtime]:
    handler = Runtime()
    server = grpc.server(ThreadPoolExecutor(1))
    handler.serve(server)
    server.add_insecure_port(f"unix:{folder}/cri.sock")
    server.start()
    yield handler
    server.stop(None).wait()


@pytest.fixture
def cri(folder: Path, runtime: Runtime) -> Iterator[CRI]:
    assert not runtime.requests
    with CRI(folder / "cri.sock") as client:
        yield client


def test_runtime_that_tells_its_version_answers(cri: CRI, runtime: Runtime) -> None:
    runtime.answers["/runtime.v1.RuntimeService/Version"] = messages.VersionResponse(
        runtime_name="containerd", runtime_version="1.7.24"
    )

    assert cri.answers()


# What containerd 1.7 and 2.1 say while they start, and what they say without their CRI.
@pytest.mark.parametrize(
    ("refusal", "answers"),
    [
        ((grpc.StatusCode.UNKNOWN, "server is not initialized yet"), False),
        ((grpc.StatusCode.UNAVAILABLE, "server is not initialized yet"), False),
        ((grpc.StatusCode.UNIMPLEMENTED, "unknown service runtime.v1.RuntimeService"), True),
    ],
)
def test_runtime_that_starts_does_not_answer_yet(
    cri: CRI, runtime: Runtime, refusal: tuple[grpc.StatusCode, str], answers: bool
) -> None:
    runtime.refusal = refusal

    assert cri.answers() is answers


def test_status_carries_conditions_and_configuration(cri: CRI, runtime: Runtime) -> None:
    condition = messages.RuntimeCondition(type="NetworkReady", reason="No", message="no CNI")
    runtime.answers["/runtime.v1.RuntimeService/Status"] = messages.StatusResponse(
        status=messages.RuntimeStatus(conditions=[condition]), info={"config": "{}"}
    )

    status = cri.status()

    assert messages.StatusRequest.FromString(runtime.requests[0]).verbose
    assert status.conditions == (
        Condition("NetworkReady", met=False, reason="No", message="no CNI"),
    )
    assert status.config == "{}"


def test_pull_sends_user_and_password(cri: CRI, runtime: Runtime) -> None:
    runtime.answers["/runtime.v1.ImageService/PullImage"] = messages.PullImageResponse(
        image_ref="sha256:1"
    )

    pulled = cri.pull_image("r/a:1", Credentials("kim", Secret("s3cret")), timeout_seconds=5)

    assert pulled == "sha256:1"
    assert messages.PullImageRequest.FromString(runtime.requests[0]) == messages.PullImageRequest(
        image=messages.ImageSpec(image="r/a:1"),
        auth=messages.AuthConfig(username="kim", password="s3cret"),
    )


def test_pull_without_credentials_sends_no_auth(cri: CRI, runtime: Runtime) -> None:
    runtime.answers["/runtime.v1.ImageService/PullImage"] = messages.PullImageResponse()

    cri.pull_image("r/a:1", timeout_seconds=5)

    assert not messages.PullImageRequest.FromString(runtime.requests[0]).HasField("auth")


def test_refusal_keeps_code_and_words(cri: CRI) -> None:
    with pytest.raises(CRIError) as caught:
        cri.pull_image("r/missing:1", timeout_seconds=5)

    assert caught.value.code == "NOT_FOUND"
    assert caught.value.details == "r/missing:1: not found"


def test_dead_runtime_is_unavailable(folder: Path) -> None:
    with CRI(folder / "nobody.sock") as cri, pytest.raises(CRIError) as caught:
        cri.list_images()

    assert caught.value.code == "UNAVAILABLE"


def test_dead_runtime_does_not_answer(folder: Path) -> None:
    with CRI(folder / "nobody.sock") as cri:
        assert not cri.answers()


def test_images_are_listed_found_and_removed(cri: CRI, runtime: Runtime) -> None:
    service = "/runtime.v1.ImageService/"
    runtime.answers[service + "ListImages"] = messages.ListImagesResponse(images=[STORED])
    runtime.answers[service + "ImageStatus"] = messages.ImageStatusResponse(image=STORED)
    runtime.answers[service + "RemoveImage"] = messages.RemoveImageResponse()
    stored = Image("sha256:1", ("r/a:1",), ("r/a@sha256:2",), 7)

    assert cri.list_images() == (stored,)
    assert cri.image_status("r/a:1") == stored
    cri.remove_image("r/a:1")
    removal = messages.RemoveImageRequest.FromString(runtime.requests[-1])
    assert removal.image.image == "r/a:1"


def test_absent_image_is_none(cri: CRI, runtime: Runtime) -> None:
    runtime.answers["/runtime.v1.ImageService/ImageStatus"] = messages.ImageStatusResponse()

    assert cri.image_status("r/a:1") is None


def test_too_long_socket_path_is_refused_with_its_remedy() -> None:
    with pytest.raises(HarnessError, match="set PULLPROOF_HOME to a shorter path"):
        CRI(Path("/") / ("x" * 107))


def test_longest_socket_path_is_accepted() -> None:
    CRI(Path("/") / ("x" * 106)).close()
