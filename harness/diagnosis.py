"""Why a pull failed: one stable code out of a closed list, from what the runtime says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailureCode(StrEnum):
    """The link of the chain that broke; stable names that users gate on."""

    NAME_RESOLUTION = "name-resolution"
    CONNECTION = "connection"
    TLS_UNKNOWN_CA = "tls-unknown-ca"
    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_WRONG_NAME = "tls-wrong-name"
    TLS_CLIENT_CERTIFICATE = "tls-client-certificate"
    SCHEME_MISMATCH = "scheme-mismatch"
    AUTHENTICATION = "authentication"
    AUTHORISATION = "authorisation"
    NOT_FOUND = "not-found"
    INVALID_REFERENCE = "invalid-reference"
    MANIFEST_UNSUPPORTED = "manifest-unsupported"
    WRONG_BYTES = "wrong-bytes"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    STORAGE = "storage"
    REDIRECT_UNREACHABLE = "redirect-unreachable"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    NODE_DISK = "node-disk"
    NODE_RUNTIME = "node-runtime"
    POLICY = "policy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Diagnosis:
    """A failed pull, named: its code, the runtime's own words, and what to change."""

    code: FailureCode
    evidence: str
    remedy: str


REMEDIES: Mapping[FailureCode, str] = {
    FailureCode.NAME_RESOLUTION: (
        "make the registry's name resolvable by the resolver that the node itself uses, "
        "or correct the host in the reference or in hosts.toml"
    ),
    FailureCode.CONNECTION: (
        "check that the registry listens on this port and that firewalls and load balancers "
        "between it and the node let the connection live; where a transfer ends at the same byte "
        "each time, compare the size of the stored blob with its manifest"
    ),
    FailureCode.TLS_UNKNOWN_CA: (
        "give the node the authority that signed the registry's certificate: `ca` in hosts.toml, "
        "at the root and in [host], and serve the intermediate certificates"
    ),
    FailureCode.TLS_EXPIRED: "renew the registry's certificate, or correct the node's clock",
    FailureCode.TLS_NOT_YET_VALID: (
        "correct the clock of the node, or of the machine that issued the certificate"
    ),
    FailureCode.TLS_WRONG_NAME: (
        "issue the certificate with the host of the reference among its subject alternative names"
    ),
    FailureCode.TLS_CLIENT_CERTIFICATE: (
        "give the node a client certificate that the registry accepts: `client` in hosts.toml, "
        "at the root and in [host]"
    ),
    FailureCode.SCHEME_MISMATCH: (
        "write the scheme that the registry speaks, http:// or https://, into hosts.toml"
    ),
    FailureCode.AUTHENTICATION: (
        "check user name and password, and that the pull secret's key names this registry with "
        "its port and lies in the pod's namespace"
    ),
    FailureCode.AUTHORISATION: "grant the account the right to pull from this repository",
    FailureCode.NOT_FOUND: (
        "check repository, tag or digest; read the runtime's log as well, because this answer "
        "hides a TLS or network error of a host that was tried before"
    ),
    FailureCode.INVALID_REFERENCE: (
        "write the image as host:port/repository:tag or host:port/repository@sha256:..., the "
        "repository in lower case"
    ),
    FailureCode.MANIFEST_UNSUPPORTED: (
        "push the image again in a current format and for the node's platform"
    ),
    FailureCode.WRONG_BYTES: (
        "compare the registry's stored content with its digest and push the image again; "
        "suspect storage, caches and proxies on the way"
    ),
    FailureCode.RATE_LIMITED: (
        "wait, raise the limit, authenticate, or put a pull-through cache in between"
    ),
    FailureCode.SERVER_ERROR: "read the registry's and the load balancer's log at this time",
    FailureCode.STORAGE: "check that the registry can read and write its storage backend",
    FailureCode.REDIRECT_UNREACHABLE: (
        "let nodes reach the host that the registry redirects to, or disable redirects in the "
        "registry's storage configuration"
    ),
    FailureCode.QUOTA: "raise the quota or size limit, or free space by deleting and collecting",
    FailureCode.TIMEOUT: (
        "look for dropped packets between node and registry and for an overloaded registry"
    ),
    FailureCode.NODE_DISK: "free space on the node, where the runtime keeps its images",
    FailureCode.NODE_RUNTIME: (
        "read the runtime's log on the node: it is down, or its CRI plugin has not loaded"
    ),
    FailureCode.POLICY: (
        "satisfy the policy that blocked the image (signature, scan, content trust, or the pod's "
        "pull policy Never), or change it"
    ),
    FailureCode.UNKNOWN: "read the runtime's log and the registry's log at this time",
}

_Rules = tuple[tuple[FailureCode, tuple[str, ...]], ...]

# The first rule with a pattern that matches decides, so what is more specific stands first, and
# "not found", which may hide any of the others, at the end. The words are from containerd's
# core/remotes/docker/{resolver,authorizer,fetcher}.go, plugins/content/local/writer.go and
# client/pull.go in 1.6.20, 1.7.24 and 2.1.9, from Go's crypto/x509/verify.go, crypto/tls/alert.go
# and net/net.go, and from Harbor's quota errors. For HTTP status 400: the answer to HEAD has no
# body that could say more, and a registry has no other reason to answer 400 to a well-formed
# request for a manifest. A transfer that ends early reads the same whether the connection was cut
# or the stored blob is too short; it counts as the former, which is by far the more frequent.
# What begins with an error of Go's decoders is the kubelet's: it fails a pull whose pull secret it
# cannot read (Kubernetes v1.36, pkg/credentialprovider/config.go).
_RULES_BEFORE_STATUS: _Rules = (
    (
        FailureCode.NODE_RUNTIME,
        (
            r"unknown service runtime\.|failed to connect to all addresses",
            r"connection error: desc = |server is not initialized yet|\(recvmsg:",
        ),
    ),
    (
        FailureCode.POLICY,
        (
            "image verifier .*(blocked pull|returned error)|signature ?validation ?failed",
            "projectpolicyviolation|not present with pull policy of Never",
        ),
    ),
    (
        FailureCode.TLS_CLIENT_CERTIFICATE,
        (
            r"remote error: tls: (\w+ )*(certificate|handshake failure)",
            "No required SSL certificate was sent|unable to read CERT file|load X509 key pair",
        ),
    ),
    (
        FailureCode.TLS_UNKNOWN_CA,
        ("certificate signed by unknown authority|unable to (read|load) CA cert",),
    ),
    (FailureCode.TLS_NOT_YET_VALID, (r"expired or is not yet valid: current time \S+ is before",)),
    (FailureCode.TLS_EXPIRED, ("certificate has expired",)),
    (
        FailureCode.TLS_WRONG_NAME,
        (
            "certificate is valid for .*, (not|but none matched) |not valid for any names",
            "doesn't contain any IP SANs|legacy Common Name",
        ),
    ),
    (
        FailureCode.TLS_UNKNOWN_CA,
        ("x509: |failed to verify certificate|certificate verify failed",),
    ),
    (
        FailureCode.SCHEME_MISMATCH,
        (
            "server gave HTTP response to HTTPS client",
            "sent an HTTP request to an HTTPS server",
            "first record does not look like a TLS handshake",
            r"status from \w+ request to http://\S+: 400\b",
            r"failed with status code \[.*\]: 400\b",
        ),
    ),
    (FailureCode.RATE_LIMITED, ("toomanyrequests|too many requests|rate limit",)),
    (
        FailureCode.QUOTA,
        ("exceed the configured upper limit", "(?<!disk )quota (has been )?exceeded"),
    ),
    (
        FailureCode.WRONG_BYTES,
        ("unexpected commit (digest|size)|failed size validation|digest mismatch",),
    ),
    (FailureCode.AUTHORISATION, ("insufficient_scope",)),
)
_RULES_AFTER_STATUS: _Rules = (
    (
        FailureCode.AUTHENTICATION,
        (
            "no basic auth credentials|missing username or secret|invalid_token",
            r"authorization failed|(^|\s)unauthorized: |authentication required",
            "^(json: cannot unmarshal|illegal base64 data|unable to parse auth field)",
        ),
    ),
    (FailureCode.AUTHORISATION, (r"(^|\s)denied: |access to the resource is denied",)),
    (FailureCode.NODE_DISK, ("no space left on device|disk quota exceeded",)),
    (
        FailureCode.MANIFEST_UNSUPPORTED,
        (
            "no match for platform|no longer supported|schema 1|manifest invalid",
            r"wrong diff id|unsupported (manifest )?media type|rejecting \d+ byte manifest",
            "invalid tar header",
        ),
    ),
    (FailureCode.NAME_RESOLUTION, (r"lookup \S+( on \S+)?: |no such host",)),
    (
        FailureCode.TIMEOUT,
        (
            "i/o timeout|TLS handshake timeout|deadline exceeded|connection timed out",
            r"Client\.Timeout|timeout awaiting|context canceled",
            r"timed out\. \((connect|read) timeout",
        ),
    ),
    (
        FailureCode.CONNECTION,
        (
            "connection refused|no route to host|network is unreachable|host is down",
            "broken pipe|connection reset by peer|: (unexpected )?EOF|GOAWAY",
            "closed (idle|network) connection|tls: bad record MAC",
            "tls: (oversized record received|received record with version)",
            "Remote end closed connection|Connection aborted|EOF occurred in violation of protocol",
        ),
    ),
    (FailureCode.INVALID_REFERENCE, ("invalid reference format",)),
    (FailureCode.NOT_FOUND, (": not found|(manifest|name|blob) unknown|could not fetch content",)),
)

_STATUS = re.compile(
    r"\bstatus(code)?\b[^\n]*?(: |from registry )(?P<status>[1-5]\d\d)(?!\d)", re.IGNORECASE
)
_STATUS_CODES: Mapping[int, FailureCode] = {
    401: FailureCode.AUTHENTICATION,
    403: FailureCode.AUTHORISATION,
    404: FailureCode.NOT_FOUND,
    406: FailureCode.MANIFEST_UNSUPPORTED,
    407: FailureCode.AUTHENTICATION,
    408: FailureCode.TIMEOUT,
    410: FailureCode.NOT_FOUND,
    412: FailureCode.POLICY,  # Harbor: blocked by content trust or by vulnerabilities
    413: FailureCode.QUOTA,  # a proxy's limit on the size of bodies
    415: FailureCode.MANIFEST_UNSUPPORTED,
    429: FailureCode.RATE_LIMITED,
    451: FailureCode.POLICY,
    507: FailureCode.QUOTA,
}
_STORAGE_HINT = re.compile(
    r"DriverName|no space left|read-only file system|input/output error|s3aws|storage"
    r"|health check failed",
    re.IGNORECASE,
)

# gRPC status names that say enough where the words do not.
_GRPC_CODES: Mapping[str, FailureCode] = {
    "NOT_FOUND": FailureCode.NOT_FOUND,
    "UNAUTHENTICATED": FailureCode.AUTHENTICATION,
    "PERMISSION_DENIED": FailureCode.AUTHORISATION,
    "DEADLINE_EXCEEDED": FailureCode.TIMEOUT,
    "UNIMPLEMENTED": FailureCode.NODE_RUNTIME,
    "UNAVAILABLE": FailureCode.NODE_RUNTIME,
}

_URL = re.compile(r'\b(get|head) \\?"(?P<quoted>https?://[^"\\]+)|request to (?P<plain>\S+):', re.I)
_REGISTRY_PATH = re.compile(r"/v2/?(\?|$)|/manifests/[^/?]+(\?|$)|/blobs/\w+:[0-9a-f]+(\?|$)")
_UNREACHABLE = {FailureCode.NAME_RESOLUTION, FailureCode.CONNECTION, FailureCode.TIMEOUT}

_IN_URL = re.compile(
    r"(?<=://)[^/@\s]+(?=@)|(?<=signature=)[^&\s\"]+|(?<=credential=)[^&\s\"]+"
    r"|(?<=token=)[^&\s\"]+|(?<=[?&]sig=)[^&\s\"]+",
    re.IGNORECASE,
)
_EVIDENCE_CHARACTERS = 2000
_TELLING_HEADERS = ("www-authenticate", "retry-after")


def diagnose(message: str, grpc_code: str = "") -> Diagnosis:
    """Name what broke, from the words of a runtime, a pod's event or a registry.

    `grpc_code` is the gRPC status name that came with the words, such as NOT_FOUND. What no
    rule knows is UNKNOWN. The evidence is the message without credentials that stand in URLs.
    """
    code = (
        _first_match(_RULES_BEFORE_STATUS, message)
        or _from_status(message)
        or _first_match(_RULES_AFTER_STATUS, message)
        or _GRPC_CODES.get(grpc_code, FailureCode.UNKNOWN)
    )
    if code in _UNREACHABLE and _redirected(message):
        code = FailureCode.REDIRECT_UNREACHABLE
    return Diagnosis(code, _IN_URL.sub("***", message)[:_EVIDENCE_CHARACTERS], REMEDIES[code])


def diagnose_response(status: int, body: bytes, headers: Mapping[str, str]) -> Diagnosis:
    """Name what a registry's error response means.

    The body's `errors` are read as the distribution specification defines them; other bodies,
    such as a proxy's page, count by their words.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    told = [f"{name}: {lowered[name]}" for name in _TELLING_HEADERS if name in lowered]
    return diagnose("\n".join([f"HTTP status: {status} {_phrase(status)}", _words(body), *told]))


def _first_match(rules: _Rules, message: str) -> FailureCode | None:
    for code, patterns in rules:
        if any(re.search(pattern, message, re.IGNORECASE) for pattern in patterns):
            return code
    return None


def _from_status(message: str) -> FailureCode | None:
    found = _STATUS.search(message)
    if found is None:
        return None
    status = int(found["status"])
    if status >= HTTPStatus.BAD_REQUEST and _redirected(message):
        return FailureCode.STORAGE
    if status in _STATUS_CODES:
        return _STATUS_CODES[status]
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    return FailureCode.STORAGE if _STORAGE_HINT.search(message) else FailureCode.SERVER_ERROR


def _redirected(message: str) -> bool:
    """Whether the request that failed went to a place that a registry had redirected to.

    Go names the last URL that it followed. Those of registries end in a manifest or blob,
    which a storage backend's do not; those of token services follow from no redirect.
    """
    found = _URL.search(message)
    if found is None or re.search(r"token|authorize", message, re.IGNORECASE):
        return False
    return not _REGISTRY_PATH.search(found["quoted"] or found["plain"])


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def _words(body: bytes) -> str:
    """Return the errors of a registry's body in the words that runtimes print them in."""
    text = body.decode("utf-8", "replace")
    try:
        errors = json.loads(text)["errors"]
        return "\n".join(
            f"{each['code'].lower().replace('_', ' ')}: {each.get('message', '')} "
            f"{json.dumps(each.get('detail'))}"
            for each in errors
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return text
