"""Judges upgrades: what was served before must be served after, to the same people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ruamel.yaml import YAML

from harness.findings import Code, Finding, Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.snapshot import Entrance, Place, Snapshot

_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1"
_PUSH_AGAIN: Final = (
    "version 3 knows no manifests of schema 1: push the image again before the upgrade"
)
_COPY_WHOLE: Final = "take the whole storage along, and give the new version the same rootdirectory"
_NAME_THE_FILE: Final = (
    "version 3 reads /etc/distribution/config.yml unless its command names another file: mount "
    "the configuration there, or name it"
)
# Options of 2.8 that 3 ignores or does not start with, and what must change. Found by comparing
# `configuration/configuration.go` and the storage drivers of v2.8.3 and v3.1.2; of the first
# one tells distribution/distribution#4486.
_DROPPED: Final[dict[tuple[str, ...], str]] = {
    ("redis", "addr"): "write redis.addrs, a list; a cache in redis keeps it from starting else",
    ("redis", "pool"): "write redis.maxidleconns, redis.maxactiveconns and redis.connmaxidletime",
    ("compatibility",): "push what is of schema 1 again, and remove it",
    ("reporting",): "remove it: Bugsnag and New Relic are told nothing any more",
    ("storage", "oss"): "move the storage to another driver first: it does not start with this one",
    ("storage", "swift"): "move the storage to another driver first: it does not start with it",
}


def same_served(host: str, before: Snapshot, after: Snapshot) -> tuple[Finding, ...]:
    """Find what a registry serves no longer, otherwise than before, or all of a sudden.

    Raises Inconclusive when it served nothing before.
    """
    appeared = sorted(after.manifests.keys() - before.manifests.keys())
    return (
        *still_served(host, before, after),
        *(_wrong(host, f"{_named(place)} is served, which it was not") for place in appeared),
    )


def still_served(host: str, before: Snapshot, after: Snapshot) -> tuple[Finding, ...]:
    """Find what a registry serves no longer, or otherwise than before.

    Raises Inconclusive when it served nothing before.
    """
    if not before.manifests:
        raise Inconclusive(f"{host} served nothing before: nothing could be lost")
    return (
        *(
            _lost(host, f"repository {name}")
            for name in sorted(before.repositories - after.repositories)
        ),
        *(
            _lost(host, _named(place), _PUSH_AGAIN if _is_schema_1(before, place) else _COPY_WHOLE)
            for place in sorted(before.manifests.keys() - after.manifests.keys())
        ),
        *(_lost(host, _named(place)) for place in sorted(before.blobs.keys() - after.blobs.keys())),
        *_otherwise(host, before, after),
    )


def _lost(host: str, what: str, remedy: str = _COPY_WHOLE) -> Finding:
    return Finding(Code.LOST_CONTENT, host, f"it no longer serves {what}", remedy)


def _is_schema_1(snapshot: Snapshot, place: Place) -> bool:
    return snapshot.manifests[place].media_type.startswith(_SCHEMA_1)


def _otherwise(host: str, before: Snapshot, after: Snapshot) -> Iterator[Finding]:
    """Find what is served with other bytes or as another type."""
    for place in sorted(before.manifests.keys() & after.manifests.keys()):
        then, now = before.manifests[place], after.manifests[place]
        if now.digest != then.digest:
            yield _wrong(host, f"{_named(place)} is {now.digest}, before it was {then.digest}")
        elif now.media_type != then.media_type:
            words = f"served as {now.media_type}, before it was {then.media_type}"
            yield _wrong(host, f"{_named(place)} is {words}")
    for place in sorted(before.blobs.keys() & after.blobs.keys()):
        if after.blobs[place] != before.blobs[place]:
            yield _wrong(host, f"{_named(place)} has the bytes of {after.blobs[place]}")


def _wrong(host: str, evidence: str) -> Finding:
    remedy = "compare both storages, and look for a proxy between the registry and its clients"
    return Finding(Code.WRONG_BYTES, host, evidence, remedy)


def _named(place: Place) -> str:
    repository, reference = place
    return f"{repository}{'@' if ':' in reference else ':'}{reference}"


def same_entrance(host: str, before: Entrance, after: Entrance) -> tuple[Finding, ...]:
    """Find that a registry asks strangers for less, or for more, than it did before."""
    if after == before:
        return ()
    evidence = f"it answers strangers {_words(after)}, before it was {_words(before)}"
    return (Finding(Code.CONFIGURATION, host, evidence, _NAME_THE_FILE),)


def ignored_by_default(host: str, before: Entrance, by_default: Entrance) -> None:
    """Prove by a control that `same_entrance` sees a configuration that is not read.

    Raises Inconclusive where a version that is not told of the file behaves as configured.
    """
    if not same_entrance(host, before, by_default):
        raise Inconclusive(
            f"left to its own command, the new version answers strangers {_words(by_default)} as "
            "the configured one does, so that nothing shows which configuration is read"
        )


def dropped_options(host: str, configuration: str) -> tuple[Finding, ...]:
    """Find options of version 2.8 that version 3 ignores or does not start with.

    `configuration` is the text of the file, of which only names are repeated.
    """
    document = YAML(typ="safe", pure=True).load(configuration)
    return tuple(
        Finding(Code.CONFIGURATION, host, f"version 3 does not know {'.'.join(path)}", change)
        for path, change in _DROPPED.items()
        if _stands(document, path)
    )


def _stands(document: object, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return True


def _words(entrance: Entrance) -> str:
    return f"with {entrance.status} over {entrance.scheme}"
