"""What a kubeconfig says, read by the official client, without a trace of its keys on the disk."""

from __future__ import annotations

import ssl
import threading
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import urllib3
from kubernetes import config as kubeconfig_of
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject

from harness.kubernetes_api.errors import KubernetesError

if TYPE_CHECKING:
    from pathlib import Path

_CONNECTIONS: Final = 64
# The official client remembers by content which files it has written, whoever removes them.
_READING: Final = threading.Lock()


def read_kubeconfig(kubeconfig: Path, context: str | None) -> tuple[Configuration, ssl.SSLContext]:
    """Read who we are and whom we trust. Raises KubernetesError that names the file.

    The official client writes certificates and key to files, and removes them when its process
    ends, unless that is killed. Here they are gone when this returns: OpenSSL has read them.
    """
    settings = Configuration()
    try:
        with _READING, TemporaryDirectory(prefix="pullproof-kubeconfig-") as folder:
            kubeconfig_of.load_kube_config(  # type: ignore[no-untyped-call]
                str(kubeconfig),
                context=context,
                client_configuration=settings,
                persist_config=False,
                temp_file_path=folder,
            )
            return settings, _secured(settings)
    except (kubeconfig_of.ConfigException, OSError, ValueError) as error:
        raise KubernetesError(
            f"{kubeconfig} cannot be used: {error}",
            remedy="give a kubeconfig that `kubectl --kubeconfig` accepts, and one of its contexts",
        ) from error


def connections(settings: Configuration, context: ssl.SSLContext) -> urllib3.PoolManager:
    """Return connections as the official client makes them, proxies included."""
    settings.connection_pool_maxsize = _CONNECTIONS
    pool: urllib3.PoolManager = RESTClientObject(settings).pool_manager
    for file in ("ca_certs", "cert_file", "key_file"):
        pool.connection_pool_kw.pop(file, None)
    pool.connection_pool_kw["ssl_context"] = context
    return pool


def _secured(settings: Configuration) -> ssl.SSLContext:
    """Trust the cluster's authority, else those of this machine, and have our certificate."""
    verified = ssl.CERT_REQUIRED if settings.verify_ssl else ssl.CERT_NONE
    context = urllib3.util.create_urllib3_context(cert_reqs=verified)
    if settings.ssl_ca_cert:
        context.load_verify_locations(settings.ssl_ca_cert)
    else:
        context.load_default_certs()
    if settings.cert_file:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
