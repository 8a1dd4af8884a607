"""Judges what a registry tells of itself: its counters, its access log, and alerts on both."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.findings import Code, Finding, Inconclusive
from harness.history import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.history import Operation
    from harness.monitoring.protocols import Sample, Target
    from harness.registry.protocols import Request

# What a window must hold before its counters prove anything: classes of answers.
_CLASSES: Final = frozenset({"2", "4", "5"})
_READ_BOTH: Final = (
    "compare the registry's /metrics with its access log by hand: one of them does not see "
    "everything, or something between hides or repeats requests"
)
# Actions of storage drivers by which content gets there (`registry/storage/driver/base`).
_WRITING: Final = frozenset({"Writer", "PutContent", "Move"})
_READING: Final = frozenset({"Reader", "GetContent", "Stat"})


def is_scraped(host: str, target: Target) -> tuple[Finding, ...]:
    """Find a registry that could not be scraped."""
    if not target.error:
        return ()
    remedy = "switch http.debug.prometheus on, and let the monitoring system reach http.debug.addr"
    return (Finding(Code.METRICS, host, f"it could not be scraped: {target.error}", remedy),)


def counted_requests(
    host: str, before: Sequence[Sample], after: Sequence[Sample], requests: Sequence[Request]
) -> tuple[Finding, ...]:
    """Find answers that the counters tell otherwise than the access log, by kind and status.

    Raises Inconclusive unless requests were answered with 2xx, 4xx and 5xx.
    """
    if missing := _CLASSES - {str(request.status)[0] for request in requests}:
        classes = ", ".join(f"{each}xx" for each in sorted(missing))
        raise Inconclusive(f"{host} answered nothing with {classes}: not all counters could move")
    logged: Counter[tuple[str, ...]] = Counter(
        (_handler(each.path), each.method.lower(), str(each.status)) for each in requests
    )
    moved = _moved(before, after, ("handler", "method", "code"))
    return tuple(
        Finding(
            Code.METRICS,
            host,
            f"{' '.join(kind)}: counted {moved.get(kind, 0):g}, logged {logged.get(kind, 0)}",
            _READ_BOTH,
        )
        for kind in sorted(moved.keys() | logged.keys())
        if moved.get(kind, 0) != logged.get(kind, 0)
    )


def stood_still(
    host: str, before: Sequence[Sample], after: Sequence[Sample]
) -> tuple[Finding, ...]:
    """Find counters that moved while nobody asked for anything."""
    moved = _moved(before, after, ("handler", "method", "code"))
    return tuple(
        Finding(Code.METRICS, host, f"{' '.join(kind)} moved by {by:g} with no request", _READ_BOTH)
        for kind, by in sorted(moved.items())
    )


def wrote(host: str, before: Sequence[Sample], after: Sequence[Sample]) -> tuple[Finding, ...]:
    """Find that a push left no trace in the counters of what the storage did."""
    moved = _moved(before, after, ("action",))
    if any((action,) in moved for action in _WRITING):
        return ()
    remedy = "look at registry_storage_action_seconds_count in the registry's /metrics"
    return (Finding(Code.METRICS, host, "a push moved no counter of writing", remedy),)


def only_read(host: str, before: Sequence[Sample], after: Sequence[Sample]) -> tuple[Finding, ...]:
    """Find that a pull left no trace of reading in the counters, or one of writing."""
    moved = _moved(before, after, ("action",))
    remedy = "look at registry_storage_action_seconds_count in the registry's /metrics"
    findings = [
        Finding(Code.METRICS, host, f"a pull moved the counter of {action} by {by:g}", remedy)
        for (action,), by in sorted(moved.items())
        if action in _WRITING
    ]
    if not any((action,) in moved for action in _READING):
        findings.append(Finding(Code.METRICS, host, "a pull moved no counter of reading", remedy))
    return tuple(findings)


def accounts_for(
    host: str,
    pulls: Iterable[Operation],
    blobs: Mapping[str, Sequence[str]],
    requests: Sequence[Request],
    clients: Mapping[str, str],
) -> tuple[Finding, ...]:
    """Find recorded pulls of which the access log does not tell all that a node must fetch.

    `blobs` are the digests of each image by its reference, `clients` the address under which the
    registry sees each node. Nodes behind a load balancer share one: of each thing there must be
    as many requests as nodes have pulled it. A pull that was refused must have left a refusal.
    Raises Inconclusive when no pull was recorded, or one of another image.
    """
    recorded = tuple(pulls)
    if not recorded or any(pull.reference not in blobs for pull in recorded):
        raise Inconclusive("no pull was recorded, or one of an image that nobody named")
    answered = Counter((each.client, each.path, each.status // 100) for each in requests)
    pulled: Counter[tuple[str, str, Outcome]] = Counter()
    findings: list[Finding] = []
    for pull in recorded:
        client = clients[pull.actor]
        same = (client, pull.reference, pull.outcome)
        pulled[same] += 1
        missing = _missing(pull, blobs[pull.reference], client, answered, times=pulled[same])
        findings += (_unlogged(host, pull, what) for what in missing)
    return tuple(findings)


def alert_is(host: str, alert: str, wanted: str, seen: str) -> tuple[Finding, ...]:
    """Find an alert in another state than it must have."""
    if seen == wanted:
        return ()
    remedy = "run promtool on the rules, and look at the labels that their expressions expect"
    return (Finding(Code.ALERTS, host, f"{alert} is {seen}, it must be {wanted}", remedy),)


def tool_agrees(subject: str, status: int, output: str) -> tuple[Finding, ...]:
    """Find that Prometheus' own tool refuses a configuration, rules or their tests."""
    if status == 0:
        return ()
    return (Finding(Code.ALERTS, subject, output.strip()[-1000:], "mend what promtool names"),)


def _missing(
    pull: Operation,
    digests: Sequence[str],
    client: str,
    answered: Counter[tuple[str, str, int]],
    *,
    times: int,
) -> Iterator[str]:
    """Yield what has not been answered so many times as a pull of that outcome must have it."""
    repository = pull.reference.partition("/")[2].rpartition(":")[0]
    wanted = 2 if pull.outcome is Outcome.OK else 4
    manifests = (
        count
        for (asker, path, status), count in answered.items()
        if asker == client and path.startswith(f"/v2/{repository}/manifests/") and status == wanted
    )
    if max(manifests, default=0) < times:
        yield f"its manifest, answered with {wanted}xx"
    if pull.outcome is Outcome.OK:
        for digest in digests:
            if answered[client, f"/v2/{repository}/blobs/{digest}", wanted] < times:
                yield digest


def _unlogged(host: str, pull: Operation, what: str) -> Finding:
    return Finding(
        Code.ACCESS_LOG,
        host,
        f"{pull.actor} pulled {pull.reference} ({pull.outcome}), but its log lacks {what}",
        "let the registry log every request, and nothing filter its log",
    )


def _moved(
    before: Sequence[Sample], after: Sequence[Sample], labels: tuple[str, ...]
) -> Mapping[tuple[str, ...], float]:
    """Return by how much counters have moved, those that did; told apart by some labels."""
    then, now = _summed(before, labels), _summed(after, labels)
    changed = {kind: now.get(kind, 0) - then.get(kind, 0) for kind in then.keys() | now.keys()}
    return {kind: by for kind, by in changed.items() if by}


def _summed(samples: Sequence[Sample], labels: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    summed: dict[tuple[str, ...], float] = {}
    for sample in samples:
        kind = tuple(sample.labels.get(label, "") for label in labels)
        summed[kind] = summed.get(kind, 0) + sample.value
    return summed


def _handler(path: str) -> str:
    """Return which of Distribution's handlers a request goes to (`registry/api/v2/routes.go`)."""
    if path == "/v2/":
        return "base"
    if path == "/v2/_catalog":
        return "catalog"
    if path.endswith("/tags/list"):
        return "tags"
    if "/blobs/uploads/" in path:
        return "blob_upload" if path.endswith("/uploads/") else "blob_upload_chunk"
    return "blob" if "/blobs/" in path else "manifest"
