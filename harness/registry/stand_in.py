"""A server that answers in a registry's place with an error: HAProxy under its names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.engine import Bind
from harness.registry import distribution_config as config
from harness.registry import haproxy
from harness.registry.protocols import StandIn

if TYPE_CHECKING:
    from http import HTTPStatus
    from pathlib import Path

    from harness.engine import ContainerSpec

_FOLDER: Final = "stand-in"


def stand_in_name(name: str) -> str:
    """Return the name of the container that stands in for a registry's, when there is one."""
    return f"{name}.stand-in"


def prepare_stand_in(spec: ContainerSpec, folder: Path, *, certificate: str) -> ContainerSpec:
    """Write the certificate with its key (PEM, empty over plain HTTP) of a stand-in.

    Returns its container. `folder` is the registry's own, which only we can enter; in the one
    below it everybody may read, because HAProxy may run as another user.
    """
    own = folder / _FOLDER
    own.mkdir()
    if certificate:
        (own / haproxy.CERTIFICATE_FILE).write_text(certificate)
    return replace(spec, binds=(Bind(own, haproxy.CONFIGURATION_FOLDER),))


def answering(spec: ContainerSpec, folder: Path, status: HTTPStatus) -> StandIn:
    """Have a stand-in, which has not been started yet, answer everything with a status."""
    own = folder / _FOLDER
    secure = (own / haproxy.CERTIFICATE_FILE).exists()
    inside = f"{haproxy.CONFIGURATION_FOLDER}/{haproxy.CERTIFICATE_FILE}"
    text = haproxy.refusing(status, port=config.PORT, certificate=inside if secure else None)
    (own / haproxy.CONFIGURATION_FILE).write_text(text)
    return StandIn(spec, config.PORT)
