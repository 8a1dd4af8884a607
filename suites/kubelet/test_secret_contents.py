"""Contents of pull secrets: what cannot change, and what no credentials can be taken from."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from harness import checks
from harness.cluster.pull_secrets import PULL_SECRET_KEY, SecretContent, pull_secret
from harness.diagnosis import FailureCode
from harness.keyring import dockerconfigjson
from harness.lab import credentials_of
from harness.scenario import kinds
from harness.secret import Credentials, Secret

if TYPE_CHECKING:
    from fixtures.pods import Pods
    from fixtures.recorder import Judge
    from fixtures.workload import Publish
    from harness.lab import Lab

REFUSED = FailureCode.AUTHENTICATION


def test_immutable_secret_goes_on_as_it_was(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """An immutable secret cannot be changed and pulls afterwards; another one takes the change."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    right = {registry.host: credentials_of(registry)}
    wrong = {registry.host: Credentials("nobody", lab.new_password())}
    immutable = pods.secret_with(pull_secret(right, immutable=True))
    status = pods.refusal_of_change(immutable, wrong)
    judge(checks.secret_refused("a change of an immutable secret", status))
    judge(checks.all_succeeded(pods.pull(publish(registry).reference, immutable)))
    changing = pods.secret(right)
    pods.change(changing, wrong)
    judge(checks.all_refused(pods.pull(publish(registry).reference, changing), REFUSED))


def test_pull_secret_that_is_no_json_object_is_refused_by_the_api(
    lab: Lab, pods: Pods, judge: Judge
) -> None:
    """What can never be read as a pull secret does not get into the cluster."""
    right = dockerconfigjson({"r.test": Credentials("nobody", lab.new_password())}).reveal()
    contents = {
        "a pull secret without its key": {"config.json": right},
        "a pull secret that is no JSON": {PULL_SECRET_KEY: right[1:]},
        "a pull secret that is a list": {PULL_SECRET_KEY: "[]"},
        "a pull secret that was encoded twice": {PULL_SECRET_KEY: _base64(right)},
    }
    for words, data in contents.items():
        content = SecretContent({key: Secret(value) for key, value in data.items()})
        judge(checks.secret_refused(words, pods.refusal_of(content)))


def test_malformed_pull_secrets_are_refused(
    lab: Lab, publish: Publish, pods: Pods, judge: Judge
) -> None:
    """What the API lets through and no credentials can be taken from fails as authentication."""
    registry = lab.find(kinds.WITH_ACCOUNTS)
    cases = {
        words: (publish(registry).reference, pods.secret_with(content))
        for words, content in _malformed(registry.host, credentials_of(registry)).items()
    }
    for words, pulls in pods.pull_each(cases):
        judge(checks.in_case(words, checks.all_refused(pulls, REFUSED)))
    pulls = pods.pull(publish(registry).reference, "no-such-secret", secrets_exist=False)
    judge(checks.in_case("no secret of that name", checks.all_refused(pulls, REFUSED)))


def _malformed(host: str, credentials: Credentials) -> dict[str, SecretContent]:
    """Return contents with the right credentials in a wrong form, by what is wrong with them."""
    right = dockerconfigjson({host: credentials})
    user, password = credentials.username, credentials.password.reveal()
    entries = {
        "its auth is not base64": {host: {"auth": f"{user}:{password}"}},
        "its auth lacks the colon": {host: {"auth": _base64(user + password)}},
        "its password ends with a new line": {
            host: {"username": user, "password": f"{password}\n"}
        },
        "its entry is no object": {host: f"{user}:{password}"},
        "it has no entries": {},
    }
    documents: dict[str, object] = {words: {"auths": value} for words, value in entries.items()}
    documents["its entries are a list"] = {"auths": [host]}
    documents["it has the form of .dockercfg"] = json.loads(right.reveal())["auths"]
    return {
        "it is of the type Opaque": SecretContent({PULL_SECRET_KEY: right}, type="Opaque"),
        **{
            words: SecretContent({PULL_SECRET_KEY: Secret(json.dumps(document))})
            for words, document in documents.items()
        },
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
