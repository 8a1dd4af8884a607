"""A pytest plugin that tells a test the run's secret and has it turn up where it must not.

With `--canary FILE` the lab is broken, so that there are failures to be told, and errors and
prints of checks hold the secret. With `--leak` the secret goes past pytest to standard output.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.cluster.protocols import RuntimeAccess
from harness.hosts_toml import Host, HostsFile, render
from harness.lab import ability
from harness.lab.certs_d import hosts_file

if TYPE_CHECKING:
    import pytest

    from harness.lab import Lab
    from harness.workload import Published


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--canary", type=Path, required=True, help="file that gets the secret")
    parser.addoption("--leak", action="store_true", help="print the secret behind pytest's back")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(
        Canary(config.getoption("--canary"), leaks=config.getoption("--leak")), "canary"
    )


class Canary:
    """The hooks of a run whose secret is followed."""

    def __init__(self, file: Path, *, leaks: bool) -> None:
        self._file = file
        self._leaks = leaks

    def pytest_pullproof_lab_started(self, lab: Lab) -> None:
        secret = lab.handle.secret.reveal()
        self._file.write_text(secret)
        if self._leaks:
            os.write(1, base64.b64encode(f"user:{secret}".encode()))
        wrong = render(HostsFile(Host(f"http://{lab.primary.host}"))).encode()
        for node in lab.nodes[1:]:
            ability(node, RuntimeAccess).write_file(hosts_file(lab.primary.host), wrong)

    def pytest_pullproof_published(self, lab: Lab, published: Published) -> None:
        if published.repository.startswith("integrity"):
            credentials = lab.primary.credentials
            assert credentials
            password = credentials.password.reveal()
            config = json.dumps({"auths": {lab.primary.host: {"password": password}}})
            texts = (
                password,
                f"https://{credentials.username}:{quote(password)}@{lab.primary.host}",
                base64.b64encode(f"{credentials.username}:{password}".encode()).decode(),
                base64.b64encode(config.encode()).decode(),
                json.dumps(config),
            )
            logging.getLogger("canary").warning("%s", texts)
            print(*texts)  # noqa: T201 - a check that prints what it must not
            raise RuntimeError(" ".join(texts))
