"""What a run must be allowed to do in a cluster that is not its own, level by level.

The check before a run, `nox -s plan` and docs/probe-role.yaml are all made from the one table
below: `python -m harness.permissions > docs/probe-role.yaml`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Level(StrEnum):
    """How far a run goes: it looks, it works in namespaces of its own, it breaks things.

    Nothing asks for `disrupt` yet, and no right belongs to it.
    """

    OBSERVE = "observe"
    PROBE = "probe"
    DISRUPT = "disrupt"


@dataclass(frozen=True)
class Rule:
    """Verbs on one resource of an API group, which is empty for the core.

    `everywhere` is for what is not confined to the run's own namespaces. Without an `optional`
    rule a run takes place all the same: its text says what then stays unverified.
    """

    level: Level
    resource: str
    verbs: tuple[str, ...]
    why: str
    group: str = ""
    everywhere: bool = False
    optional: str = ""


@dataclass(frozen=True)
class Right:
    """One verb of a rule."""

    verb: str
    rule: Rule

    def __str__(self) -> str:
        where = "in the whole cluster" if self.rule.everywhere else "in the run's own namespaces"
        group = f".{self.rule.group}" if self.rule.group else ""
        return f"{self.verb} {self.rule.resource}{group} {where}"


@dataclass(frozen=True)
class Answer:
    """Whether the cluster grants a right."""

    right: Right
    granted: bool


class Asks(Protocol):
    """Asks the cluster whether we may do something, as KubernetesAPI.may does."""

    def __call__(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        subresource: str = "",
    ) -> bool:
        """Return whether it is granted; an empty namespace stands for all of them."""
        ...


_READ: Final = ("get", "list", "watch")

RULES: Final[tuple[Rule, ...]] = (
    Rule(Level.OBSERVE, "nodes", _READ, "which nodes there are and whether they are ready",
         everywhere=True),
    Rule(Level.OBSERVE, "pods", _READ, "how pods of the run fare on each node", everywhere=True),
    Rule(Level.OBSERVE, "events", _READ, "what kubelets tell of pulls", everywhere=True),
    Rule(Level.PROBE, "namespaces", ("list", "create", "delete"),
         "two namespaces of the run, found again by their label", everywhere=True),
    Rule(Level.PROBE, "pods", ("create", "delete", "deletecollection"), "pods that pull"),
    Rule(Level.PROBE, "secrets", ("create", "update", "delete"),
         "pull secrets of the run; none is ever read"),
    Rule(Level.PROBE, "serviceaccounts", ("get", "create"), "accounts that carry pull secrets"),
    Rule(Level.PROBE, "persistentvolumeclaims", ("get", "create", "delete"),
         "rollouts that hold a volume"),
    Rule(Level.PROBE, "deployments", (*_READ, "create", "patch", "delete"), "rollouts",
         group="apps"),
    Rule(Level.PROBE, "daemonsets", (*_READ, "create", "patch", "delete"),
         "rollouts, and pulls on every node", group="apps"),
    Rule(Level.PROBE, "nodes/proxy", ("get",), "settings and metrics of kubelets", everywhere=True,
         optional="what only kubelets themselves tell: their settings, and what they count"),
)  # fmt: skip

_HEAD: Final = """\
# What a run of pullproof may do in a cluster that is not its own, at the level *probe*.
# Written by `python -m harness.permissions`; do not edit. docs/existing-clusters.md tells how to
# bind it. Secrets are created, replaced and deleted, never read: there is no get, list or watch.
"""
_ROLE: Final = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {name}
rules:
"""
_OPTIONAL: Final = """\
---
# Optional, and strong: who may reach kubelets through the API can do much on their nodes. Without
# it stays unverified what only kubelets themselves tell.
"""


def rules(level: Level) -> tuple[Rule, ...]:
    """Return the rules of a level and of those below it."""
    levels = list(Level)
    reached = levels[: levels.index(level) + 1]
    return tuple(rule for rule in RULES if rule.level in reached)


def ask(may: Asks, level: Level, namespaces: Sequence[str]) -> tuple[Answer, ...]:
    """Ask for every right of a level; what is not asked everywhere, for all `namespaces`.

    The namespaces need not exist. Nothing is written: the reviews are not kept.
    """
    return tuple(
        Answer(right, all(_asked(may, right, each) for each in _places(right.rule, namespaces)))
        for rule in rules(level)
        for right in (Right(verb, rule) for verb in rule.verbs)
    )


def require(answers: Iterable[Answer]) -> None:
    """Raise HarnessError that names every right that is missing and not optional."""
    missing = [
        str(answer.right)
        for answer in answers
        if not answer.granted and not answer.right.rule.optional
    ]
    if missing:
        raise HarnessError(
            "nothing was written to the cluster, because its user may not: " + "; ".join(missing),
            remedy="bind the role pullproof-probe of docs/probe-role.yaml to the kubeconfig's "
            "user; `nox -s plan` shows each right",
        )


def cluster_roles() -> str:
    """Return the roles of the level probe as YAML, as they stand in docs/probe-role.yaml."""
    needed = [rule for rule in rules(Level.PROBE) if not rule.optional]
    optional = [rule for rule in rules(Level.PROBE) if rule.optional]
    return (
        _HEAD + _role("pullproof-probe", needed) + _OPTIONAL + _role("pullproof-kubelets", optional)
    )


def _role(name: str, granted: Iterable[Rule]) -> str:
    return _ROLE.format(name=name) + "".join(
        f"  # {rule.level}: {rule.why}\n"
        f'  - apiGroups: ["{rule.group}"]\n'
        f"    resources: [{rule.resource}]\n"
        f"    verbs: [{', '.join(rule.verbs)}]\n"
        for rule in granted
    )


def _places(rule: Rule, namespaces: Sequence[str]) -> Sequence[str]:
    return ("",) if rule.everywhere else namespaces


def _asked(may: Asks, right: Right, namespace: str) -> bool:
    resource, _, subresource = right.rule.resource.partition("/")
    return may(
        right.verb,
        resource,
        group=right.rule.group,
        namespace=namespace,
        subresource=subresource,
    )


if __name__ == "__main__":
    sys.stdout.write(cluster_roles())
