"""Talks to a small stand-in for an engine, because no machine has an outdated one at hand."""

from __future__ import annotations

import json
import socketserver
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from harness.engine import ambient
from harness.engine.ambient import find_ambient, is_new_enough
from harness.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def engine_of_version(version: str, socket: Path) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"Version": version, "ApiVersion": "1.44"}).encode()
            self.send_response(200 if version else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

        def address_string(self) -> str:
            return ""

    with socketserver.ThreadingUnixStreamServer(str(socket), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def system_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for the machine's socket where there is none."""
    socket = tmp_path / "system.sock"
    monkeypatch.setattr(ambient, "SYSTEM_SOCKET", socket)
    return socket


@pytest.mark.parametrize(
    ("version", "usable"),
    [
        ("23.0.0", True),
        ("26.1.5+dfsg1", True),
        ("100.0", True),
        ("20.10.24+dfsg1", False),
        ("22.06.0-beta.0", False),
        ("dev", False),
        ("", False),
    ],
)
def test_engines_before_23_are_too_old(version: str, usable: bool) -> None:
    assert is_new_enough(version) is usable


def test_machine_without_engine_has_no_ambient_one() -> None:
    assert find_ambient({}) is None


def test_engine_of_the_machine_is_found(system_socket: Path) -> None:
    with engine_of_version("27.1.0", system_socket):
        engine = find_ambient({})
        assert engine is not None
        engine.client.close()

    assert (engine.kind, engine.version, engine.url) == (
        "ambient",
        "27.1.0",
        f"unix://{system_socket}",
    )


def test_engine_of_the_user_is_found_where_the_machines_is_too_old(
    system_socket: Path, tmp_path: Path
) -> None:
    own = tmp_path / "docker.sock"
    with engine_of_version("20.10.24", system_socket), engine_of_version("28.0.1", own):
        engine = find_ambient({"XDG_RUNTIME_DIR": str(tmp_path)})
        assert engine is not None
        engine.client.close()

    assert engine.url == f"unix://{own}"


def test_old_engine_of_the_machine_is_passed_over(system_socket: Path) -> None:
    with engine_of_version("20.10.24", system_socket):
        assert find_ambient({}) is None


def test_broken_engine_of_the_machine_is_passed_over(system_socket: Path) -> None:
    with engine_of_version("", system_socket):
        assert find_ambient({}) is None


def test_named_engine_is_preferred(system_socket: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.sock"
    with engine_of_version("27.0.0", system_socket), engine_of_version("29.0.0", named):
        engine = find_ambient({"DOCKER_HOST": f"unix://{named}"})
        assert engine is not None
        engine.client.close()

    assert engine.version == "29.0.0"


def test_named_engine_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no engine that answers") as caught:
        find_ambient({"DOCKER_HOST": f"unix://{tmp_path / 'absent.sock'}"})

    assert "unset DOCKER_HOST" in caught.value.remedy


def test_named_engine_that_is_too_old_is_an_error(tmp_path: Path) -> None:
    named = tmp_path / "named.sock"
    with (
        engine_of_version("20.10.24", named),
        pytest.raises(EngineError, match=r"20\.10\.24") as caught,
    ):
        find_ambient({"DOCKER_HOST": f"unix://{named}"})

    assert "23 or newer" in caught.value.remedy
