from __future__ import annotations

from pathlib import Path

from harness.home import Home


def test_own_variable_names_the_home() -> None:
    assert Home.locate({"PULLPROOF_HOME": "/a/b", "XDG_CACHE_HOME": "/c"}).root == Path("/a/b")


def test_cache_folder_of_the_user_holds_the_home() -> None:
    assert Home.locate({"PULLPROOF_HOME": "", "XDG_CACHE_HOME": "/c"}).root == Path("/c/pullproof")


def test_default_home_lies_below_the_users_own_folder() -> None:
    assert Home.locate({}).root == Path.home() / ".cache" / "pullproof"


def test_relative_home_becomes_absolute() -> None:
    assert Home.locate({"PULLPROOF_HOME": "x"}).root == Path.cwd() / "x"


def test_folders_lie_below_the_root_and_are_not_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    folders = [
        home.packages,
        home.engine,
        home.images,
        home.go,
        home.tools,
        home.runs,
        home.run("abc"),
    ]

    assert all(folder.is_relative_to(home.root) for folder in folders)
    assert len(set(folders)) == len(folders)
    assert not home.root.exists()
