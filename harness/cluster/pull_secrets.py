"""Pull secrets and service accounts of the run; nothing is ever read back from a secret."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.keyring import dockerconfigjson
from harness.kubernetes_api import KubernetesError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.kubernetes_api import Json, KubernetesAPI
    from harness.secret import Credentials, Secret

PULL_SECRET_TYPE: Final = "kubernetes.io/dockerconfigjson"  # noqa: S105 - a type, not a secret
PULL_SECRET_KEY: Final = ".dockerconfigjson"  # noqa: S105 - a key, not a secret


@dataclass(frozen=True)
class SecretContent:
    """What a Secret object holds: its type, its data by key, and whether it may change."""

    data: Mapping[str, Secret] = field(repr=False)
    type: str = PULL_SECRET_TYPE
    immutable: bool = False


def pull_secret(entries: Mapping[str, Credentials], *, immutable: bool = False) -> SecretContent:
    """Return the content of a pull secret: credentials by the registry's key."""
    return SecretContent({PULL_SECRET_KEY: dockerconfigjson(entries)}, immutable=immutable)


def create_secret(api: KubernetesAPI, namespace: str, name: str, content: SecretContent) -> None:
    """Create a secret. Raises KubernetesError, which shows nothing of the content."""
    try:
        api.create(_secrets(namespace), _object(name, content))
    except KubernetesError as error:
        raise _refusal(namespace, name, error) from None


def replace_secret(api: KubernetesAPI, namespace: str, name: str, content: SecretContent) -> None:
    """Replace a secret. Raises KubernetesError, with status 422 where it is immutable."""
    try:
        api.replace(f"{_secrets(namespace)}/{name}", _object(name, content))
    except KubernetesError as error:
        raise _refusal(namespace, name, error) from None


def delete_secret(api: KubernetesAPI, namespace: str, name: str) -> None:
    """Delete a secret; none is no error."""
    api.delete(f"{_secrets(namespace)}/{name}")


def create_service_account(
    api: KubernetesAPI, namespace: str, name: str, pull_secrets: tuple[str, ...]
) -> None:
    """Create a service account whose pods pull with these secrets."""
    account: Json = {
        "metadata": {"name": name},
        "imagePullSecrets": [{"name": secret} for secret in pull_secrets],
        "automountServiceAccountToken": False,
    }
    api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", account)


def _secrets(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets"


def _object(name: str, content: SecretContent) -> Json:
    data = {
        key: base64.b64encode(value.reveal().encode()).decode()
        for key, value in content.data.items()
    }
    return {
        "metadata": {"name": name},
        "type": content.type,
        "data": data,
        "immutable": content.immutable,
    }


def _refusal(namespace: str, name: str, error: KubernetesError) -> KubernetesError:
    """Return an error without the API's message, which may quote from what was sent."""
    return KubernetesError(
        f"the API did not take the secret {namespace}/{name}: {error.status} {error.reason}",
        status=error.status,
        reason=error.reason,
        remedy=error.remedy,
    )
