"""Connects to an engine, or finds that none answers."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import docker
import docker.errors
import requests.exceptions

if TYPE_CHECKING:
    from collections.abc import Mapping


def connect(
    url: str, environment: Mapping[str, str], *, timeout_seconds: int = 30
) -> docker.DockerClient | None:
    """Return a client of the engine at `url`, None where none answers there.

    `environment` may hold Docker's variables for TLS. `timeout_seconds` bounds every later
    call too. The caller closes the client.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix" and not _listens(parts.path):
        return None
    variables = dict(environment) | {"DOCKER_HOST": url}
    try:
        client = docker.from_env(environment=variables, timeout=timeout_seconds)
    except (docker.errors.DockerException, requests.exceptions.RequestException):
        return None
    try:
        client.ping()
    except (docker.errors.DockerException, requests.exceptions.RequestException):
        client.close()
        return None
    return client


def _listens(path: str) -> bool:
    """Whether a socket has a listener; the Docker SDK would leave its own open on a refusal."""
    with closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
