from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.keyring import Keyring, KeyringError, dockerconfigjson
from harness.secret import Credentials, Secret

HOST = "registry.example.test:5000"
IMAGE = f"{HOST}/team/app:v1"
FAST = settings(deadline=None, max_examples=60, database=None)


def credentials(name: str) -> Credentials:
    return Credentials(name, Secret(f"password of {name}"))


def offered(image: str, *keys: str) -> list[str]:
    """Return the keys, by name of user, whose credentials an image is offered."""
    secret = dockerconfigjson({key: credentials(f"user {n}") for n, key in enumerate(keys)})
    found = Keyring.parse(secret).lookup(image)
    return [keys[int(one.username.removeprefix("user "))] for one in found]


def auths(**entries: object) -> Secret:
    return Secret(json.dumps({"auths": entries}))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "key",
    [
        HOST,
        f"https://{HOST}",
        f"http://{HOST}",
        f"{HOST}/",
        f"https://{HOST}/v1/",
        f"https://{HOST}/v2/",
        f"{HOST}/v2/team",
        f"{HOST}/team",
        f"{HOST}/team/",
        f"{HOST}/team/app",
        f"{HOST}/te",
        "*.example.test:5000",
        "registry.*.test:5000",
        "*.*.*:5000",
        "reg*.example.test:5000",
        "regist[a-z]y.example.test:5000",
        "regist[^a]y.example.test:5000",
        "*.example.test:5000/team",
        f"https://someone:word@{HOST}",
        f"{HOST}?query",
        f"{HOST}#fragment",
    ],
)
def test_key_that_names_the_registry_is_offered(key: str) -> None:
    assert offered(IMAGE, key) == [key]


@pytest.mark.parametrize(
    "key",
    [
        "registry.example.test",
        "registry.example.test:",
        "registry.example.test:5001",
        "example.test:5000",
        "*.test:5000",
        "*:5000",
        "*.*.example.test:5000",
        "other.example.test:5000",
        "regist[^r]y.example.test:5000",
        "Registry.example.test:5000",
        f"{HOST}/other",
        f"{HOST}/team/app/deeper",
        f"{HOST}/Team",
        f"{HOST}/*/app",
        f"{HOST}/v1",
        f"{HOST}/v2",
        f"{HOST}/v3/",
        f"HTTPS://{HOST}",
    ],
)
def test_key_that_names_something_else_is_not_offered(key: str) -> None:
    assert offered(IMAGE, key) == []


def test_path_of_a_key_is_a_prefix_letter_by_letter() -> None:
    assert offered(f"{HOST}/team-b/app", f"{HOST}/team") == [f"{HOST}/team"]


def test_all_matches_are_offered_and_the_most_specific_first() -> None:
    keys = [
        "*.example.test:5000",
        HOST,
        f"{HOST}/team/app",
        "other.example.test:5000",
        f"{HOST}/team",
    ]
    assert offered(IMAGE, *keys) == [f"{HOST}/team/app", f"{HOST}/team", HOST, keys[0]]


def test_keys_that_mean_the_same_are_all_offered_in_their_order() -> None:
    keys = [f"https://{HOST}/v2/", HOST, f"http://{HOST}"]
    assert offered(IMAGE, *keys) == keys


@pytest.mark.parametrize(
    "image",
    [
        "busybox",
        "busybox:1",
        "team/app",
        "docker.io/team/app",
        "index.docker.io/team/app",
        "docker.io/library/busybox@sha256:" + "0" * 64,
    ],
)
def test_hub_takes_its_own_key(image: str) -> None:
    key = "https://index.docker.io/v1/"
    assert offered(image, key, HOST) == [key]
    assert offered(image, "docker.io", key) == ["docker.io"]


@pytest.mark.parametrize("key", ["https://index.docker.io/v1", "index.docker.io/team"])
def test_key_of_the_hub_with_a_path_is_never_offered(key: str) -> None:
    assert offered("docker.io/team/app", key) == []


def test_key_of_the_hub_is_not_offered_to_others() -> None:
    assert offered(IMAGE, "https://index.docker.io/v1/") == []


@pytest.mark.parametrize(
    ("image", "key", "expected"),
    [
        ("localhost/app", "localhost", True),
        ("localhost:5000/app", "localhost:5000", True),
        ("[fd00::1]:5000/app", "[fd00::1]:5000", True),
        ("[fd00::1]:5000/app", "https://[fd00::1]:5000/v2/", True),
        ("[fd00::1]:5000/app", "[fd00::2]:5000", False),
        # Without a port the brackets are taken for a pattern.
        ("[fd00::1]/app", "[fd00::1]", False),
        ("10.0.0.7:5000/app", "10.0.0.*:5000", True),
        ("registry.example.test/team/app:5000", "registry.example.test", True),
    ],
)
def test_addresses_are_matched_like_names(image: str, key: str, expected: bool) -> None:
    assert offered(image, key) == ([key] if expected else [])


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": encoded("some:word:with colon")},
        {"auth": encoded("some:word:with colon").rstrip("=")},
        {"auth": encoded("some:word:with colon")[:8] + "\n" + encoded("some:word:with colon")[8:]},
        {"username": "some", "password": "word:with colon"},
        {"Username": "some", "PASSWORD": "word:with colon", "email": "some@example.test"},
        {"username": "x", "password": "y", "auth": encoded("some:word:with colon")},
        {"username": "some", "password": "word:with colon", "auth": "", "identitytoken": 3},
        {"username": "some", "password": "word:with colon", "auth": None},
    ],
)
def test_credentials_are_read_in_every_form(entry: dict[str, object]) -> None:
    [found] = Keyring.parse(auths(**{HOST: entry})).lookup(IMAGE)
    assert found == Credentials("some", Secret("word:with colon"))


@pytest.mark.parametrize("content", ["null", "{}", '{"auths": null}', '{"auths": {}}'])
def test_secret_without_entries_offers_nothing(content: str) -> None:
    assert Keyring.parse(Secret(content)).lookup(IMAGE) == ()


@pytest.mark.parametrize("entry", [None, {}])
def test_empty_entry_offers_empty_credentials(entry: object) -> None:
    assert Keyring.parse(auths(**{HOST: entry})).lookup(IMAGE) == (Credentials("", Secret("")),)


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (Secret(""), "is not JSON"),
        (Secret("hunter2{"), "is not JSON"),
        (Secret("[" * 100_000), "is not JSON"),
        (Secret('["hunter2"]'), "the pull secret is not a JSON object"),
        (Secret('{"auths": ["hunter2"]}'), "auths is not a JSON object"),
        (auths(reg="hunter2"), "the entry reg of the pull secret is not a JSON object"),
        (auths(reg={"username": 3}), "username in the entry reg of the pull secret is not a text"),
        (auths(reg={"password": ["hunter2"]}), "password in the entry reg"),
        (auths(reg={"auth": "hunter2"}), "auth in the entry reg of the pull secret is not base64"),
        (auths(reg={"auth": "hunter2="}), "is not base64"),
        (auths(reg={"auth": "aHVudGVyMg"}), "is not base64 of user:password"),
        (auths(reg={"auth": "/zpodW50ZXIy"}), "is not base64"),
        (auths(**{"": {}}), "is no address"),
        (auths(**{"https://": {}}), "is no address"),
        (auths(**{"reg:port": {}}), "the key 'reg:port' of the pull secret is no address"),
        (auths(**{"a b": {}}), "is no address"),
        (auths(**{"reg:*": {}}), "is no address"),
        (auths(**{"https://u:hunter2@reg:port": {}}), "the key 'reg:port'"),
        (auths(**{"https://u:hunter2@reg": 3}), "the entry reg of"),
    ],
)
def test_malformed_secret_is_refused_without_showing_it(secret: Secret, problem: str) -> None:
    with pytest.raises(KeyringError) as caught:
        Keyring.parse(secret)
    assert problem in str(caught.value)
    assert caught.value.remedy
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_is_no_reference_is_refused() -> None:
    with pytest.raises(HarnessError, match="not an image reference"):
        Keyring(()).lookup("Not An Image")


def test_user_with_a_colon_cannot_be_written() -> None:
    with pytest.raises(KeyringError, match="colon") as caught:
        dockerconfigjson({"https://u:hunter2@reg": Credentials("a:b", Secret("hunter2"))})
    assert "hunter2" not in str(caught.value)


def test_keyring_hides_its_passwords() -> None:
    keyring = Keyring.parse(dockerconfigjson({HOST: Credentials("some", Secret("hunter2"))}))
    assert "hunter2" not in repr(keyring) + str(keyring)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LABELS = st.text("abc-0", min_size=1, max_size=4).filter(lambda text: text.strip("-") == text)
HOSTS = st.builds(
    lambda labels, port: ".".join(labels) + f":{port}",
    st.lists(LABELS, min_size=1, max_size=4),
    st.integers(1, 65535),
)


@FAST
@given(user=TEXTS.filter(lambda text: ":" not in text), password=TEXTS)
def test_what_is_written_is_read_again(user: str, password: str) -> None:
    given_credentials = Credentials(user, Secret(password))
    keyring = Keyring.parse(dockerconfigjson({HOST: given_credentials}))
    assert keyring.lookup(IMAGE) == (given_credentials,)


@FAST
@given(host=HOSTS, other=HOSTS, data=st.data())
def test_pattern_matches_hosts_of_its_own_depth_and_port(
    host: str, other: str, data: st.DataObject
) -> None:
    labels = host.partition(":")[0].split(".")
    wild = [data.draw(st.sampled_from([label, "*", label[0] + "*"])) for label in labels]
    pattern = ".".join(wild) + ":" + host.partition(":")[2]
    assert offered(f"{host}/app", pattern) == [pattern]
    if other.count(".") != host.count(".") or other.partition(":")[2] != host.partition(":")[2]:
        assert offered(f"{other}/app", pattern) == []


@FAST
@given(keys=st.lists(HOSTS.map(lambda host: f"{host}/a") | HOSTS | st.just(HOST), unique=True))
def test_order_of_a_secret_does_not_matter(keys: list[str]) -> None:
    assert offered(IMAGE, *keys) == offered(IMAGE, *reversed(keys))


@FAST
@given(content=st.text(max_size=40) | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_content_is_read_or_refused(content: str) -> None:
    try:
        keyring = Keyring.parse(Secret(content))
    except KeyringError as error:
        refused = error
    else:
        assert keyring.lookup(IMAGE) == ()
        return
    assert refused.remedy
