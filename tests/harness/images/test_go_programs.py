from __future__ import annotations

import dataclasses

from harness.images.go_programs import module_file, stamp
from harness.images.model import Image
from harness.images.recipe import Kubernetes, load_recipes

PUBLISHED = """\
module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

require (
	k8s.io/api v0.0.0
	k8s.io/klog/v2 v2.140.0
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/kubectl => ./staging/src/k8s.io/kubectl
)
"""


def kubernetes(version: str = "1.36.3") -> Kubernetes:
    known = load_recipes()[Image.KIND_NODE_1_36].kubernetes
    assert known is not None
    return dataclasses.replace(known, version=version, etcd="3.6.8", coredns="1.14.2")


def test_libraries_have_the_version_that_belongs_to_their_kubernetes() -> None:
    lines = [line.strip() for line in module_file(kubernetes("1.35.4"), PUBLISHED).splitlines()]

    assert "k8s.io/api => k8s.io/api v0.35.4" in lines
    assert "k8s.io/kubectl => k8s.io/kubectl v0.35.4" in lines
    assert not [line for line in lines if "staging" in line or "klog" in line]


def test_language_settings_are_those_that_are_published() -> None:
    lines = module_file(kubernetes(), PUBLISHED).splitlines()

    assert "go 1.26.0" in lines
    assert "godebug default=go1.26" in lines


def test_other_programs_have_the_versions_of_the_recipe() -> None:
    lines = [line.strip() for line in module_file(kubernetes(), PUBLISHED).splitlines()]

    assert "k8s.io/kubernetes v1.36.3" in lines
    assert "go.etcd.io/etcd/server/v3 v3.6.8" in lines
    assert "github.com/coredns/coredns v1.14.2" in lines


def test_minor_version_is_what_scenarios_choose() -> None:
    assert kubernetes("1.36.3").minor == "1.36"


def test_program_is_compiled_again_only_when_what_it_is_made_of_has_changed() -> None:
    first = kubernetes()
    second = dataclasses.replace(first, sources=(*first.sources, ("agent/more.go", "package main")))

    assert stamp("agent", first) != stamp("agent", second)
    assert stamp("etcd", first) == stamp("etcd", second)


def test_what_programs_share_changes_all_of_them() -> None:
    first = kubernetes()
    second = dataclasses.replace(first, sources=(*first.sources, ("firewall/more.go", "x")))

    assert stamp("agent", first) != stamp("agent", second)
    assert stamp("etcd", first) != stamp("etcd", second)


def test_another_version_is_another_program() -> None:
    assert stamp("etcd", kubernetes("1.36.3")) != stamp("etcd", kubernetes("1.35.4"))
