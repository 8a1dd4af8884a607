from __future__ import annotations

import json
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

import docker
import pytest

from harness.images.reach import REMEMBERED_SECONDS, Reach, reach, remember, remembered
from harness.images.recipe import Published

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLISHED = Published("library/registry", "sha256:" + "a" * 64, "registry 3")
NOW = 1_000_000.0


class ScriptedEngine(ThreadingHTTPServer):
    """Answers as an engine that was asked about an image: no real one fails on demand."""

    daemon_threads = True

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.asked: list[str] = []
        self.may_answer = Event()


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedEngine

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.may_answer.wait(10)
        body = json.dumps({"message": "lookup registry.invalid: no such host"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@contextmanager
def engine(status: int, *, answers: bool = True) -> Iterator[tuple[ScriptedEngine, Asker]]:
    with ScriptedEngine(status) as server:
        if answers:
            server.may_answer.set()
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        client = docker.DockerClient(
            base_url=f"http://127.0.0.1:{server.server_port}", version="1.45"
        )
        with closing(client):
            yield server, Asker(client)
            server.may_answer.set()
        server.shutdown()


class Asker:
    """Asks with a clock that the test sets."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.announced: list[str] = []

    def __call__(self, folder: Path, *, now: float = NOW, timeout_seconds: float = 5) -> Reach:
        return reach(
            self.client,
            PUBLISHED,
            folder=folder,
            announce=self.announced.append,
            now=lambda: now,
            timeout_seconds=timeout_seconds,
        )


def test_registry_that_answers_is_in_reach(tmp_path: Path) -> None:
    with engine(200) as (server, ask):
        assert ask(tmp_path) == Reach(answers=True, why="", checked=NOW)
        assert ask(tmp_path).answers

    assert len(server.asked) == 1
    assert len(ask.announced) == 1


def test_unreachable_registry_is_asked_once_a_day(tmp_path: Path) -> None:
    with engine(500) as (server, ask):
        first = ask(tmp_path)
        again = ask(tmp_path, now=NOW + REMEMBERED_SECONDS - 1)
        assert len(server.asked) == 1
        next_day = ask(tmp_path, now=NOW + REMEMBERED_SECONDS)

    assert again == first == Reach(False, "lookup registry.invalid: no such host", NOW)
    assert next_day.checked == NOW + REMEMBERED_SECONDS
    assert len(server.asked) == 2


def test_registry_that_does_not_answer_in_time_is_out_of_reach(tmp_path: Path) -> None:
    with engine(200, answers=False) as (_, ask):
        assert ask(tmp_path, timeout_seconds=0.05).why == "no answer within 0.05 s"


def test_engine_that_is_gone_is_no_crash(tmp_path: Path) -> None:
    with engine(200) as (server, ask):
        server.shutdown()
        server.server_close()
        found = ask(tmp_path)

    assert not found.answers
    assert found.why


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"answers": true, "why": "", "checked": "soon"}']
)
def test_unreadable_memory_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "reachable.json").write_text(content, "utf-8")

    assert remembered(tmp_path, now=NOW) is None


def test_answer_from_the_future_counts_as_none(tmp_path: Path) -> None:
    remember(Reach(answers=True, why="", checked=NOW + 1), tmp_path)

    assert remembered(tmp_path, now=NOW) is None


def test_answer_is_replaced_whole(tmp_path: Path) -> None:
    remember(Reach(answers=True, why="", checked=NOW), tmp_path)
    remember(Reach(answers=False, why="429", checked=NOW), tmp_path)

    assert remembered(tmp_path, now=NOW) == Reach(answers=False, why="429", checked=NOW)
    assert [file.name for file in tmp_path.iterdir()] == ["reachable.json"]
