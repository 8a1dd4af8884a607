"""Traps within one hosts.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.hosts_toml.finding import LintFinding, Rule, runtime_release, syntax_line
from harness.hosts_toml.options import CAPABILITIES, OPTIONS, certificate_paths, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from urllib.parse import SplitResult

_IGNORED = "containerd ignores the whole file and only logs it"
_TLS = ("ca", "client", "skip_verify")


@dataclass(frozen=True)
class _Section:
    """The root of the file or one [host]; `url` is empty for a root without server.

    `table` holds the options whose values containerd can use.
    """

    host: str | None
    url: str
    table: dict[str, object] = field(default_factory=dict)

    @property
    def called(self) -> str:
        return "the server" if self.host is None else f"host {self.host}"


def lint_content(
    path: str, content: bytes, *, present: Collection[str], root: str, version: str
) -> tuple[LintFinding, ...]:
    """Search one file; `present` are the paths of all files below `root` on the node."""
    try:
        text = content.decode()
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"this is not TOML ({error}): {_IGNORED}"
        return (LintFinding(Rule.SYNTAX, path, syntax_line(error), problem, "mend the line"),)
    linter = _Linter(path, text, present, root)
    return tuple(linter.document(document, version))


@dataclass(frozen=True)
class _Linter:
    path: str
    text: str
    present: Collection[str]
    root: str

    def document(self, document: dict[str, object], version: str) -> Iterator[LintFinding]:
        tables = document.pop("host", {})
        server = document.pop("server", "")
        root = _Section(None, server if isinstance(server, str) else "")
        if not isinstance(server, str):
            yield self._wrong_type(root, "server", "a text")
        yield from self._section(root, document)
        sections = []
        if not isinstance(tables, dict):
            yield self._wrong_type(root, "host", 'tables such as [host."https://registry"]')
            tables = {}
        for url, table in tables.items():
            if not isinstance(table, dict):
                yield self._wrong_type(root, url, 'a table such as [host."https://registry"]')
                continue
            section = _Section(url, url)
            sections.append(section)
            yield from self._section(section, table)
        release = runtime_release(version)
        if release is None or release < (2, 0):
            yield from self._traps_of_first_releases(root, sections)

    def _section(self, section: _Section, options: dict[str, object]) -> Iterator[LintFinding]:
        for key, value in options.items():
            if key not in OPTIONS:
                yield self._unknown_key(section, key)
            elif not OPTIONS[key].fits(value):
                yield self._wrong_type(section, key, OPTIONS[key].takes)
            else:
                section.table[key] = value
        if section.url or section.host is not None:
            yield from self._url(section)
        yield from self._capabilities(section)
        yield from self._trust(section)
        yield from self._files(section)

    def _find(self, rule: Rule, section: _Section, key: str, words: tuple[str, str]) -> LintFinding:
        line = _line(self.text, section.host, key)
        return LintFinding(rule, self.path, line, *words)

    def _wrong_type(self, section: _Section, key: str, takes: str) -> LintFinding:
        problem = f"{key} of {section.called} has a value of the wrong kind: {_IGNORED}"
        return self._find(Rule.WRONG_TYPE, section, key, (problem, f"{key} takes {takes}"))

    def _unknown_key(self, section: _Section, key: str) -> LintFinding:
        if key == "server":
            problem = f"server within {section.called} has no effect"
            remedy = "move it to the top of the file, above every [host]"
            return self._find(Rule.SERVER_IN_HOST, section, key, (problem, remedy))
        close = get_close_matches(key, OPTIONS, n=1)
        remedy = f"write {close[0]}" if close else f"the options are {', '.join(OPTIONS)}"
        problem = f"{key} of {section.called} is no option and has no effect"
        return self._find(Rule.UNKNOWN_KEY, section, key, (problem, remedy))

    def _url(self, section: _Section) -> Iterator[LintFinding]:
        key = "server" if section.host is None else ""
        if not section.url.startswith("http"):
            problem = f"{section.url} has no scheme; containerd takes https://"
            remedy = f"write https://{section.url}, or http:// where the registry has no TLS"
            yield self._find(Rule.MISSING_SCHEME, section, key, (problem, remedy))
        if _address(section.url) is None:
            problem = f"{section.url} is no address of a registry"
            remedy = "write it as https://host:port"
            yield self._find(Rule.BAD_URL, section, key, (problem, remedy))

    def _capabilities(self, section: _Section) -> Iterator[LintFinding]:
        for word in texts(section.table.get("capabilities", [])):
            if word.lower() not in CAPABILITIES:
                problem = f"{word} is no capability: {_IGNORED}"
                remedy = f"the capabilities are {', '.join(CAPABILITIES)}"
                words = (problem, remedy)
                yield self._find(Rule.UNKNOWN_CAPABILITY, section, "capabilities", words)

    def _trust(self, section: _Section) -> Iterator[LintFinding]:
        address = _address(section.url)
        set_options = [key for key in _TLS if key in section.table]
        if address and address.scheme == "http" and address.port != 80 and set_options:  # noqa: PLR2004 - HTTP's port
            problem = (
                f"{section.called} is http:// with {' and '.join(set_options)}: "
                "containerd tries HTTPS first"
            )
            remedy = "write https://, or remove these options"
            yield self._find(Rule.HTTP_WITH_TLS, section, set_options[0], (problem, remedy))
        elif section.table.get("skip_verify") is True:
            problem = f"nodes trust whoever answers as {section.called}"
            remedy = "remove skip_verify and name the registry's authority as ca"
            yield self._find(Rule.SKIP_VERIFY, section, "skip_verify", (problem, remedy))

    def _files(self, section: _Section) -> Iterator[LintFinding]:
        for key in ("ca", "client"):
            for name in certificate_paths(section.table.get(key, [])):
                file = normpath(join(dirname(self.path), name))
                if file.startswith(f"{self.root}/") and file not in self.present:
                    problem = f"{key} of {section.called} names {file}, which does not exist"
                    remedy = "put the file there, or correct the path"
                    yield self._find(Rule.MISSING_FILE, section, key, (problem, remedy))

    def _traps_of_first_releases(
        self, root: _Section, hosts: list[_Section]
    ) -> Iterator[LintFinding]:
        if not hosts:
            problem = "without a [host] table containerd 1.6 and 1.7 ignore the whole file"
            remedy = 'add [host."https://registry"] with the same options'
            yield LintFinding(Rule.NO_HOST_TABLE, self.path, None, problem, remedy)
        server = _address(root.url or _registry(self.path))
        for host in hosts:
            address = _address(host.url)
            if address is None or address.scheme != "https" or address != server:
                continue
            for key in ("ca", "client"):
                if key in host.table and key not in root.table:
                    problem = (
                        f"{key} stands in [host] only: containerd 1.6 and 1.7 ask the server "
                        "again without it and call a missing tag a certificate error"
                    )
                    remedy = f"write {key} at the top of the file as well"
                    yield self._find(Rule.ONLY_IN_HOST, host, key, (problem, remedy))


def _registry(path: str) -> str:
    """Return the registry that a file is for: the server where the file names none."""
    return re.sub(r"_(\d+)_$", r":\1", basename(dirname(path)))


def _address(url: str) -> SplitResult | None:
    """Return scheme, host and port as containerd reads them; None for what is no address."""
    try:
        parts = urlsplit(url if url.startswith("http") else f"https://{url}")
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts._replace(path="", query="", fragment="") if sound else None


def _line(text: str, host: str | None, key: str) -> int | None:
    """Return the line of a key in a section, of the section's head for an empty key."""
    current: str | None = None
    for number, row in enumerate(text.splitlines(), 1):
        head = re.match(r"""\s*\[\s*host\s*\.\s*["']([^"']*)["']\s*(\S)""", row)
        if head:
            current = head[1] if head[2] == "]" else f"{head[1]} deeper"
            if current == host and not key:
                return number
        elif re.match(r"\s*\[\s*[A-Za-z]", row):
            current = "another table"
        if current == host and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", row):
            return number
    return None
