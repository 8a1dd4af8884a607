"""A client of the container runtime interface over a unix socket."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

import grpc

from harness.cri import runtime_pb2 as messages
from harness.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.message import Message

    from harness.secret import Credentials

_RUNTIME = "/runtime.v1.RuntimeService/"
_IMAGES = "/runtime.v1.ImageService/"
_CALL_SECONDS = 10.0

# sockaddr_un.sun_path holds 108 bytes, the last one zero: unix(7).
_LONGEST_SOCKET_BYTES = 107

# A socket that is not there yet is tried again soon; by default gRPC lets a second pass.
_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200))

Answer = TypeVar("Answer", bound="Message")


class CRIError(HarnessError):
    """The runtime refused a call or did not answer.

    `code` is the gRPC status name, such as NOT_FOUND; `details` are the runtime's own words.
    """

    def __init__(self, method: str, code: str, details: str) -> None:
        super().__init__(f"{method}: {code}: {details}")
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Condition:
    """One condition of the runtime, such as RuntimeReady, and why it is not met."""

    type: str
    met: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Status:
    """The runtime's conditions, and the CRI plugin's configuration as JSON where it tells it."""

    conditions: tuple[Condition, ...]
    config: str


@dataclass(frozen=True)
class Image:
    """An image in the runtime's store; `id` is the digest of its configuration."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size_bytes: int


class CRI:
    """One connection to a runtime, open inside its `with` block, usable from many threads.

    Every method raises CRIError when the runtime refuses or does not answer in time. Method
    paths are those of package runtime.v1 of k8s.io/cri-api.
    """

    def __init__(self, socket: Path) -> None:
        length = len(os.fsencode(socket))
        if length > _LONGEST_SOCKET_BYTES:
            raise HarnessError(
                f"the path of a runtime's socket has {length} bytes: {socket}",
                remedy="sockets' paths may have 107 bytes; set PULLPROOF_HOME to a shorter path",
            )
        self._channel = grpc.insecure_channel(f"unix:{socket}", options=_OPTIONS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls still under way are cancelled."""
        self._channel.close()

    def answers(self) -> bool:
        """Whether the runtime takes calls, be it that it has no CRI and says so; never raises.

        containerd refuses every call, also the one for its version, until its CRI is initialised
        (`checkInitialized` in pkg/cri/instrument): 1.7 with UNKNOWN, later ones with UNAVAILABLE.
        """
        request = messages.VersionRequest()
        try:
            self._call(_RUNTIME + "Version", request, messages.VersionResponse, _CALL_SECONDS)
        except CRIError as error:
            return error.code == "UNIMPLEMENTED"
        return True

    def status(self) -> Status:
        """Return the runtime's conditions and the configuration in force."""
        answer = self._call(
            _RUNTIME + "Status",
            messages.StatusRequest(verbose=True),
            messages.StatusResponse,
            _CALL_SECONDS,
        )
        return Status(
            tuple(
                Condition(each.type, each.status, each.reason, each.message)
                for each in answer.status.conditions
            ),
            answer.info.get("config", ""),
        )

    def pull_image(
        self, reference: str, credentials: Credentials | None = None, *, timeout_seconds: float
    ) -> str:
        """Pull an image as the kubelet asks for it and return its id.

        Without credentials the request carries no `auth` at all; with them only user name and
        password, as the kubelet sends them.
        """
        request = messages.PullImageRequest(image=messages.ImageSpec(image=reference))
        if credentials is not None:
            request.auth.username = credentials.username
            request.auth.password = credentials.password.reveal()
        return self._call(
            _IMAGES + "PullImage", request, messages.PullImageResponse, timeout_seconds
        ).image_ref

    def remove_image(self, reference: str) -> None:
        """Remove an image by tag, digest or id; one that is not there is no error."""
        self._call(
            _IMAGES + "RemoveImage",
            messages.RemoveImageRequest(image=messages.ImageSpec(image=reference)),
            messages.RemoveImageResponse,
            _CALL_SECONDS,
        )

    def image_status(self, reference: str) -> Image | None:
        """Look an image up by tag, digest or id; None where the runtime has none."""
        answer = self._call(
            _IMAGES + "ImageStatus",
            messages.ImageStatusRequest(image=messages.ImageSpec(image=reference)),
            messages.ImageStatusResponse,
            _CALL_SECONDS,
        )
        return _image(answer.image) if answer.HasField("image") else None

    def list_images(self) -> tuple[Image, ...]:
        """Return all images of the runtime."""
        answer = self._call(
            _IMAGES + "ListImages",
            messages.ListImagesRequest(),
            messages.ListImagesResponse,
            _CALL_SECONDS,
        )
        return tuple(_image(each) for each in answer.images)

    def _call(self, path: str, request: Message, answer: type[Answer], seconds: float) -> Answer:
        """Call one method, with gRPC's errors turned into ours."""
        invoke = self._channel.unary_unary(
            path,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        started = time.monotonic()
        try:
            response: Answer = invoke(request, timeout=seconds)
        except grpc.RpcError as error:
            details = error.details() or ""
            late = time.monotonic() - started >= seconds
            code = status_of(error.code().name, details, late=late)
            raise CRIError(path.rpartition("/")[2], code, details) from error
        return response


def status_of(code: str, details: str, *, late: bool) -> str:
    """Return the name of the status that a failed call ended with.

    The runtime knows the time limit as well and may be the first to end a call that is late. It
    then resets the stream without a word, and gRPC takes that for CANCELLED or UNKNOWN.
    """
    return "DEADLINE_EXCEEDED" if late and "RST_STREAM" in details else code


def _image(message: messages.Image) -> Image:
    return Image(message.id, tuple(message.repo_tags), tuple(message.repo_digests), message.size)
