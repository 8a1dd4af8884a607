"""The runtime's words are named by the link of the chain that broke.

Messages come from containerd 1.6.20, 1.7.24 and 2.1.9, from pod events and from registries.
"""

from __future__ import annotations

import json

import pytest

from harness.diagnosis import REMEDIES, FailureCode, diagnose, diagnose_response

IMAGE = 'failed to pull and unpack image "r.test:5000/a:1": '
PULL = IMAGE + 'failed to resolve reference "r.test:5000/a:1": '
HEAD = PULL + 'failed to do request: Head "https://r.test:5000/v2/a/manifests/1": '
COPY = IMAGE + "failed to copy: "
BLOB = "https://r.test:5000/v2/a/blobs/sha256:0a1b"
OPEN = COPY + f'httpReadSeeker: failed open: failed to do request: Get "{BLOB}": '
DENIED = PULL + "pull access denied, repository does not exist or may require authorization: "
EVENT = 'Failed to pull image "r.test:5000/a:1": rpc error: code = Unknown desc = '


@pytest.mark.parametrize(
    ("words", "code"),
    [
        # what the kubelet itself refuses
        ('failed to parse image reference "A": invalid reference format', "invalid-reference"),
        ('couldn\'t parse image name "r.test/A": invalid reference format', "invalid-reference"),
        ('Container image "a" is not present with pull policy of Never', "policy"),
        # names, addresses and time
        (HEAD + "dial tcp: lookup r.test on 127.0.0.11:53: no such host", "name-resolution"),
        (HEAD + "dial tcp: lookup r.test: i/o timeout", "name-resolution"),
        (HEAD + "dial tcp: lookup r.test on 10.0.0.2:53: server misbehaving", "name-resolution"),
        (HEAD + "dial tcp 10.9.0.2:5000: connect: connection refused", "connection"),
        (HEAD + "dial tcp 10.9.0.2:5000: connect: no route to host", "connection"),
        (COPY + "read tcp 10.9.0.3:4->10.9.0.2:5000: read: connection reset by peer", "connection"),
        (COPY + "local error: tls: bad record MAC", "connection"),
        (COPY + "tls: oversized record received with length 23205", "connection"),
        (
            COPY + "tls: received record with version 5aa5 when expecting version 303",
            "connection",
        ),
        (HEAD + "EOF", "connection"),
        (COPY + "unexpected EOF", "connection"),
        (IMAGE + "failed to read expected number of bytes: unexpected EOF", "connection"),
        (IMAGE + "short read: expected 10 bytes but got 3: unexpected EOF", "connection"),
        (HEAD + "dial tcp 10.9.0.2:5000: i/o timeout", "timeout"),
        (HEAD + "context deadline exceeded", "timeout"),
        (HEAD + "net/http: TLS handshake timeout", "timeout"),
        (COPY + "context canceled", "timeout"),
        # the runtime itself, gRPC's words among them
        ("Stream removed (recvmsg:Connection reset by peer (104))", "node-runtime"),
        ("server is not initialized yet", "node-runtime"),
        # transport security
        (HEAD + "x509: certificate signed by unknown authority", "tls-unknown-ca"),
        (
            HEAD + "tls: failed to verify certificate: x509: certificate signed by unknown "
            'authority (possibly because of "x509: certificate has expired" while verifying)',
            "tls-unknown-ca",
        ),
        (HEAD + "tls: failed to verify certificate: x509: unhandled extension", "tls-unknown-ca"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
            "tls-unknown-ca",
        ),
        (PULL + 'unable to read CA cert "/etc/containerd/certs.d/r/ca.crt"', "tls-unknown-ca"),
        (
            HEAD + "tls: failed to verify certificate: x509: certificate has expired or is not "
            "yet valid: current time 2026-11-22T19:00:00Z is after 2026-11-21T00:00:00Z",
            "tls-expired",
        ),
        (HEAD + "x509: certificate has expired or is not yet valid: ", "tls-expired"),
        (
            HEAD + "x509: certificate has expired or is not yet valid: "
            "current time 2026-11-22T19:00:00Z is before 2026-12-01T00:00:00Z",
            "tls-not-yet-valid",
        ),
        (HEAD + "x509: certificate is valid for other.test, not r.test", "tls-wrong-name"),
        (HEAD + "x509: certificate is valid for 200 names, but none matched r", "tls-wrong-name"),
        (
            HEAD + "x509: certificate is not valid for any names, but wanted to match r.test",
            "tls-wrong-name",
        ),
        (
            HEAD + "x509: cannot validate certificate for 10.9.0.2 because it doesn't contain any "
            "IP SANs",
            "tls-wrong-name",
        ),
        (HEAD + "remote error: tls: certificate required", "tls-client-certificate"),
        (HEAD + "remote error: tls: bad certificate", "tls-client-certificate"),
        (HEAD + "remote error: tls: handshake failure", "tls-client-certificate"),
        (HEAD + "remote error: tls: unknown certificate authority", "tls-client-certificate"),
        (PULL + "failed to load X509 key pair: no such file", "tls-client-certificate"),
        (HEAD + "http: server gave HTTP response to HTTPS client", "scheme-mismatch"),
        (
            PULL + "unexpected status from HEAD request to http://r.test:5000/v2/a/manifests/1: "
            "400 Bad Request",
            "scheme-mismatch",
        ),
        (
            PULL + "pulling from host r.test:5000 failed with status code [manifests 1]: "
            "400 Bad Request",
            "scheme-mismatch",
        ),
        ("Client sent an HTTP request to an HTTPS server.", "scheme-mismatch"),
        # who may
        (
            PULL + "pulling from host r.test:5000 failed with status code [manifests 1]: "
            "401 Unauthorized",
            "authentication",
        ),
        (
            PULL + "unexpected status from HEAD request to "
            "https://r.test:5000/v2/a/manifests/1: 401 Unauthorized",
            "authentication",
        ),
        (DENIED + "authorization failed: no basic auth credentials", "authentication"),
        (DENIED + "server message: insufficient_scope: authorization failed", "authorisation"),
        (DENIED + "server message: invalid_token: authorization failed", "authentication"),
        (
            PULL + "failed to authorize: failed to fetch oauth token: unexpected status from GET "
            "request to https://auth.test/token?service=r: 401 Unauthorized",
            "authentication",
        ),
        (
            PULL + "unexpected status from HEAD request to "
            "https://r.test:5000/v2/a/manifests/1: 403 Forbidden",
            "authorisation",
        ),
        ("denied: requested access to the resource is denied", "authorisation"),
        ("requesting bearer token: invalid status code from registry 403", "authorisation"),
        # what is there
        (PULL + "r.test:5000/a:1: not found", "not-found"),
        (
            COPY + "could not fetch content descriptor sha256:0a1b from remote: not found",
            "not-found",
        ),
        ("reading manifest 1 in r.test/a: manifest unknown", "not-found"),
        (
            'failed to pull and unpack image "r/a:1": no match for platform in manifest: not found',
            "manifest-unsupported",
        ),
        ("media-type: schema 1 not supported", "manifest-unsupported"),
        (
            IMAGE + 'not implemented: media type "application/vnd.docker.distribution.manifest.v1'
            '+prettyjws" is no longer supported since containerd v2.0',
            "manifest-unsupported",
        ),
        (
            IMAGE + 'failed commit on ref "layer-sha256:0a1b": unexpected commit digest sha256:ff, '
            "expected sha256:0a1b: failed precondition",
            "wrong-bytes",
        ),
        ('"sha256:0a1b" failed size validation: 7 != 8: failed precondition', "wrong-bytes"),
        # how the other side feels
        (
            PULL + "unexpected status from HEAD request to "
            "https://r.test:5000/v2/a/manifests/1: 429 Too Many Requests",
            "rate-limited",
        ),
        (
            PULL + "pulling from host r.test:5000 failed with status code [manifests 1]: "
            "503 Service Unavailable",
            "server-error",
        ),
        (COPY + f"unexpected status code {BLOB}: 500 Internal Server Error", "server-error"),
        (
            COPY + f"unexpected status from GET request to {BLOB}: 500 Internal Server Error\n"
            "unknown: filesystem: open /data: input/output error",
            "storage",
        ),
        (
            COPY + "unexpected status from GET request to "
            "https://s3.test/docker/registry/v2/blobs/sha256/0a/0a1b/data: 403 Forbidden",
            "storage",
        ),
        (
            COPY + 'httpReadSeeker: failed open: failed to do request: Get "https://s3.test/bucket'
            '/docker/registry/v2/blobs/sha256/0a/0a1b/data?sig=x": dial tcp: lookup s3.test: '
            "no such host",
            "redirect-unreachable",
        ),
        (
            EVENT + COPY + "failed to do request: "
            r"Get \"http://minio.test:9000/layer\": dial tcp 10.1.1.1:9000: i/o timeout",
            "redirect-unreachable",
        ),
        (OPEN + "dial tcp 10.9.0.2:5000: connect: connection refused", "connection"),
        (
            PULL + 'failed to do request: Head "https://mirror.test/cache/a/manifests/1?ns=r.test":'
            " dial tcp 10.9.0.9:443: connect: connection refused",
            "connection",
        ),
        ('Get "https://r.test:5000/v2/": dial tcp: lookup r.test: no such host', "name-resolution"),
        (
            PULL + "failed to authorize: failed to fetch anonymous token: "
            'Get "https://auth.test/login?scope=a": dial tcp: lookup auth.test: no such host',
            "name-resolution",
        ),
        (
            IMAGE + "denied: adding 2.1 MiB of storage resource, which when updated to current "
            "usage of 8.3 MiB will exceed the configured upper limit of 10.0 MiB.",
            "quota",
        ),
        # the node
        ("failed to extract layer sha256:0a1b: write /a: no space left on device", "node-disk"),
        ("write /var/lib/containerd/x: disk quota exceeded", "node-disk"),
        ("unknown service runtime.v1.ImageService", "node-runtime"),
        ("failed to connect to all addresses; last error: UNKNOWN: unix:/a", "node-runtime"),
        # rules
        (
            "image verifier bindir blocked pull of r/a:1 with digest sha256:0 for reason: no",
            "policy",
        ),
        ("SignatureValidationFailed: image has no signature", "policy"),
        ("('Connection aborted.', ConnectionResetError(104, 'reset'))", "connection"),
        ("Remote end closed connection without response", "connection"),
        ("Connection to 10.0.0.1 timed out. (connect timeout=5.0)", "timeout"),
        ("Read timed out. (read timeout=60.0)", "timeout"),
        ("something nobody has ever seen", "unknown"),
        ("unexpected status code https://r.test/v2/a/manifests/1: 418 I'm a teapot", "unknown"),
    ],
)
@pytest.mark.parametrize("prefix", ["", EVENT])
def test_words_are_named(prefix: str, words: str, code: str) -> None:
    assert diagnose(prefix + words).code == code


@pytest.mark.parametrize(
    ("grpc_code", "code"),
    [
        ("NOT_FOUND", FailureCode.NOT_FOUND),
        ("DEADLINE_EXCEEDED", FailureCode.TIMEOUT),
        ("UNAVAILABLE", FailureCode.NODE_RUNTIME),
        ("UNKNOWN", FailureCode.UNKNOWN),
    ],
)
def test_code_decides_where_words_say_nothing(grpc_code: str, code: FailureCode) -> None:
    assert diagnose("Socket closed", grpc_code).code is code


def test_words_outweigh_the_code() -> None:
    words = HEAD + "x509: certificate signed by unknown authority: not found"

    assert diagnose(words, "NOT_FOUND").code is FailureCode.TLS_UNKNOWN_CA


def test_every_code_has_a_remedy() -> None:
    assert set(REMEDIES) == set(FailureCode)
    assert all(REMEDIES.values())


@pytest.mark.parametrize(
    "url",
    [
        "https://kim:s3cret@r.test/v2/a/manifests/1",
        "https://s3.test/a/data?X-Amz-Credential=s3cret&X-Amz-Signature=s3cret",
        "https://s3.test/a/data?se=1&sig=s3cret",
        "https://auth.test/?refresh_token=s3cret&scope=a",
    ],
)
def test_evidence_shows_no_credentials_of_urls(url: str) -> None:
    evidence = diagnose(f'Get "{url}": dial tcp: connection refused').evidence

    assert "s3cret" not in evidence
    assert evidence.endswith("connection refused")


def test_evidence_is_the_runtimes_own_words() -> None:
    assert diagnose(HEAD + "EOF").evidence == HEAD + "EOF"
    assert len(diagnose("x" * 100_000).evidence) == 2000


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, {"code": "UNAUTHORIZED", "message": "authentication required"}, "authentication"),
        (403, {"code": "DENIED", "message": "requested access is denied"}, "authorisation"),
        (403, {"code": "DENIED", "message": "it will exceed the configured upper limit"}, "quota"),
        (404, {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}, "not-found"),
        (412, {"code": "PROJECTPOLICYVIOLATION", "message": "not signed"}, "policy"),
        (429, {"code": "TOOMANYREQUESTS"}, "rate-limited"),
        (500, {"code": "UNKNOWN", "message": "unknown error"}, "server-error"),
        (500, {"code": "UNKNOWN", "detail": {"DriverName": "filesystem", "Err": 28}}, "storage"),
        (503, {"code": "UNAVAILABLE", "detail": "health check failed"}, "storage"),
        (400, {"code": "MANIFEST_INVALID", "message": "manifest invalid"}, "manifest-unsupported"),
    ],
)
def test_registrys_errors_are_named(status: int, error: dict[str, object], code: str) -> None:
    assert diagnose_response(status, json.dumps({"errors": [error]}).encode(), {}).code == code


@pytest.mark.parametrize(
    "words",
    [
        "json: cannot unmarshal array into Go struct field DockerConfigJSON.auths",
        "illegal base64 data at input byte 3",
        "unable to parse auth field, must be formatted as base64(username:password)",
    ],
)
def test_pull_secret_that_the_kubelet_cannot_read_is_a_matter_of_authentication(words: str) -> None:
    assert diagnose(words).code is FailureCode.AUTHENTICATION
    assert diagnose(f"{IMAGE}{words}").code is FailureCode.UNKNOWN


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (413, b"<html>413 Request Entity Too Large</html>", "quota"),
        (507, b"", "quota"),
        (502, b"<html>Bad Gateway</html>", "server-error"),
        (524, b"\xff", "server-error"),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", "scheme-mismatch"),
        (500, b'["no object"]', "server-error"),
        (500, b'{"errors": [{"message": "no code"}]}', "server-error"),
        (500, b'{"errors": ["a word"]}', "server-error"),
    ],
)
def test_other_bodies_are_named_by_status_and_words(status: int, body: bytes, code: str) -> None:
    assert diagnose_response(status, body, {}).code == code


def test_challenge_tells_a_missing_right_from_a_missing_login() -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="https://r.test/t",error="insufficient_scope"'}

    assert diagnose_response(401, b"", challenge).code is FailureCode.AUTHORISATION


def test_evidence_of_a_rate_limit_says_when_to_come_back() -> None:
    assert "retry-after: 30" in diagnose_response(429, b"", {"Retry-After": "30"}).evidence
