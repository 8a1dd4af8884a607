"""Storage and certificates of a real registry, broken and healed."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from harness.diagnosis import FailureCode
from harness.engine import ContainerHandle
from harness.errors import EngineError, RegistryError
from harness.faults.certificates import expired_certificate, foreign_certificate
from harness.faults.fault import injected
from harness.faults.storage import FullStorage, ReadOnlyStorage, SlowStorage
from harness.faults.throttle import disk_of
from harness.faults.unsupported import UnsupportedFaultError
from harness.history import History
from harness.registry.distribution import LOG_FOLDER
from harness.registry.distribution_config import LOG_FILE, STORAGE_FOLDER
from harness.registry.protocols import ExposesStorage, StoresCertificate
from harness.wait import wait_until
from tests.fault_owner import HEALED_SECONDS, owned_elsewhere
from tests.integration.breakable_lab import BreakableLab, breakable_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.faults.fault import Fault

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="breaking storage takes root")

MIB = 1024 * 1024

STORAGE: dict[str, Callable[[ContainerHandle], Fault]] = {
    "read-only": lambda container: ReadOnlyStorage(container, STORAGE_FOLDER),
    "full": lambda container: FullStorage(container, STORAGE_FOLDER),
    "slow": lambda container: SlowStorage(container, STORAGE_FOLDER, MIB),
}
FAULTS: dict[str, Callable[[BreakableLab], Fault]] = {
    "read-only": lambda lab: STORAGE["read-only"](lab.registry.container),
    "full": lambda lab: STORAGE["full"](lab.registry.container),
    "slow": lambda lab: STORAGE["slow"](lab.registry.container),
    "foreign": lambda lab: foreign_certificate(lab.registry),
    "expired": lambda lab: expired_certificate(lab.registry),
}


@pytest.fixture(scope="module")
def lab() -> Iterator[BreakableLab]:
    with breakable_lab() as lab:
        yield lab


@pytest.mark.parametrize(
    ("name", "cause"), [("read-only", "read-only file system"), ("full", "no space left on device")]
)
def test_storage_that_takes_nothing_still_serves(lab: BreakableLab, name: str, cause: str) -> None:
    reference = lab.push()

    with injected(FAULTS[name](lab), into=History(), time_limit_seconds=60):
        with pytest.raises(RegistryError, match="answered 500"):
            lab.push()
        pull = lab.pull(reference, timeout_seconds=10)

    assert pull.succeeded, pull.failure
    log = lab.registry.handle.folder / LOG_FOLDER / LOG_FILE
    assert cause in log.read_text()
    lab.assert_pulls_again(lab.push())


def test_slow_storage_takes_and_serves_slowly(lab: BreakableLab) -> None:
    reference = lab.push(layer_bytes=2 * MIB)

    with injected(FAULTS["slow"](lab), into=History(), time_limit_seconds=60):
        begin = time.monotonic()
        lab.push(layer_bytes=2 * MIB)
        pushed_seconds = time.monotonic() - begin
        pull = lab.pull(reference, timeout_seconds=30)

    # 2 MiB at 1 MiB/s
    assert pushed_seconds > 1.5
    assert pull.succeeded
    assert pull.duration_seconds > 1.5

    begin = time.monotonic()
    lab.push(layer_bytes=32 * MIB)
    # what would take 32 s if the storage were still slow
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("foreign", FailureCode.TLS_UNKNOWN_CA),
        ("expired", FailureCode.TLS_EXPIRED),
    ],
)
def test_replaced_certificate_is_refused(lab: BreakableLab, name: str, code: FailureCode) -> None:
    reference, history = lab.push(), History()

    with injected(FAULTS[name](lab), into=history, time_limit_seconds=60):
        pull = lab.pull(reference, timeout_seconds=10)

    assert pull.failure is not None
    assert pull.failure.code == code
    lab.assert_pulls_again(reference)
    assert history.faults[0].subject == "primary"


def test_one_wrong_certificate_follows_the_other_without_the_right_one_in_between(
    lab: BreakableLab,
) -> None:
    expired, foreign = FAULTS["expired"](lab), FAULTS["foreign"](lab)
    reference = lab.push()

    with injected(expired, into=History(), time_limit_seconds=60):
        foreign.heal()
        assert expired.is_active()
        with injected(foreign, into=History(), time_limit_seconds=60):
            pull = lab.pull(reference, timeout_seconds=10)

    assert pull.failure is not None
    assert pull.failure.code == FailureCode.TLS_UNKNOWN_CA
    lab.assert_pulls_again(reference)


def test_key_of_a_replaced_certificate_is_shown_to_nobody(lab: BreakableLab) -> None:
    assert "PRIVATE" not in repr(foreign_certificate(lab.registry))


@pytest.mark.parametrize("name", FAULTS)
def test_fault_heals_when_its_owner_is_killed(lab: BreakableLab, name: str) -> None:
    reference, broken = lab.push(), FAULTS[name](lab)
    with owned_elsewhere(broken) as pid:
        assert broken.is_active()
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: not broken.is_active(), timeout_seconds=HEALED_SECONDS, what="the fault to heal"
        )

    lab.assert_pulls_again(reference)
    lab.push()


@pytest.mark.parametrize("name", STORAGE)
def test_container_that_is_gone_is_no_longer_broken(lab: BreakableLab, name: str) -> None:
    gone = STORAGE[name](ContainerHandle("gone", "0" * 64, lab.node.container.url))

    gone.heal()
    assert not gone.is_active()
    with pytest.raises(EngineError, match="gone does not run"):
        gone.inject()


@pytest.mark.parametrize("name", STORAGE)
def test_fault_goes_with_the_mounts_of_a_container_that_ends(lab: BreakableLab, name: str) -> None:
    fault = FAULTS[name](lab)
    fault.inject()

    lab.registry.restart()

    assert not fault.is_active()
    lab.push()


def test_storage_that_is_written_all_the_time_is_frozen_in_a_gap(lab: BreakableLab) -> None:
    container, file = lab.registry._container, f"{STORAGE_FOLDER}/written"
    writing = f"while echo x >> {file}; do :; done"
    container.execute(["sh", "-c", f"({writing}) >/dev/null 2>&1 &"])
    wait_until(
        lambda: container.execute(["test", "-s", file]).status == 0,
        timeout_seconds=30,
        what="something to be written",
    )

    with injected(FAULTS["read-only"](lab), into=History(), time_limit_seconds=60):
        pass

    container.execute(["rm", file])


def test_memory_has_no_disk_to_be_slow() -> None:
    with pytest.raises(UnsupportedFaultError, match="on no disk"):
        disk_of("0:99999")


def test_registry_says_where_its_storage_and_certificate_are(lab: BreakableLab) -> None:
    assert isinstance(lab.registry, ExposesStorage)
    assert lab.registry.storage_folder == STORAGE_FOLDER
    assert isinstance(lab.registry, StoresCertificate)
