"""Nodes that take another way to a registry than they are meant to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.findings import Code
from harness.hosts_toml import Host
from harness.lab import ability
from harness.registry.protocols import HasUndeclaredName
from harness.scenario import kinds
from tests.sabotage.breaking import as_declared, declare, node_2, restart_registry
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from harness.lab import Lab
    from tests.sabotage.breaking import Document

NODE_2 = frozenset({"node-2"})


def _leave_the_first_mirror_out(lab: Lab) -> None:
    origin, _, second = map(as_declared, lab.mirrored())
    declare(node_2(lab), lab.mirrored()[0].host, origin, second)


def _swap_the_mirrors(lab: Lab) -> None:
    origin, first, second = map(as_declared, lab.mirrored())
    declare(node_2(lab), lab.mirrored()[0].host, origin, second, first)


def _put_a_mirror_in_the_origins_place(lab: Lab) -> None:
    _, first, second = map(as_declared, lab.mirrored())
    declare(node_2(lab), lab.mirrored()[0].host, second, first)


def _resolve_without_the_first_mirror(lab: Lab) -> None:
    origin, first, second = map(as_declared, lab.mirrored())
    only_pull = replace(first, capabilities=("pull",))
    declare(node_2(lab), lab.mirrored()[0].host, origin, only_pull, second)


def _declare_plain_http_for_the_other_name(lab: Lab) -> None:
    host = ability(lab.find(kinds.PLAIN_HTTP), HasUndeclaredName).undeclared_host
    declare(node_2(lab), host, Host(f"http://{host}"))


def _send_uploads_over_plain_http(lab: Lab) -> None:
    """Configure what registries behind a proxy that ends TLS often say of themselves."""
    _, _, second = lab.mirrored()

    def forget_tls(document: Document) -> None:
        document["http"]["host"] = f"http://{second.host}"

    restart_registry(second, forget_tls)


CASES = (
    Case(
        name="node-lacks-the-first-mirror",
        suite="trust",
        sabotage=Sabotage(lab_started=_leave_the_first_mirror_out),
        turns_red={
            "trust.mirror-serves-what-only-it-has": Code.PULL_FAILED,
            "trust.first-mirror-comes-before-all-others": Code.WRONG_PATH,
            "trust.origin-serves-what-mirrors-lack": Code.WRONG_PATH,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-has-its-mirrors-in-another-order",
        suite="trust",
        sabotage=Sabotage(lab_started=_swap_the_mirrors),
        turns_red={"trust.first-mirror-comes-before-all-others": Code.WRONG_PATH},
        subjects=NODE_2,
    ),
    Case(
        name="node-never-asks-the-origin",
        suite="trust",
        sabotage=Sabotage(lab_started=_put_a_mirror_in_the_origins_place),
        turns_red={"trust.origin-serves-what-mirrors-lack": Code.PULL_FAILED},
        subjects=NODE_2,
    ),
    Case(
        name="node-resolves-tags-without-the-first-mirror",
        suite="trust",
        sabotage=Sabotage(lab_started=_resolve_without_the_first_mirror),
        turns_red={
            "trust.mirror-serves-what-only-it-has": Code.PULL_FAILED,
            "trust.first-mirror-comes-before-all-others": Code.WRONG_PATH,
        },
        subjects=NODE_2,
    ),
    Case(
        name="node-takes-plain-http-under-an-undeclared-name",
        suite="trust",
        sabotage=Sabotage(lab_started=_declare_plain_http_for_the_other_name),
        turns_red={"trust.undeclared-plain-http-is-refused": Code.PULL_ACCEPTED},
        subjects=NODE_2,
    ),
    Case(
        name="registry-sends-uploads-over-plain-http",
        suite="trust",
        sabotage=Sabotage(lab_started=_send_uploads_over_plain_http),
        turns_red={
            "trust.uploads-stay-on-their-scheme-and-host": Code.UPLOAD_LOCATION,
            "trust.first-mirror-comes-before-all-others": Code.PUSH_FAILED,
        },
        subjects=frozenset({"second-mirror.pullproof.test:5000"}),
    ),
)
