from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.permissions import RULES, Level, ask, cluster_roles, require, rules

PUBLISHED = Path(__file__).parents[2] / "docs" / "probe-role.yaml"
OWN = ("pullproof-x", "pullproof-x-second")


class Cluster:
    """Grants all but what it is told to refuse, and remembers what it was asked."""

    def __init__(self, *refused: tuple[str, str, str]) -> None:
        self.refused = refused
        self.asked: list[tuple[str, str, str, str, str]] = []

    def may(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        subresource: str = "",
    ) -> bool:
        self.asked.append((verb, resource, group, namespace, subresource))
        return (verb, resource, namespace) not in self.refused


def test_published_role_is_made_of_the_rules() -> None:
    assert PUBLISHED.read_text() == cluster_roles(), "write cluster_roles() to docs/probe-role.yaml"


def test_secrets_are_never_read() -> None:
    verbs = {verb for rule in RULES if rule.resource == "secrets" for verb in rule.verbs}

    assert verbs == {"create", "update", "delete"}


def test_levels_contain_those_below() -> None:
    assert set(rules(Level.OBSERVE)) < set(rules(Level.PROBE)) == set(rules(Level.DISRUPT))
    assert {verb for rule in rules(Level.OBSERVE) for verb in rule.verbs} == {
        "get",
        "list",
        "watch",
    }


def test_rights_are_asked_for_both_namespaces_or_for_all() -> None:
    cluster = Cluster()

    answers = ask(cluster.may, Level.PROBE, OWN)

    require(answers)
    assert all(answer.granted for answer in answers)
    assert ("create", "secrets", "", OWN[0], "") in cluster.asked
    assert ("create", "secrets", "", OWN[1], "") in cluster.asked
    assert ("list", "nodes", "", "", "") in cluster.asked
    assert ("get", "nodes", "", "", "proxy") in cluster.asked
    assert ("create", "deployments", "apps", OWN[0], "") in cluster.asked


def test_every_missing_right_is_named_with_a_remedy() -> None:
    cluster = Cluster(("create", "secrets", OWN[1]), ("delete", "namespaces", ""))
    answers = ask(cluster.may, Level.PROBE, OWN)

    with pytest.raises(HarnessError, match="delete namespaces in the whole cluster") as caught:
        require(answers)

    assert "create secrets in the run's own namespaces" in caught.value.problem
    assert "docs/probe-role.yaml" in caught.value.remedy


def test_optional_right_may_be_missing() -> None:
    answers = ask(Cluster(("get", "nodes", "")).may, Level.PROBE, OWN)
    proxy = [answer for answer in answers if answer.right.rule.resource == "nodes/proxy"]

    assert [answer.granted for answer in proxy] == [False]
    require(proxy)


def test_right_of_a_group_is_named_with_it() -> None:
    right = next(
        answer.right
        for answer in ask(Cluster().may, Level.PROBE, OWN)
        if answer.right.rule.resource == "deployments"
    )

    assert str(right) == "get deployments.apps in the run's own namespaces"
