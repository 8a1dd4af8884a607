from __future__ import annotations

from html.parser import HTMLParser

import pytest

from harness.findings import Code, Finding
from harness.report.bars import figure_bar, scale, share_bar
from harness.report.page import page
from harness.result.model import (
    Environment,
    Measurement,
    Phases,
    Result,
    Status,
    Verdict,
)
from harness.result.verdict import conclude
from tests.harness.result.samples import COLD_PULL, check, everything, facts

VOID = {"meta", "rect", "line"}


class Reader(HTMLParser):
    """Collects the text, the tags with their attributes, and checks that all tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(result: Result) -> Reader:
    reader = Reader()
    reader.feed(page(result))
    reader.close()
    assert reader.open == []
    return reader


def test_page_shows_everything_that_a_result_holds() -> None:
    text = read(everything()).text

    for words in (
        "Acceptance of scenario production-like failed",
        "1 passed, 2 failed, 1 error, 1 inconclusive, 2 not verified in 42.50 s",
        "teardown: the network could not be removed [busy]",
        "warm_pull_p95_seconds at most 1",
        "expected tls-expired, got unknown: <script>alert(1)</script> & x509: certificate",
        "renew the certificate",
        "10MiB node-2 4.50 s 0.21 s at most 3.00 s missed 9",
        "no plain registry (waived: we run no plain registry)",
        "histories/latency.cold-pull.jsonl",
        "known failures it catches 4, 5",
        "fault primary killed: 20.50 s, 2.00 s into the check",
        "fault node-1 paused: 1.00 s, 30.00 s into the check, healing was not proven",
        "lab 6.00 s",
        "node-1 containerd 1.7.24",
        "primary distribution 2.8.3",
        "container engine 26.1.5, ambient",
        "cluster containerd: no node image for kind",
        "image node built, sha256:1a",
    ):
        assert words in text


def test_page_needs_nothing_else() -> None:
    tags = read(everything()).tags

    assert not {"script", "link", "img", "iframe", "a", "base"} & {tag for tag, _ in tags}
    assert not {"src", "href", "onclick", "style"} & {name for _, names in tags for name in names}
    assert "url(" not in page(everything())
    assert "@import" not in page(everything())


def test_foreign_text_stays_text() -> None:
    hostile = "</pre><script>x</script>\" onload='y' \x1b&amp;"
    finding = Finding(Code.PULL_FAILED, hostile, hostile, hostile)
    failed = check("trust.a", Status.FAILED, findings=(finding,), title=hostile)

    reader = read(conclude(facts(errors=(hostile,), notes=(hostile,)), [failed]))

    assert "script" not in {tag for tag, _ in reader.tags}
    assert reader.text.count(hostile.replace("\x1b", "\ufffd")) >= 6


def test_run_that_ended_before_the_engine_has_a_page() -> None:
    bare = facts().model_copy(
        update={
            "phases": Phases(),
            "environment": Environment(
                kernel="6.1.0", cpus=2, memory_bytes=1, harness_version="0.1.0"
            ),
        }
    )

    text = read(conclude(bare, ())).text

    assert "nothing was verified" in text.lower()
    for heading in ("Measurements", "Checks", "Time", "Not proven"):
        assert heading not in text


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_the_headline(verdict: Verdict) -> None:
    reader = read(everything().model_copy(update={"verdict": verdict}))

    assert ("header", {"class": verdict.value}) in reader.tags


def test_bars_share_a_scale_with_room_for_target_and_interval() -> None:
    assert scale([COLD_PULL]) == pytest.approx(3.0 * 1.05)


def test_bar_of_nothing_is_drawn() -> None:
    zero = Measurement(name="errors", unit="", value=0, statistic="max", samples=1)

    assert 'width="0.0%"' in figure_bar(zero, scale([zero]))
    assert "<rect" in share_bar([("passed", 0)])


def test_floor_is_never_drawn_beyond_its_figure() -> None:
    below = COLD_PULL.model_copy(update={"floor": 9.0, "interval": None, "target_max": None})

    assert figure_bar(below, 10.0).count('width="21.25%"') == 2
