"""A lab whose parts are broken on purpose, and what its user sees of that."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness import oci, workload
from harness.acceptance import Diary, Order, acceptance_run
from harness.cluster.containerd_node import ContainerdNode
from harness.errors import EngineError, RegistryError
from harness.lab import credentials_of
from harness.lifecycle.run import new_run_id
from harness.machine import CHECKOUT
from harness.registry.distribution import DistributionRegistry
from harness.scenario.load import load
from harness.secret import new_password
from harness.wait import wait_until
from tests.acceptance_runs import LAB_SECONDS
from tests.fault_owner import HEALED_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.protocols import Pull

SCENARIO = CHECKOUT / "tests/integration/faults.yaml"


@dataclass(frozen=True)
class BreakableLab:
    """A node and the registry that it pulls from."""

    node: ContainerdNode
    registry: DistributionRegistry

    def push(self, *, layer_bytes: int = 65536) -> str:
        """Push an image that nobody has and return its reference."""
        repository = workload.unique_repository("faults")
        image = oci.image(layer_bytes=layer_bytes)
        return workload.publish(self.registry, image, repository=repository).reference

    def pull(self, reference: str, *, timeout_seconds: float = 1) -> Pull:
        """Pull on the node."""
        return self.node.pull(
            reference, credentials_of(self.registry), timeout_seconds=timeout_seconds
        )

    def recover(self) -> None:
        """Wait until both parts answer; a guard may be starting them again meanwhile."""
        wait_until(self._serves, timeout_seconds=HEALED_SECONDS, what="the registry to answer")
        wait_until(self.node.answers, timeout_seconds=30, what="the runtime to answer")

    def _serves(self) -> bool:
        try:
            return self.registry.api().ping().status == HTTPStatus.OK
        except (EngineError, RegistryError):  # no address, or nobody there
            return False

    def assert_pulls_again(self, reference: str) -> None:
        """What could not be pulled during a fault can be pulled once it has healed."""
        self.recover()
        pull = self.pull(reference, timeout_seconds=30)
        assert pull.succeeded, pull.failure


@contextmanager
def breakable_lab() -> Iterator[BreakableLab]:
    """Build one as a run would, so that it goes in whatever way the tests end."""
    order = Order(
        run_id=new_run_id(),
        scenario=load(SCENARIO).scenario,
        secret=new_password(),
        keep_logs=lambda _: None,
        bundle=None,
        time_limit_seconds=LAB_SECONDS,
    )
    with acceptance_run(order, Diary(print)) as lab:
        node, registry = lab.nodes[0], lab.primary
        assert isinstance(node, ContainerdNode)
        assert isinstance(registry, DistributionRegistry)
        yield BreakableLab(node, registry)
