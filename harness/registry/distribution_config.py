"""The configuration of a Distribution registry: one form that 2.8 and 3 read; pure.

Keys: https://distribution.github.io/distribution/about/configuration/. The file is JSON, which
is YAML too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.scenario.model import RegistrySpec
    from harness.secret import Credentials, Secret

PORT: Final = 5000
METRICS_PORT: Final = 5001
METRICS_PATH: Final = "/metrics"
HEALTH_PATH: Final = "/debug/health"  # on the port of the metrics
STORAGE_FOLDER: Final = "/var/lib/registry"

CONFIGURATION_FILE: Final = "config.yml"
CERTIFICATE_FILE: Final = "certificate.pem"
KEY_FILE: Final = "key.pem"
CLIENT_AUTHORITY_FILE: Final = "client-authority.pem"
ACCOUNTS_FILE: Final = "htpasswd"
UPSTREAM_AUTHORITY_FILE: Final = "upstream-authority.pem"

# The registry takes the place of the shell that starts it, so it is the first process.
OPEN_FILES_FOLDER: Final = "/proc/1/fd"

LOG_FOLDER: Final = "/var/log/registry"
LOG_FILE: Final = "registry.log"

# Where each version looks for its configuration file.
_FOLDERS: Final = {"2.8": "/etc/docker/registry", "3": "/etc/distribution"}


@dataclass(frozen=True)
class Upstream:
    """What a pull-through cache fetches from: its address, an account there, its authority (PEM).

    No account where anyone may pull, no authority over plain HTTP.
    """

    url: str
    credentials: Credentials | None
    authority: bytes | None


def configuration_folder(spec: RegistrySpec) -> str:
    """Return the folder in the container that holds the configuration and what it names."""
    return _FOLDERS[spec.version]


def configuration(
    spec: RegistrySpec,
    http_secret: Secret,
    upstream: Upstream | None = None,
    receivers: Sequence[str] = (),
) -> str:
    """Return the text of the configuration file.

    `http_secret` signs the state of uploads. With an `upstream` it is a pull-through cache.
    `receivers` are URLs that are notified of each change. Log lines of level debug are the only
    ones that name the user of a successful request, so registries with accounts write them.
    """
    folder = configuration_folder(spec)
    http: dict[str, object] = {
        "addr": f":{PORT}",
        "secret": http_secret.reveal(),
        "debug": {
            "addr": f":{METRICS_PORT}",
            "prometheus": {"enabled": True, "path": METRICS_PATH},
        },
    }
    if spec.tls is not None:
        tls: dict[str, object] = {
            "certificate": f"{folder}/{CERTIFICATE_FILE}",
            "key": f"{folder}/{KEY_FILE}",
        }
        if spec.tls.client_certificate == "required":
            tls["clientcas"] = [f"{folder}/{CLIENT_AUTHORITY_FILE}"]
        http["tls"] = tls
    storage: dict[str, object] = {
        "filesystem": {"rootdirectory": STORAGE_FOLDER},
        "delete": {"enabled": True},
    }
    document: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "debug" if spec.auth else "info", "formatter": "json"},
        "storage": storage,
        "http": http,
    }
    if spec.blob_descriptor_cache != "none":
        storage["cache"] = {"blobdescriptor": spec.blob_descriptor_cache}
    if spec.auth is not None:
        accounts = {"realm": "pullproof", "path": f"{folder}/{ACCOUNTS_FILE}"}
        document["auth"] = {spec.auth.type: accounts}
    if upstream is not None:
        document["proxy"] = _proxy(upstream)
    if receivers:
        document["notifications"] = {"endpoints": [_endpoint(url) for url in receivers]}
    return json.dumps(document, indent=2)


def _endpoint(url: str) -> dict[str, object]:
    """Return how a receiver is notified of manifests that were pushed or deleted.

    It answers when it has done what was to be done, and is asked again a second after it could
    not; blobs come with their manifests.
    """
    return {
        "name": urlsplit(url).hostname,
        "url": url,
        "timeout": "300s",
        "threshold": 1,
        "backoff": "1s",
        "ignore": {"mediatypes": ["application/octet-stream"], "actions": ["pull"]},
    }


def _proxy(upstream: Upstream) -> dict[str, object]:
    proxy: dict[str, object] = {"remoteurl": upstream.url}
    if account := upstream.credentials:
        proxy |= {"username": account.username, "password": account.password.reveal()}
    return proxy


def environment(spec: RegistrySpec, upstream: Upstream | None = None) -> dict[str, str]:
    """Return the settings that no configuration file has: traces, and whom a cache trusts.

    Version 3 sends traces to port 4318 of its own host unless it is told not to, and logs an
    error each time because nobody listens there (`tracing/tracing.go`). SSL_CERT_FILE is what
    Go's crypto/x509 reads.
    """
    settings = {} if spec.version == "2.8" else {"OTEL_TRACES_EXPORTER": "none"}
    if upstream is not None and upstream.authority is not None:
        authority = f"{configuration_folder(spec)}/{UPSTREAM_AUTHORITY_FILE}"
        settings["SSL_CERT_FILE"] = authority
    return settings


def read_only(configuration: str) -> str:
    """Return the text of a configuration with which the same registry takes no writes."""
    document = json.loads(configuration)
    document["storage"]["maintenance"] = {"readonly": {"enabled": True}}
    return json.dumps(document, indent=2)


def collecting(spec: RegistrySpec, *, delete_untagged: bool, dry_run: bool) -> tuple[str, ...]:
    """Return the command that collects garbage."""
    return (
        *("registry", "garbage-collect"),
        *(("--delete-untagged",) if delete_untagged else ()),
        *(("--dry-run",) if dry_run else ()),
        f"{configuration_folder(spec)}/{CONFIGURATION_FILE}",
    )


def command(spec: RegistrySpec) -> tuple[str, ...]:
    """Return the command that runs the registry with both its streams in one file.

    The engine's own log would cost more than the requests it tells of, and is read anew from
    its beginning each time. Each line is appended whole.
    """
    configuration_file = f"{configuration_folder(spec)}/{CONFIGURATION_FILE}"
    serve = f"exec registry serve {configuration_file} >>{LOG_FOLDER}/{LOG_FILE} 2>&1"
    return ("sh", "-c", serve)


def blob_path(digest: str) -> str:
    """Return where a blob lies in the container (`registry/storage/paths.go`)."""
    algorithm, _, encoded = digest.partition(":")
    return f"{STORAGE_FOLDER}/docker/registry/v2/blobs/{algorithm}/{encoded[:2]}/{encoded}/data"
