from __future__ import annotations

import pytest

from harness.keyring import Keyring, dockerconfigjson
from harness.oci import Reference
from harness.secret import Credentials, Secret
from harness.secret_keys import key, matching_forms, mismatched_forms

ACCOUNT = Credentials("user", Secret("hush"))
IMAGES = (
    "primary.pullproof.test:5000/kubelet/a1b2:v1",
    "registry.example.com/team/app:v1",
    "registry:5000/team/app:v1",
    "192.0.2.7:5000/team/app:v1",
)


def found(form: str, image: str) -> bool:
    secret = dockerconfigjson({key(form, image): ACCOUNT})
    return bool(Keyring.parse(secret).lookup(image))


@pytest.mark.parametrize("image", IMAGES)
def test_matching_forms_match_and_the_others_do_not(image: str) -> None:
    host = Reference.parse(image).host

    assert [form for form in matching_forms(host) if not found(form, image)] == []
    assert [form for form in mismatched_forms(host) if found(form, image)] == []


def test_name_of_one_label_has_no_patterns() -> None:
    several, one = "registry.example.com:5000", "registry:5000"

    assert set(matching_forms(several)) - set(matching_forms(one)) == {"*.{parent}{port}"}
    assert set(mismatched_forms(several)) - set(mismatched_forms(one)) == {
        "*{port}",
        "other.{parent}{port}",
    }
