"""What the linter finds, by stable names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

CERTS_D = "/etc/containerd/certs.d"


class Rule(StrEnum):
    """Names of traps; they never change meaning."""

    MISPLACED_FILE = "misplaced-file"
    WRONG_FILE_NAME = "wrong-file-name"
    FOLDER_NEVER_MATCHES = "folder-never-matches"
    SHADOWED_FOLDER = "shadowed-folder"
    SYNTAX = "syntax"
    WRONG_TYPE = "wrong-type"
    UNKNOWN_KEY = "unknown-key"
    UNKNOWN_CAPABILITY = "unknown-capability"
    SERVER_IN_HOST = "server-in-host"
    NO_HOST_TABLE = "no-host-table"
    ONLY_IN_HOST = "only-in-host"
    MISSING_SCHEME = "missing-scheme"
    BAD_URL = "bad-url"
    SKIP_VERIFY = "skip-verify"
    HTTP_WITH_TLS = "http-with-tls"
    MISSING_FILE = "missing-file"
    CONFIG_PATH_EMPTY = "config-path-empty"
    CONFIG_PATH_ELSEWHERE = "config-path-elsewhere"
    CONFIG_PATH_LIST = "config-path-list"
    LEGACY_MIRRORS = "legacy-mirrors"
    LEGACY_WITH_CONFIG_PATH = "legacy-with-config-path"
    PULL_PATH = "pull-path"


@dataclass(frozen=True)
class LintFinding:
    """One trap in a node's configuration; `line` is None where no single line is to blame."""

    rule: Rule
    path: str
    line: int | None
    problem: str
    remedy: str

    @property
    def where(self) -> str:
        """The file, and the line where it is known."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


def runtime_release(version: str) -> tuple[int, int] | None:
    """Return the first two numbers of containerd's version, None where it tells none."""
    found = re.search(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None


def syntax_line(error: Exception) -> int | None:
    """Return the line that a TOML error names."""
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else None
