"""Backups as operators make them: the registry's files are copied, and another one runs from them.

The original stops before the other one takes its name, as if it were lost, and serves again
when the check has ended.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from fixtures.workload import accepted
from harness import checks, oci, workload
from harness.errors import RegistryError
from harness.findings import Code, ContractBroken, Finding, Inconclusive
from harness.lab import ability
from harness.pool import Pool
from harness.registry.protocols import BacksUp
from harness.result.model import Measurement
from harness.scenario.model import MIB
from harness.upgrade import entrance, served
from harness.wait import wait_until
from harness.workload import Published

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fixtures.recorder import Judge, Recorder
    from fixtures.workload import Publish, Pull
    from harness.distribution_api import DistributionAPI
    from harness.lab import Lab
    from harness.registry.protocols import Backup, Registry
    from harness.secret import Credentials

pytestmark = pytest.mark.exclusive

LAYER_BYTES = 256 * 1024
PUSHERS = 2
PUSHED_BEFORE = 4
# To copy less takes less time than a push.
COPIED_BYTES = 128 * MIB


def test_restored_registry_is_the_same_to_the_same_people(
    lab: Lab, publish: Publish, pull: Pull, judge: Judge, recorder: Recorder
) -> None:
    """Another registry run from a copy serves every tag and blob, and knows the same accounts."""
    registry, backing = lab.primary, ability(lab.primary, BacksUp)
    image = publish(registry, layers=2, layer_bytes=LAYER_BYTES)
    registry.api().push(oci.index([oci.image(), oci.image()]), image.repository, "index")
    people = _people(lab)
    content, answers = served(registry), _answers(registry, people)
    with backing.backed_up() as backup:
        begun = time.monotonic()
        with _restored(registry, backup) as restored:
            _measure(recorder, registry, backup, restored_seconds=time.monotonic() - begun)
            judge(checks.same_access(registry.host, answers, _answers(restored, people)))
            judge(checks.still_served(registry.host, content, served(restored)))
            pulls = pull(image.reference, registry.credentials)
        judge(checks.all_succeeded(pulls), checks.is_image(pulls, image.image))


def test_copy_made_during_pushes_holds_all_that_was_acknowledged(
    lab: Lab, publish: Publish, judge: Judge
) -> None:
    """A push that was acknowledged before the copy began is whole in it, whatever goes on then."""
    registry, backing = lab.primary, ability(lab.primary, BacksUp)
    first = publish(registry, layer_bytes=COPIED_BYTES)
    halves = b"first half", b"second half"
    upload = registry.api().start_upload(first.repository)
    location = registry.api().send_chunk(upload.location, halves[0], 0)
    with ExitStack() as copied:
        with _pushing(registry, first.repository) as pushed:
            backup = copied.enter_context(backing.backed_up())
        with accepted(registry, "the rest of an upload that a copy was made in between"):
            digest = oci.sha256_digest(b"".join(halves))
            registry.api().finish_upload(location, digest, halves[1])
        acknowledged = [image for image, moment in pushed if moment < backup.started]
        with _restored(registry, backup) as restored:
            judge(*(_incomplete(restored, image) for image in (first, *acknowledged)))
    made = backup.started + backup.duration_seconds
    if not any(backup.started <= moment <= made for _, moment in pushed):
        raise Inconclusive("no push was acknowledged while the copy was made")


def _people(lab: Lab) -> dict[str, Credentials]:
    """Return an account, and somebody who does not know its password, where there are accounts."""
    known = lab.primary.credentials
    if known is None:
        return {}
    return {"an account": known, "a wrong password": replace(known, password=lab.new_password())}


def _answers(registry: Registry, people: Mapping[str, Credentials]) -> dict[str, int]:
    """Return the status that each of them gets, and that nobody in particular gets."""
    asked = {name: registry.api(each).ping().status for name, each in people.items()}
    return {"nobody": entrance(registry.endpoint).status, **asked}


def _measure(
    recorder: Recorder, registry: Registry, backup: Backup, *, restored_seconds: float
) -> None:
    size = backup.storage.stat().st_size
    figures = (
        ("backup_seconds", "seconds", backup.duration_seconds),
        ("backup_size_bytes", "bytes", float(size)),
        ("restore_seconds", "seconds", restored_seconds),
    )
    for name, unit, value in figures:
        recorder.measure(
            Measurement(
                name=name,
                unit=unit,
                value=value,
                statistic="max",
                samples=1,
                subject=registry.spec.name,
            )
        )


@contextmanager
def _restored(registry: Registry, backup: Backup) -> Iterator[Registry]:
    """Run a registry from a copy; one that does not start breaks the contract."""
    with ExitStack() as running:
        try:
            restored = running.enter_context(ability(registry, BacksUp).restored(backup))
        except RegistryError as error:
            evidence = f"a registry run from the copy does not start: {error.problem}"
            remedy = "copy everything that its configuration names, keys and accounts included"
            found = Finding(Code.CONFIGURATION, registry.host, evidence, remedy)
            raise ContractBroken([found]) from error
        yield restored


@contextmanager
def _pushing(registry: Registry, repository: str) -> Iterator[list[tuple[Published, float]]]:
    """Push without a pause while the block runs; gives what was acknowledged, and when.

    The registry is found once: Docker tells no address of a container whose files it copies.
    """
    pushed: list[tuple[Published, float]] = []
    ended, clients = Event(), [registry.api() for _ in range(PUSHERS)]

    def push_on(api: DistributionAPI) -> None:
        while not ended.is_set():
            image = oci.image()
            done = Published(registry.host, f"{repository}/{image.digest[-12:]}", image)
            with accepted(registry, "an image while a copy is made"):
                api.push(image, done.repository, done.tag)
            pushed.append((done, time.monotonic()))

    with Pool(PUSHERS) as pool:
        pushers = [pool.submit(push_on, each) for each in clients]
        try:
            wait_until(
                lambda: len(pushed),
                ready=lambda count: count >= PUSHED_BEFORE,
                timeout_seconds=30,
                what="images to be pushed before the copy",
            )
            yield pushed
        finally:
            ended.set()
    for each in pushers:
        each.result()


def _incomplete(registry: Registry, image: Published) -> tuple[Finding, ...]:
    """Find a tag that does not lead to its image, and what is lost of the image."""
    digest, by_tag = image.image.digest, {}
    with suppress(RegistryError):  # what is not served is found below
        by_tag[digest] = registry.api().manifest(image.repository, image.tag).digest
    return (
        *checks.same_content(registry.host, [digest], by_tag),
        *workload.unserved(registry, image),
    )
