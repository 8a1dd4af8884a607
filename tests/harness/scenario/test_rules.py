from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.scenario.load import ScenarioErrors, load

if TYPE_CHECKING:
    from pathlib import Path

PRIMARY = "registries:\n  - {name: primary}\n"
PRIVATE = "registries:\n  - {name: primary, tls: {}, auth: {type: htpasswd}}\n"
OF_O = "  - name: a\n    proxyOf: o\n"
COLD = "measure: cold_pull_p95_seconds"
WARM = "measure: warm_pull_p95_seconds"
MEMORY = "measure: registry_memory_bytes"
ROLLOUT = "measure: rollout_seconds"
POD = "measure: pod_pull_p95_seconds"
KUBERNETES = "waivers:\n  - ability: KubernetesAccess\n    reason: long enough\n"
WAIVED = "waivers:\n  - check: trust.a\n    reason: long enough\n"


def breaches(tmp_path: Path, rows: str) -> list[str]:
    """Return line, problem and remedy of each rule that the rows break; empty when accepted."""
    file = tmp_path / "some.yaml"
    file.write_text(f"version: 1\nname: some\n{rows}")
    try:
        load(file)
    except ScenarioErrors as errors:
        return [str(error).removeprefix(f"{file}:") for error in errors.errors]
    return []


@pytest.mark.parametrize(
    ("rows", "line", "problem", "remedy"),
    [
        (
            "registries:\n  - name: a\n    mirrorOf: b\n  - name: b\n",
            5,
            "a is the first registry, the one under test, but a mirror",
            "Put the registry",
        ),
        (
            "registries:\n  - name: a\n    tls:\n      certificate: expired\n",
            6,
            "a is the first registry, the one under test, but has a certificate that is expired",
            "Put the registry",
        ),
        (
            "registries:\n  - name: a\n    declaredOnNodes: false\n",
            5,
            "a is the first registry, the one under test, but nodes ignore it",
            "Put the registry",
        ),
        (f"{PRIMARY}  - name: primary\n", 5, "two registries are named primary", "of its own"),
        (
            f"{PRIMARY}  - name: a\n    tls: {{issuer: another-ca}}\n",
            6,
            "a is declared on nodes, but its issuer another-ca never is",
            "Add declaredOnNodes: false",
        ),
        (
            f"{PRIMARY}  - name: origin\n  - name: a\n    mirrorOf: orign\n",
            7,
            "a mirrors orign, which is no registry of this file",
            "Did you mean origin?",
        ),
        (f"{PRIMARY}  - name: a\n    mirrorOf: a\n", 6, "a mirrors itself", "Name another"),
        (
            f"{PRIMARY}  - {{name: a, mirrorOf: primary}}\n  - name: b\n    mirrorOf: a\n",
            7,
            "b mirrors a, which is a mirror itself",
            "such as primary",
        ),
        (
            f"{PRIMARY}  - {{name: o, declaredOnNodes: false}}\n  - name: b\n    mirrorOf: o\n",
            7,
            "b mirrors o, which nodes do not know",
            "Remove declaredOnNodes: false from o",
        ),
        (
            f"{PRIMARY}  - name: b\n    mirrorOf: primary\n    declaredOnNodes: false\n",
            7,
            "b is a mirror that nodes do not know",
            "or mirrorOf",
        ),
        (
            f"{PRIMARY}  - name: b\n    mirrorOf: docker.io\n    declaredOnNodes: false\n",
            7,
            "b is a mirror that nodes do not know",
            "or mirrorOf",
        ),
        (
            f"{PRIMARY}capabilities:\n  - trust\n  - trust\n",
            7,
            "trust stands twice in capabilities",
            "once",
        ),
        (
            f"{PRIMARY}latency:\n  sizeClasses: [1MiB, 1MiB]\n",
            6,
            "1MiB stands twice in latency.sizeClasses",
            "once",
        ),
        (
            f"{PRIMARY}targets:\n  - {{{COLD}, max: 3}}\n",
            6,
            "the target for cold_pull_p95_seconds lacks a sizeClass",
            "one of those measured: 10MiB, 100MiB",
        ),
        (
            f"{PRIMARY}targets:\n  - {{{COLD}, max: 3, sizeClass: 1MiB}}\n",
            6,
            "the target names 1MiB, which is not measured",
            "or name one of those: 10MiB, 100MiB",
        ),
        (
            (
                f"{PRIMARY}latency: {{podSizeClasses: [1MiB]}}\n{KUBERNETES}"
                f"targets:\n  - {{{POD}, max: 3, sizeClass: 10MiB}}\n"
            ),
            10,
            "the target names 10MiB, which is not measured",
            "Add it to latency.podSizeClasses, or name one of those: 1MiB",
        ),
        (
            f"{PRIMARY}targets:\n  - {{{WARM}, max: 3, sizeClass: 1MiB}}\n",
            6,
            "the target names 1MiB, which is not measured",
            "Add it to latency.sizeClasses",
        ),
        (
            f"{PRIMARY}targets:\n  - {MEMORY}\n    max: 3\n    sizeClass: 10MiB\n",
            8,
            "registry_memory_bytes is measured once, not per size class",
            "Remove sizeClass",
        ),
        (
            f"{PRIMARY}targets:\n  - {ROLLOUT}\n    max: 3\n    sizeClass: 10MiB\n",
            8,
            "rollout_seconds is measured once, not per size class",
            "Remove sizeClass",
        ),
        (
            f"{PRIMARY}targets:\n  - {{{POD}, max: 3}}\n",
            6,
            "the target for pod_pull_p95_seconds lacks a sizeClass",
            "one of those measured: 10MiB, 100MiB",
        ),
        (
            f"{PRIMARY}targets:\n  - {{{WARM}, max: 3}}\n  - {{{WARM}, max: 4}}\n",
            7,
            "warm_pull_p95_seconds has two targets for the same size class",
            "Keep one",
        ),
        (
            f"{PRIMARY}capabilities: [trust]\ntargets:\n  - {{{WARM}, max: 3}}\n",
            7,
            "warm_pull_p95_seconds has a target, but latency is not selected",
            "Add latency to capabilities",
        ),
        (
            f"{PRIMARY}{WAIVED}  - check: trust.a\n    reason: long enough\n",
            8,
            "trust.a is waived twice",
            "Keep one",
        ),
        (
            f"{PRIMARY}capabilities: [latency]\n{WAIVED}",
            7,
            "trust.a is waived, but trust is not selected",
            "Remove the waiver",
        ),
        (
            f"{PRIMARY}waivers:\n  - check: trusts.a\n    reason: long enough\n",
            6,
            "trusts.a is not the id of a check",
            "Did you mean trust?",
        ),
        (
            f"{PRIMARY}{KUBERNETES}  - ability: KubernetesAccess\n    reason: long enough\n",
            8,
            "KubernetesAccess is waived twice",
            "Keep one",
        ),
        (
            f"{PRIMARY}{WAIVED}    ability: KubernetesAccess\n",
            6,
            "the waiver names two things",
            "exactly one of the keys check and ability",
        ),
        (
            f"{PRIMARY}waivers:\n  - reason: long enough\n",
            6,
            "the waiver names neither a check nor an ability",
            "exactly one of the keys check and ability",
        ),
    ],
)
def test_rule_across_keys_names_its_line(
    tmp_path: Path, rows: str, line: int, problem: str, remedy: str
) -> None:
    [found] = breaches(tmp_path, rows)
    assert found.startswith(f"{line}: {problem}\n  remedy: ")
    assert remedy in found


@pytest.mark.parametrize(
    ("rows", "line", "problem", "remedy"),
    [
        (
            "registries:\n  - name: a\n    proxyOf: b\n  - name: b\n",
            5,
            "a is the first registry, the one under test, but a cache",
            "Put the registry",
        ),
        (
            f"{PRIMARY}  - name: a\n    proxyOf: primry\n",
            6,
            "a is a cache of primry, no registry of this file",
            "Did you mean primary?",
        ),
        (
            f'{PRIMARY}  - {{name: a, version: "3", upgradeTo: "3"}}\n',
            5,
            "a is of version 3 already",
            "Remove upgradeTo",
        ),
        (
            f'{PRIMARY}  - {{name: a, proxyOf: primary, upgradeTo: "3"}}\n',
            5,
            "a is a cache, whose content nobody has to keep",
            "Remove upgradeTo",
        ),
        (
            f'{PRIMARY}  - {{name: a, replicas: 2, upgradeTo: "3"}}\n',
            5,
            "a has several replicas",
            "or replicas",
        ),
        (f"{PRIMARY}  - name: a\n    proxyOf: a\n", 6, "a is a cache of itself", "another"),
        (
            f"{PRIMARY}  - name: o\n  - name: a\n    mirrorOf: o\n    proxyOf: primary\n",
            8,
            "a is a mirror and a cache at once",
            "Remove proxyOf",
        ),
        (
            f"{PRIMARY}  - name: a\n    proxyOf: primary\n    declaredOnNodes: false\n",
            7,
            "a is a cache that nodes do not know",
            "or proxyOf",
        ),
        (
            f"{PRIMARY}  - {{name: o, proxyOf: primary}}\n  - name: a\n    proxyOf: o\n",
            7,
            "a is a cache of o, which is a mirror or a cache itself",
            "its origin: primary",
        ),
        (
            f"{PRIMARY}  - {{name: o, declaredOnNodes: false}}\n  - name: a\n    proxyOf: o\n",
            7,
            "a is a cache of o, which nodes do not know",
            "Remove declaredOnNodes: false from o",
        ),
        (
            f"{PRIMARY}  - {{name: o, tls: {{certificate: expired}}}}\n{OF_O}",
            7,
            "a is a cache of o, whose certificate it refuses: expired",
            "valid certificate",
        ),
        (
            f"{PRIMARY}  - {{name: o, tls: {{clientCertificate: required}}}}\n{OF_O}",
            7,
            "a is a cache of o, which requires a client certificate: caches have none",
            "Remove clientCertificate",
        ),
        (
            f"{PRIVATE}  - name: a\n    proxyOf: primary\n",
            6,
            "a is a cache of primary, which has accounts, but Distribution 2.8 logs in nowhere",
            'Give a version: "3"',
        ),
        (
            f"{PRIMARY}  - {{name: b, mirrorOf: primary}}\n  - name: a\n    proxyOf: primary\n",
            7,
            "primary has a cache, but b mirrors it as well",
            "nobody mirrors",
        ),
    ],
)
def test_rule_on_caches_names_its_line(
    tmp_path: Path, rows: str, line: int, problem: str, remedy: str
) -> None:
    [found] = breaches(tmp_path, rows)
    assert found.startswith(f"{line}: {problem}")
    assert remedy in found


@pytest.mark.parametrize(
    ("target", "line", "problem", "remedy"),
    [
        (
            "measure: warm_pull_p95_seconds\n    min: 1",
            7,
            "warm_pull_p95_seconds is to be small, so it has no min",
            "Give it max",
        ),
        (
            "measure: local_speedup\n    max: 1\n    sizeClass: 1MiB",
            7,
            "local_speedup is to be large, so it has no max",
            "Give it min",
        ),
        (
            "measure: local_speedup\n    sizeClass: 1MiB",
            6,
            "the target for local_speedup lacks min",
            "Add min",
        ),
        (
            "measure: local_speedup\n    min: 5\n    sizeClass: 100MiB",
            8,
            "the target names 100MiB, which is not measured",
            "Add it to mirror.sizeClasses, or name one of those: 1MiB, 10MiB",
        ),
        (
            "measure: upstream_bytes_saved_ratio\n    min: 0.6",
            6,
            "the target for upstream_bytes_saved_ratio lacks a sizeClass",
            "1MiB, 10MiB",
        ),
    ],
)
def test_rule_on_limits_names_its_line(
    tmp_path: Path, target: str, line: int, problem: str, remedy: str
) -> None:
    [found] = breaches(tmp_path, f"{PRIMARY}targets:\n  - {target}\n")
    assert found.startswith(f"{line}: {problem}")
    assert remedy in found


def test_loop_of_mirrors_is_refused_at_both_ends(tmp_path: Path) -> None:
    loop = "  - {name: a, mirrorOf: b}\n  - {name: b, mirrorOf: a}\n"
    assert len(breaches(tmp_path, PRIMARY + loop)) == 2


@pytest.mark.parametrize(
    "rows",
    [
        f"{PRIMARY}  - {{name: a, tls: {{issuer: another-ca}}, declaredOnNodes: false}}\n",
        f"{PRIMARY}  - {{name: a, mirrorOf: primary}}\n  - {{name: b, mirrorOf: primary}}\n",
        f"{PRIMARY}  - {{name: a, mirrorOf: docker.io}}\n",
        f"{PRIMARY}  - {{name: a, proxyOf: primary}}\n  - {{name: b, link: {{rateMbit: 1}}}}\n",
        f"{PRIVATE}  - {{name: a, version: '3', proxyOf: primary}}\n",
        f"{PRIMARY}targets: [{{{WARM}, max: 3}}, {{{WARM}, max: 3, sizeClass: 10MiB}}]\n",
        f"{PRIMARY}targets: [{{{MEMORY}, max: 1.5}}]\n",
        f"{PRIMARY}targets: [{{measure: local_speedup, sizeClass: 1MiB, min: 1.5}}]\n",
        f"{PRIMARY}{WAIVED}",
        f"{PRIMARY}{WAIVED}  - {{ability: KubernetesAccess, reason: long enough}}\n",
        f"{PRIMARY}capabilities: [trust]\n{KUBERNETES}",
    ],
)
def test_sound_combination_is_accepted(tmp_path: Path, rows: str) -> None:
    assert breaches(tmp_path, rows) == []
