"""HTTP to one registry: connects to an address, verifies a name, never falls back."""

from __future__ import annotations

import base64
import json
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import urllib3

from harness.diagnosis import diagnose_response
from harness.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Mapping

    from harness.diagnosis import Diagnosis
    from harness.secret import Credentials, KeyPair

USER_AGENT: Final = "pullproof"
_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_READ_TIMEOUT_SECONDS: Final = 60.0
# Connections kept open: above this, concurrent callers still work, each with a fresh one.
_KEPT_CONNECTIONS: Final = 32


@dataclass(frozen=True)
class TrustedAuthority:
    """Trust in every certificate of an authority (PEM) that is valid for the registry's name."""

    ca: bytes = field(repr=False)


@dataclass(frozen=True)
class PinnedCertificate:
    """Trust in exactly one certificate, by the SHA-256 of its DER form, whatever it says."""

    fingerprint: str


@dataclass(frozen=True)
class MachineTrust:
    """Trust in every certificate that this machine trusts and that is valid for the name."""


Trust = TrustedAuthority | PinnedCertificate | MachineTrust


@dataclass(frozen=True)
class Endpoint:
    """Where a registry is: its `host` as in references, and the address behind that name.

    `trust` None means plain HTTP. The name in `host` is verified and never resolved; `address`
    may be a name as well. `address_port` is None where the port is that of the host.
    """

    host: str
    address: str
    trust: Trust | None
    client_certificate: KeyPair | None = None
    address_port: int | None = None

    @property
    def name(self) -> str:
        """The host without its port."""
        return self.host.partition(":")[0]

    @property
    def port(self) -> int:
        """The port to connect to: HTTP's own where the host names none."""
        named = self.host.partition(":")[2]
        own = 80 if self.trust is None else 443
        return self.address_port or (int(named) if named else own)

    @property
    def base_url(self) -> str:
        """Scheme and host, as the registry's own locations begin."""
        return f"{'http' if self.trust is None else 'https'}://{self.host}"


class UnexpectedStatusError(RegistryError):
    """The registry answered with another status than the operation promises.

    `code` is the OCI error code of the body, such as `BLOB_UNKNOWN`, empty where it has none;
    `diagnosis` is what the answer as a whole means.
    """

    def __init__(
        self,
        request: str,
        *,
        status: int,
        code: str,
        expected: Collection[int],
        diagnosis: Diagnosis,
    ) -> None:
        wanted = " or ".join(str(each) for each in sorted(expected))
        told = f" {code}" if code else ""
        super().__init__(f"{request}: answered {status}{told}, expected {wanted}")
        self.status = status
        self.code = code
        self.diagnosis = diagnosis


class Transport:
    """Sends requests to one registry, from any number of threads.

    One attempt each, no redirects followed, time limits of 5 s to connect and 60 s between bytes.
    """

    def __init__(self, endpoint: Endpoint, credentials: Credentials | None) -> None:
        self.endpoint = endpoint
        self._headers = {"Host": endpoint.host, "User-Agent": USER_AGENT}
        if credentials is not None:
            pair = f"{credentials.username}:{credentials.password.reveal()}"
            encoded = base64.b64encode(pair.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    @cached_property
    def _pool(self) -> urllib3.HTTPConnectionPool:
        return _open_pool(self.endpoint)

    def path_of(self, location: str) -> str:
        """Return path and query of a Location header, relative or absolute.

        Raises RegistryError when it leads to another scheme or host: to follow it would send
        credentials elsewhere.
        """
        target = urlsplit(urljoin(self.endpoint.base_url, location))
        if f"{target.scheme}://{target.netloc}" != self.endpoint.base_url:
            raise RegistryError(
                f"{self.endpoint.host} sent a Location at {target.scheme}://{target.netloc}, "
                f"not at {self.endpoint.base_url}",
                remedy="set http.host or the proxy's X-Forwarded-Proto and Host headers",
            )
        return f"{target.path}?{target.query}" if target.query else target.path

    def send(
        self,
        method: str,
        path: str,
        *,
        expected: Collection[int] = (),
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request and return the answer with its body read.

        An empty `expected` accepts every status. Raises RegistryError when there is no answer,
        UnexpectedStatusError when it is another one.
        """
        with self.stream(method, path, expected=expected, body=body, headers=headers) as response:
            _ = response.data  # reads the body and gives the connection back
        return response

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        expected: Collection[int] = (),
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Generator[urllib3.BaseHTTPResponse]:
        """Send a request and give the answer with its body still to be read; errors as `send`."""
        request = f"{method} {self.endpoint.base_url}{urlsplit(path).path}"
        try:
            response = self._pool.urlopen(
                method,
                path,
                body=body,
                headers={**self._headers, **(headers or {})},
                preload_content=False,
                decode_content=False,
            )
            with response:
                if expected and response.status not in expected:
                    raise UnexpectedStatusError(
                        request,
                        status=response.status,
                        code=_error_code(response.data),
                        expected=expected,
                        diagnosis=diagnose_response(
                            response.status, response.data, dict(response.headers)
                        ),
                    )
                yield response
        except urllib3.exceptions.HTTPError as error:
            raise RegistryError(
                f"{request}: {error}", remedy="look at the registry's log, kept with the results"
            ) from error


def _open_pool(endpoint: Endpoint) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=_CONNECT_TIMEOUT_SECONDS, read=_READ_TIMEOUT_SECONDS)
    if endpoint.trust is None:
        return urllib3.HTTPConnectionPool(
            endpoint.address,
            endpoint.port,
            timeout=timeout,
            maxsize=_KEPT_CONNECTIONS,
            retries=False,
        )
    pin = endpoint.trust if isinstance(endpoint.trust, PinnedCertificate) else None
    return urllib3.HTTPSConnectionPool(
        endpoint.address,
        endpoint.port,
        timeout=timeout,
        maxsize=_KEPT_CONNECTIONS,
        retries=False,
        ssl_context=_tls_context(endpoint.trust, endpoint.client_certificate),
        server_hostname=endpoint.name,
        assert_fingerprint=pin.fingerprint if pin else None,
    )


def _tls_context(trust: Trust, client: KeyPair | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
    match trust:
        case TrustedAuthority():
            context.load_verify_locations(cadata=trust.ca.decode())
        case MachineTrust():
            context.load_default_certs()
        case PinnedCertificate():
            # The pool compares the fingerprint of each connection before it sends anything.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
    if client is not None:
        with NamedTemporaryFile(prefix="pullproof-", suffix=".pem") as both:  # only ours to read
            both.write(client.certificate_pem + client.key_pem.reveal().encode())
            both.flush()
            context.load_cert_chain(both.name)
    return context


def _error_code(body: bytes) -> str:
    try:
        return str(json.loads(body)["errors"][0]["code"])
    except (ValueError, LookupError, TypeError):
        return ""
