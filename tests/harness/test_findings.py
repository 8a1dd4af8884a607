from __future__ import annotations

from harness.findings import Code, ContractBroken, Finding


def test_finding_reads_as_what_where_and_what_to_do() -> None:
    finding = Finding(Code.PULL_FAILED, "node-1", "no route", "add a route")

    assert str(finding) == "pull-failed at node-1: no route\n    remedy: add a route"


def test_finding_without_remedy_has_one_line() -> None:
    assert str(Finding(Code.WRONG_PATH, "node-2", "asked nobody")) == (
        "wrong-path at node-2: asked nobody"
    )


def test_broken_contract_tells_all_findings() -> None:
    findings = [Finding(Code.PULL_FAILED, node, "no route") for node in ("node-1", "node-2")]

    broken = ContractBroken(findings)

    assert broken.findings == tuple(findings)
    assert str(broken) == "pull-failed at node-1: no route\npull-failed at node-2: no route"
