"""Files that a scenario names: read before anything is written, so that a typo costs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.keyring import Keyring
from harness.scenario.document import Problem
from harness.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.document import Document
    from harness.scenario.model import RegistrySpec, Scenario
    from harness.secret import Credentials

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def with_whole_paths(scenario: Scenario, folder: Path) -> Scenario:
    """Return the scenario with the names of files as absolute paths.

    Relative ones lie below `folder`, that of the scenario's file; `~` is the user's home.
    """
    registries = tuple(
        registry.model_copy(
            update={
                name: str((folder / Path(file).expanduser()).absolute())
                for name in ("ca_file", "credentials_file")
                if (file := getattr(registry, name)) is not None
            }
        )
        for registry in scenario.registries
    )
    return scenario.model_copy(update={"registries": registries})


def file_problems(scenario: Scenario, document: Document) -> tuple[Problem, ...]:
    """Return what is wrong with the files that a scenario with whole paths names."""
    return tuple(
        Problem(document.line(("registries", index, key)), ("registries", index, key), *told)
        for index, registry in enumerate(scenario.registries)
        for key, told in _of_registry(registry)
    )


def read_authority(spec: RegistrySpec) -> bytes | None:
    """Return the authority (PEM) of a registry that exists, None where it names none.

    Raises HarnessError when the file cannot be read or holds no certificate.
    """
    if spec.ca_file is None:
        return None
    content = _read(spec.ca_file)
    if _CERTIFICATE not in content:
        raise HarnessError(
            f"{spec.ca_file} holds no certificate in PEM form",
            remedy="Name the file with the certificate of the registry's authority.",
        )
    return content


def read_credentials(spec: RegistrySpec) -> Credentials | None:
    """Return the account for a registry that exists, None where it names no file.

    It is the one that the kubelet would take out of such a file. Raises HarnessError when the
    file cannot be read, is malformed or holds no password for the registry.
    """
    if spec.credentials_file is None:
        return None
    keyring = Keyring.parse(Secret(_read(spec.credentials_file).decode("utf-8", "replace")))
    found = keyring.lookup(f"{spec.host}/{spec.repository('some')}")
    if not found or not found[0].username or not found[0].password.reveal():
        raise HarnessError(
            f"{spec.credentials_file} holds no password for {spec.host}",
            remedy="Write user name and password into its auths, not into a credential helper.",
        )
    return found[0]


def passwords_in(scenario: Scenario) -> tuple[Secret, ...]:
    """Return the passwords in the files that a scenario names; no output may hold them.

    Raises HarnessError as `read_credentials`.
    """
    found = (read_credentials(registry) for registry in scenario.registries)
    return tuple(credentials.password for credentials in found if credentials)


def _of_registry(registry: RegistrySpec) -> Iterator[tuple[str, tuple[str, str]]]:
    for key, read in (("caFile", read_authority), ("credentialsFile", read_credentials)):
        try:
            read(registry)
        except HarnessError as error:
            yield key, (f"{key}: {error.problem}", error.remedy)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be read: {error.strerror}",
            remedy="Name a file that exists and may be read; it is relative to the scenario.",
        ) from error
