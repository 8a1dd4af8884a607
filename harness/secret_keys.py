"""The keys by which a pull secret may name an image's registry, and some that name another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.oci import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

# {host} stands for name and port, {name} for the name, {port} for the port with its colon,
# {parent} for the name without its first label, {folder} for where the image lies
_MATCHING: Final = (
    *("{host}", "https://{host}", "http://{host}", "https://{host}/v1/", "https://{host}/v2/"),
    *("{host}/{folder}", "*.{parent}{port}"),
)
_MISMATCHED: Final = (
    *("{name}:1", "{host}/another/path", "https://{host}/v2/another", "*.{host}"),
    *("*{port}", "other.{parent}{port}"),
)
_OF_SEVERAL_LABELS: Final = ("*.{parent}{port}", "*{port}", "other.{parent}{port}")


def matching_forms(host: str) -> tuple[str, ...]:
    """Return the forms of keys for which the kubelet takes a secret's credentials for a host.

    Patterns need a name of several labels.
    """
    return _fitting(_MATCHING, host)


def mismatched_forms(host: str) -> tuple[str, ...]:
    """Return forms with another port, path or depth than a host's, or with too broad a pattern."""
    return _fitting(_MISMATCHED, host)


def key(form: str, image: str) -> str:
    """Return the key of a form for an image. Raises HarnessError for what is no reference."""
    reference = Reference.parse(image)
    name, colon, port = reference.host.partition(":")
    return form.format(
        host=reference.host,
        name=name,
        port=colon + port,
        parent=name.partition(".")[2],
        folder=reference.repository.rpartition("/")[0],
    )


def _fitting(forms: Sequence[str], host: str) -> tuple[str, ...]:
    several = "." in host.partition(":")[0]
    return tuple(form for form in forms if several or form not in _OF_SEVERAL_LABELS)
