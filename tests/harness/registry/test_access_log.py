from __future__ import annotations

import json

from harness.registry import access_log
from harness.registry.protocols import Request

STAMP = "[22/Nov/2026:19:23:55 +0000]"


def access_line(uri: str, *, method: str = "GET", status: int = 200, written: int = 5) -> str:
    return f'10.0.0.3 - - {STAMP} "{method} {uri} HTTP/1.1" {status} {written} "" "containerd/1"'


def json_line(identity: str, uri: str, message: str, **more: object) -> str:
    return json.dumps(
        {
            "http.request.id": identity,
            "http.request.method": "GET",
            "http.request.remoteaddr": "10.0.0.3:4711",
            "http.request.uri": uri,
            "msg": message,
            **more,
        },
        separators=(",", ":"),
    )


def completed(identity: str, uri: str, **more: object) -> str:
    answer = {"http.response.status": 200, "http.response.written": 5}
    return json_line(identity, uri, "response completed", **{**answer, **more})


def authenticated(identity: str, uri: str, user: str) -> str:
    return json_line(identity, uri, "GetBlob", **{"auth.user.name": user})


def test_request_is_read_whole() -> None:
    line = access_line("/v2/a/manifests/v1?ns=origin.test%3A5000", method="HEAD", status=404)

    assert access_log.requests(line) == (
        Request(
            client="10.0.0.3",
            method="HEAD",
            path="/v2/a/manifests/v1",
            namespace="origin.test:5000",
            status=404,
            response_bytes=5,
            user="",
            user_agent="containerd/1",
        ),
    )


def test_quotes_in_the_user_agent_do_not_hide_a_request() -> None:
    line = f'10.0.0.3 - - {STAMP} "GET /v2/ HTTP/1.1" 401 87 "" "a \\"b\\" c"'

    (request,) = access_log.requests(line)

    assert request.user_agent == 'a \\"b\\" c'


def test_other_lines_are_no_requests() -> None:
    log = "\n".join(["", "panic: x", completed("1", "/v2/"), '{"msg":"listening on [::]:5000"}'])

    assert access_log.requests(log) == ()


def test_user_is_found_by_the_request_id() -> None:
    log = "\n".join(
        [
            authenticated("1", "/v2/a/blobs/x", "alice"),
            completed("1", "/v2/a/blobs/x"),
            access_line("/v2/a/blobs/x"),
        ]
    )

    (request,) = access_log.requests(log)

    assert request.user == "alice"


def test_refused_request_has_no_user() -> None:
    uri = "/v2/a/blobs/x"
    log = "\n".join(
        [
            authenticated("1", uri, "alice"),
            access_line(uri, status=401),
            completed("1", uri),
            access_line(uri),
        ]
    )

    assert [request.user for request in access_log.requests(log)] == ["", "alice"]


def test_requests_that_are_alike_keep_one_user_each() -> None:
    uri = "/v2/a/blobs/x"
    log = "\n".join(
        [
            authenticated("1", uri, "alice"),
            authenticated("2", uri, "bob"),
            completed("3", uri),
            completed("2", uri),
            completed("1", uri),
            *[access_line(uri)] * 3,
        ]
    )

    users = sorted(request.user for request in access_log.requests(log))

    assert users == ["", "alice", "bob"]


def test_user_of_a_failed_request_is_found_in_its_only_line() -> None:
    uri = "/v2/a/manifests/v1"
    failed = completed("1", uri, **{"http.response.status": 404, "auth.user.name": "alice"})
    log = "\n".join([failed, access_line(uri, status=404)])

    (request,) = access_log.requests(log)

    assert request.user == "alice"


def test_client_with_an_address_of_version_6_is_found() -> None:
    uri = "/v2/a/blobs/x"
    where = {"http.request.remoteaddr": "[fd00::3]:4711"}
    log = "\n".join(
        [
            authenticated("1", uri, "alice"),
            completed("1", uri, **where),
            access_line(uri).replace("10.0.0.3", "fd00::3"),
        ]
    )

    (request,) = access_log.requests(log)

    assert (request.client, request.user) == ("fd00::3", "alice")


def test_markers_are_no_requests() -> None:
    log = "\n".join(
        [
            access_line(f"/v2/{access_log.MARKER_REPOSITORY}/manifests/1", status=401),
            access_line("/v2/"),
        ]
    )

    assert [request.path for request in access_log.requests(log)] == ["/v2/"]
