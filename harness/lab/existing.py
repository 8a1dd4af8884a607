"""A lab that nobody builds: a cluster and registries that exist, used without any engine."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from harness.cluster.existing import ExistingHandle, attached, existing_cluster
from harness.errors import HarnessError, RegistryError
from harness.lab.lab import Lab, LabHandle
from harness.registry.existing import ExistingRegistry, existing_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cluster.access import Access
    from harness.lifecycle.run import Run
    from harness.scenario.model import Scenario
    from harness.secret import Secret


@contextmanager
def existing_lab(scenario: Scenario, *, access: Access, run: Run, secret: Secret) -> Iterator[Lab]:
    """Use what the scenario names; of ours are only two namespaces and what is in them.

    Raises HarnessError before anything is written when a registry does not answer us, or when
    the cluster does not grant what the run needs.
    """
    registries = tuple(existing_registry(spec) for spec in scenario.registries)
    for registry in registries:
        _require_answer(registry)
    with existing_cluster(access, run) as cluster:
        handle = LabHandle(cluster.handle(), registries, secret, run.folder)
        yield Lab(scenario, cluster, registries, handle)


@contextmanager
def attached_existing_lab(handle: LabHandle, scenario: Scenario) -> Iterator[Lab]:
    """Use a lab of this kind that another process owns; nothing is taken down with it."""
    if not isinstance(handle.cluster, ExistingHandle):
        raise HarnessError("the lab was built, so an engine is needed to use it")
    registries = tuple(each for each in handle.registries if isinstance(each, ExistingRegistry))
    with attached(handle.cluster) as cluster:
        yield Lab(scenario, cluster, registries, handle)


def _require_answer(registry: ExistingRegistry) -> None:
    """Raise RegistryError where a registry does not answer, or not to the account given."""
    status = registry.api().ping().status
    if status != HTTPStatus.OK:
        account = "the account in credentialsFile" if registry.credentials else "nobody"
        raise RegistryError(
            f"{registry.host} answered {status} to {account}",
            remedy="give the registry of the scenario a credentialsFile with an account that may "
            "pull and push",
        )
