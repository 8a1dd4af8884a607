"""Secrets are taken out of everything that is written, however they were encoded on the way."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.secret import Secret

    JSON = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None

MARK = "<redacted>"
_MARK_BYTES = MARK.encode()
_SHORTEST_CORE = 6  # base64 characters; shorter ones would hit innocent text


class Redactor:
    """Replaces secrets by `<redacted>`.

    Found are the raw text, and its base64 (both alphabets, padded or not, also inside longer
    encoded text such as `user:password` or a whole dockerconfig, and encoded twice as a
    Kubernetes secret holds it), URL-encoded, JSON-escaped and HTML-escaped forms.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        self._forms: list[_Form] = []
        self._longest = 1
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret) -> None:
        """Replace this secret as well from now on."""
        forms = {*self._forms, *_forms(secret.reveal())}
        # Of two forms that begin alike the longer one must win.
        self._forms = sorted(forms, key=lambda form: (-form.longest, form.pattern))
        self._longest = max((form.longest for form in forms), default=1)

    def clean(self, text: str) -> str:
        """Return the text without secrets."""
        content = text.encode("utf-8", "surrogatepass")
        return self.clean_bytes(content).decode("utf-8", "surrogatepass")

    def clean_bytes(self, content: bytes) -> bytes:
        """Return UTF-8 or binary content without secrets."""
        return self._matcher(content).sub(_MARK_BYTES, content)

    def _matcher(self, content: bytes) -> re.Pattern[bytes]:
        """Return what finds the forms that occur; a search for literals first is far faster."""
        present = [form.pattern for form in self._forms if form.literal in content]
        return re.compile(b"|".join(present) or rb"(?!)")

    def clean_json(self, document: str | bytes, *, keep: frozenset[str]) -> str:
        """Return a JSON document whose texts hold no secrets, except below the keys `keep`."""
        parsed: JSON = json.loads(document)
        return json.dumps(self._clean_value(parsed, keep))

    def _clean_value(self, value: JSON, keep: frozenset[str]) -> JSON:
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, list):
            return [self._clean_value(item, keep) for item in value]
        if isinstance(value, dict):
            return {
                key: item if key in keep else self._clean_value(item, keep)
                for key, item in value.items()
            }
        return value

    def clean_chunks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Clean a stream of any length; secrets that lie across chunks are found too."""
        held = b""
        for chunk in chunks:
            held += chunk
            # A form that begins before `complete` lies wholly inside what is held.
            complete = len(held) - self._longest + 1
            if complete > 0:
                cleaned, held = self._cut(held, complete)
                yield cleaned
        yield self.clean_bytes(held)

    def _cut(self, held: bytes, complete: int) -> tuple[bytes, bytes]:
        """Clean what begins before `complete`; return it and the rest that is still held."""
        pieces: list[bytes] = []
        position = 0
        for match in self._matcher(held).finditer(held):
            if match.start() >= complete:
                break
            pieces += [held[position : match.start()], _MARK_BYTES]
            position = match.end()
        end = max(position, complete)
        return b"".join(pieces) + held[position:end], held[end:]


@dataclass(frozen=True)
class _Form:
    """One form of a secret: its expression, what it always contains, its longest match."""

    pattern: bytes
    literal: bytes
    longest: int


def _forms(text: str) -> set[_Form]:
    """Return every form of a secret; the empty one has none."""
    if not text:
        return set()
    raw = text.encode()
    plain = {text, *_escaped(text), *_percent_encoded(text)}
    plain |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    literals = {form.encode() for form in plain}
    once = _inside_base64(raw)
    twice = {inner for form in once for inner in _inside_base64(form.literal)}
    return {_Form(re.escape(form), form, len(form)) for form in literals} | once | twice


def _escaped(text: str) -> set[str]:
    """Return the forms in JSON (Python's and Go's) and in HTML or XML."""
    readable = json.dumps(text, ensure_ascii=False)[1:-1]
    go = readable
    for character in "<>&":
        go = go.replace(character, f"\\u{ord(character):04x}")
    return {readable, json.dumps(text)[1:-1], go, html.escape(text), html.escape(text, quote=False)}


def _percent_encoded(text: str) -> set[str]:
    """Return the forms in URLs, with either case of hexadecimal digits."""
    upper = {quote(text), quote(text, safe=""), quote_plus(text)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in upper}
    return upper | lower


def _inside_base64(raw: bytes) -> set[_Form]:
    """Return the forms of `raw` inside longer base64 text.

    Base64 groups three bytes, so there are three alignments. Characters at either end that
    share bits with the unknown neighbours match anything of the alphabet.
    """
    forms: set[_Form] = set()
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(bytes(before) + raw)
            first = -(-before * 8 // 6)
            core = encoded[first : (before + len(raw)) * 8 // 6]
            if len(core) < _SHORTEST_CORE:
                continue
            left = b"[A-Za-z0-9+/_-]?" if before else b""
            right = b"[A-Za-z0-9+/_-]?={0,2}" if (before + len(raw)) % 3 else b""
            forms.add(_Form(left + re.escape(core) + right, core, len(core) + 4))
    return forms
