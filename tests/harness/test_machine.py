from __future__ import annotations

from typing import TYPE_CHECKING

from harness.machine import spare_inotify_instances

if TYPE_CHECKING:
    from pathlib import Path


def a_process(proc: Path, number: int, *targets: str) -> None:
    """Write what /proc shows of a process's open files."""
    folder = proc / str(number) / "fd"
    folder.mkdir(parents=True)
    for index, target in enumerate(targets):
        (folder / str(index)).symlink_to(target)


def a_limit(proc: Path, limit: int) -> None:
    folder = proc / "sys/fs/inotify"
    folder.mkdir(parents=True)
    (folder / "max_user_instances").write_text(f"{limit}\n")


def test_instances_of_processes_are_taken_off_the_kernels_limit(tmp_path: Path) -> None:
    a_limit(tmp_path, 128)
    a_process(tmp_path, 1, "anon_inode:inotify", "anon_inode:[eventpoll]", "anon_inode:inotify")
    a_process(tmp_path, 2, "/dev/null", "anon_inode:inotify")

    owners = {each.stat().st_uid for each in tmp_path.iterdir()}

    assert spare_inotify_instances(tmp_path) == (125 if owners == {0} else 128)


def test_process_that_has_ended_meanwhile_counts_nothing(tmp_path: Path) -> None:
    a_limit(tmp_path, 8)
    (tmp_path / "7").mkdir()

    assert spare_inotify_instances(tmp_path) == 8
