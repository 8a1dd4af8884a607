from __future__ import annotations

from pathlib import Path

from harness.lifecycle.journal import Intent, Journal


def test_intents_are_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.intents() == ()
    journal.intend("network", "a")
    journal.intend("container", "b")
    journal.intend("network", "c")
    assert journal.intents()[1] == Intent("container", "b")
    assert journal.names("network") == ("a", "c")


def test_line_that_a_kill_has_cut_short_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.intend("network", "a")
    with journal.path.open("a") as file:
        file.write('{"kind": "contai')
    assert journal.names("network") == ("a",)
    assert len(journal.intents()) == 1
