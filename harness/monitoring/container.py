"""A Prometheus in a container of the lab, which many checks ask at once."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.engine import Bind, ContainerSpec
from harness.errors import HarnessError, WaitTimeoutError
from harness.monitoring import configuration as config
from harness.monitoring.api import PORT, PrometheusAPI
from harness.monitoring.protocols import Target
from harness.wait import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.command import Completed
    from harness.engine import Container, Engine
    from harness.monitoring.protocols import Alert, Sample

# No registry of a scenario can be called this.
NAME: Final = "monitoring.prometheus"

_FOLDER: Final = "/etc/prometheus"
_START_SECONDS: Final = 20
# Twice what a Prometheus needs to know its targets; a busy machine misses a scrape at times.
_PATIENCE_SECONDS: Final = 10
# By so much Prometheus may move the time of a scrape (`scrape/scrape.go`), and a bit.
_ALIGNMENT_SECONDS: Final = 0.01
_COMMAND: Final = (
    "/usr/bin/prometheus",
    f"--config.file={_FOLDER}/{config.CONFIGURATION_FILE}",
    "--storage.tsdb.path=/var/lib/prometheus",
    f"--web.listen-address=:{PORT}",
)


@dataclass(frozen=True)
class MonitorHandle:
    """What another process on this machine needs to ask a Prometheus that it does not own."""

    container: str
    folder: Path
    registry: str


@dataclass(frozen=True)
class PrometheusContainer:
    """A Prometheus that scrapes one registry; whoever started it takes it down."""

    handle: MonitorHandle
    _container: Container

    @property
    def registry(self) -> str:
        """The name of the registry that is scraped."""
        return self.handle.registry

    def target(self) -> Target:
        """Return how the registry was last scraped.

        Prometheus knows its targets five seconds after its start at the latest
        (`discovery/manager.go`).
        """
        known = (each for each in self._api.targets() if each.registry == self.registry)
        return next(known, Target(self.registry, "it is no target", 0.0))

    def scraped_anew(self) -> Target:
        """Wait for two scrapes that begin from now on and go well; return the last one."""
        first = self._scraped_after(time.time())
        return first if first.error else self._scraped_after(first.scraped)

    def samples(self, metric: str, *, at: float) -> tuple[Sample, ...]:
        """Return all figures of a metric of the registry, as a scrape that began then saw them."""
        query = f'{metric}{{registry="{self.registry}"}}'
        return self._api.samples(query, at=at + _ALIGNMENT_SECONDS)

    def alerts(self) -> tuple[Alert, ...]:
        """Return the alerts whose condition holds now."""
        return self._api.alerts()

    def promtool(self, arguments: Sequence[str]) -> Completed:
        """Run Prometheus' own tool where its configuration and the shipped rules lie."""
        return self._container.execute(["env", "-C", _FOLDER, "promtool", *arguments])

    def wait_until_ready(self) -> None:
        """Wait until it answers queries. Raises WaitTimeoutError with the end of its log."""

        def state() -> str:
            try:
                return "" if self._api.ready() else "not ready"
            except HarnessError as error:  # no address when it has ended
                return f"{error}; its log: {self._container.logs()[-1000:]!r}"

        wait_until(
            state,
            ready=lambda problem: not problem,
            timeout_seconds=_START_SECONDS,
            what="Prometheus to be ready",
        )

    def _scraped_after(self, moment: float) -> Target:
        """Return a scrape after a moment that went well; the last one where none does."""
        try:
            return wait_until(
                self.target,
                ready=lambda target: target.scraped > moment and not target.error,
                timeout_seconds=_PATIENCE_SECONDS,
                interval_seconds=config.SCRAPE_SECONDS / 10,
                what=f"Prometheus to scrape {self.registry} again",
            )
        except WaitTimeoutError:
            return self.target()

    @property
    def _api(self) -> PrometheusAPI:
        return PrometheusAPI(self._container.address)


@contextmanager
def prometheus_container(
    handle: MonitorHandle,
    *,
    engine: Engine,
    image_id: str,
    network: str,
    labels: Mapping[str, str],
    target: str,
) -> Iterator[PrometheusContainer]:
    """Start a Prometheus and remove it with its folder at the end.

    `target` is the host and port where the registry has its metrics. The folder of `handle` is
    made. Raises WaitTimeoutError when it does not become ready.
    """
    handle.folder.mkdir(mode=0o700)
    rules = config.RULES.read_text("utf-8")
    files = {
        config.CONFIGURATION_FILE: config.configuration(handle.registry, target),
        config.LAB_RULES_FILE: config.lab_rules(rules),
        config.RULES.name: rules,
        config.TESTS.name: config.TESTS.read_text("utf-8"),
    }
    for name, text in files.items():
        (handle.folder / name).write_text(text, "utf-8")
    try:
        engine.start(
            ContainerSpec(
                name=handle.container,
                image=image_id,
                entrypoint=_COMMAND,
                hostname="prometheus",
                labels=labels,
                network=network,
                binds=(Bind(handle.folder, _FOLDER),),
            )
        )
        monitor = attach(handle, engine)
        monitor.wait_until_ready()
        yield monitor
    finally:
        engine.remove(handle.container)
        shutil.rmtree(handle.folder, ignore_errors=True)


def attach(handle: MonitorHandle, engine: Engine) -> PrometheusContainer:
    """Return a running Prometheus; nothing is taken down with it. EngineError when it is gone."""
    return PrometheusContainer(handle, engine.required(handle.container))
