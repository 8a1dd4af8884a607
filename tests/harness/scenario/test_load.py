from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, HarnessError
from harness.scenario.load import LIMIT_BYTES, ScenarioErrors, load

SCENARIOS = Path(__file__).parents[3] / "scenarios"
HEAD = "version: 1\nname: some\n"
PRIMARY = "registries:\n  - {name: primary, tls: {}}\n"


def refusal(tmp_path: Path, content: str | bytes) -> list[tuple[int, str, str]]:
    """Load a file that must be refused; return line, problem and remedy of each error."""
    file = tmp_path / "some.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ScenarioErrors) as caught:
        load(file)
    for error in caught.value.errors:
        assert isinstance(error, ConfigurationError)
        assert str(error) in str(caught.value)
        assert str(error).startswith(f"{file}:{error.line}: ")
        assert error.remedy
    prefix = f"{file}:"
    return [
        (error.line, error.problem.removeprefix(f"{prefix}{error.line}: "), error.remedy)
        for error in caught.value.errors
    ]


def problem_of(tmp_path: Path, content: str | bytes) -> tuple[int, str, str]:
    """Load a file that must be refused for one reason."""
    [error] = refusal(tmp_path, content)
    return error


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_scenario_is_accepted_and_named_after_its_file(file: Path) -> None:
    loaded = load(file)
    assert loaded.scenario.name == file.stem
    assert loaded.path == file
    assert loaded.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_defaults_fill_what_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(HEAD + PRIMARY)
    scenario = load(file).scenario
    assert scenario.cluster.nodes == 3
    assert scenario.primary.tls is not None
    assert scenario.primary.tls.issuer == "private-ca"


def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + PRIMARY).replace("\n", "\r\n").encode())
    assert load(file).scenario.name == "some"


def test_missing_file_is_refused_and_its_neighbour_suggested(tmp_path: Path) -> None:
    (tmp_path / "smoke.yaml").write_text(HEAD + PRIMARY)
    with pytest.raises(ScenarioErrors, match="cannot be read: No such file") as caught:
        load(tmp_path / "smoek.yaml")
    assert f"Did you mean {tmp_path / 'smoke.yaml'}?" in str(caught.value)


def test_missing_file_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioErrors, match="cannot be read"):
        load(tmp_path / "nowhere" / "some.yaml")


@pytest.mark.parametrize("name", ["a\0b", "a\0b/some.yaml", "x" * 300 + "/some.yaml"])
def test_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(ScenarioErrors, match="cannot be read"):
        load(Path(name))


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioErrors, match="this is not a file"):
        load(tmp_path)


def test_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ScenarioErrors, match="this is not a file"):
        load(tmp_path / "pipe")


def test_huge_file_is_refused(tmp_path: Path) -> None:
    _, problem, _ = problem_of(tmp_path, "#" * (LIMIT_BYTES + 1))
    assert problem == f"the file is larger than {LIMIT_BYTES} bytes"


def test_errors_are_harness_errors_with_a_paragraph_each_in_the_order_of_lines(
    tmp_path: Path,
) -> None:
    file = tmp_path / "some.yaml"
    file.write_text("version: 1\nnmae: x\nname: y\ncluster: {nodes: 0}\nregistries: []\n")
    with pytest.raises(HarnessError) as caught:
        load(file)
    paragraphs = str(caught.value).split("\n\n")
    assert [paragraph.split(":")[1] for paragraph in paragraphs] == ["2", "4", "5"]
    assert all("remedy: " in paragraph for paragraph in paragraphs)


@pytest.mark.parametrize(
    ("content", "line", "problem", "remedy"),
    [
        ("", 1, "the file is empty", "smoke.yaml"),
        ("# only a remark\n", 1, "the file is empty", ""),
        ("---\n", 2, "the scenario has no value", ""),
        ("[]", 1, "the scenario cannot be an empty list", "a mapping with the keys version"),
        ("- 1", 1, "the scenario cannot be a list", ""),
        ("3", 1, "the scenario cannot be the number 3", ""),
        (b"version: 1\nname: \xff\n", 2, "the file is not UTF-8 text", "UTF-8"),
        ("version: 1\nname: \x01\n", 2, "the file holds a control character", "Remove"),
        ("version: [1\nname: x\n", 2, "this is not valid YAML", "brackets"),
        ("version: 1\ncluster:\n\tnodes: 3\n", 3, "this is not valid YAML", "Indent with spaces"),
        ("- [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", 1, "this is nested too deep", ""),
        ("[" * 20000, 1, "this is nested too deep", ""),
        ("? " * 30000, 1, "a key is not a text", ""),
    ],
)
def test_file_that_is_no_scenario_is_refused(
    tmp_path: Path, content: str | bytes, line: int, problem: str, remedy: str
) -> None:
    found = problem_of(tmp_path, content)
    assert found[0] == line
    assert found[1].startswith(problem)
    assert remedy in found[2]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (f"{HEAD}{PRIMARY}---\nversion: 1\n", 5, "a second YAML document begins here"),
        (f"%YAML 1.1\n---\n{HEAD}{PRIMARY}", 2, "YAML directives (lines that begin with %)"),
        (f"%TAG ! !x\n---\n{HEAD}{PRIMARY}", 2, "YAML directives (lines that begin with %)"),
        (f"{HEAD}{PRIMARY}name: two\n", 5, "the key name stands twice, first on line 2"),
        (f"{HEAD}{PRIMARY}name: {{a: [1]}}\n", 5, "the key name stands twice, first on line 2"),
        (f"{HEAD}{PRIMARY}? [a]\n: {{b: c}}\n", 5, "a key is not a text"),
        (f"{HEAD}{PRIMARY}? {{a: b}}\n: c\n", 5, "a key is not a text"),
        (f"{HEAD}{PRIMARY}<<: {{a: b}}\n", 5, "the merge key << is not allowed"),
        (f"{HEAD}{PRIMARY}!!str latency: {{}}\n", 5, "the tag !!str is not allowed"),
        (f"{HEAD}{PRIMARY}&k latency: {{}}\n", 5, "the anchor &k is not allowed"),
        (f"{HEAD}{PRIMARY}latency: &x {{}}\n", 5, "the anchor &x at latency is not allowed"),
        (f"{HEAD}{PRIMARY}latency: *x\n", 5, "the alias *x at latency is not allowed"),
        (f"{HEAD}{PRIMARY}latency: !x {{}}\n", 5, "the tag !x at latency is not allowed"),
        (f"{HEAD}{PRIMARY}latency: !!map {{}}\n", 5, "the tag !!map at latency is not allowed"),
        (f"{HEAD}{PRIMARY}cluster:\n  nodes: !!int 3\n", 6, "the tag !!int at cluster.nodes"),
        (f"{HEAD}{PRIMARY}latency:\n", 5, "latency has no value"),
        (f"{HEAD}{PRIMARY}waivers: [~]\n", 5, "waivers[0] has no value"),
    ],
)
def test_language_beyond_plain_data_is_refused(
    tmp_path: Path, content: str, line: int, problem: str
) -> None:
    found = problem_of(tmp_path, content)
    assert found[0] == line
    assert found[1].startswith(problem)


def test_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12)]
    problems = [problem for _, problem, _ in refusal(tmp_path, "\n".join(rows))]
    assert "the anchor &a11 at a11 is not allowed" in problems


@pytest.mark.parametrize(
    ("row", "problem", "remedy"),
    [
        ("nodes: 3", "nodes is not a key of the scenario", "The keys of the scenario are version"),
        ("capabilites: [trust]", "capabilites is not a key", "Did you mean capabilities?"),
        ("cluster: {node: 3}", "cluster.node is not a key of cluster", "Did you mean nodes?"),
        ("latency: {size_classes: [1MiB]}", "latency.size_classes is not", "sizeClasses"),
        ('cluster: {nodes: "3"}', 'cluster.nodes cannot be the text "3"', "without quotes"),
        ("cluster: {nodes: three}", "cluster.nodes cannot be", "whole number from 1 to 9"),
        ("cluster: {nodes: 3.0}", "cluster.nodes cannot be the number 3.0", "whole number"),
        ("cluster: {nodes: true}", "cluster.nodes cannot be true", "whole number"),
        ("cluster: {nodes: 0}", "cluster.nodes cannot be the number 0", "from 1 to 9"),
        ("cluster: {nodes: 10}", "cluster.nodes cannot be the number 10", "from 1 to 9"),
        ("cluster: {nodes: [3]}", "cluster.nodes cannot be a list", "whole number"),
        ("cluster: {containerd: 1.7}", "cluster.containerd cannot be", 'in quotes: "1.7"'),
        ("cluster: {containerd: 9}", "cluster.containerd cannot be the number 9", '"2.1"'),
        ("cluster: {provider: contained}", "cluster.provider", "Did you mean containerd?"),
        ("cluster: containerd", 'cluster cannot be the text "containerd"', "a mapping with"),
        ("capabilities: trust", "capabilities cannot be", "a list of one entry or more"),
        ("capabilities: []", "capabilities cannot be an empty list", "one entry or more"),
        ("capabilities: {trust: true}", "capabilities cannot be a mapping", "a list of"),
        ("capabilities: [pull-secrets]", "capabilities[0]", "Did you mean pull_secrets?"),
        ("targets: 3", "targets cannot be the number 3", "a list of entries"),
        ("targets: [{measure: warm_pull_p95_seconds, max: 0}]", "targets[0].max cannot", "above"),
        ("targets: [{measure: warm_pull_p95_seconds, max: .inf}]", "targets[0].max", "above"),
        ("targets: [{measure: warm_pull_p95_seconds, max: .nan}]", "targets[0].max", "above"),
        ('targets: [{measure: warm_pull_p95_seconds, max: "3"}]', "targets[0].max", "quotes"),
        ("waivers: [{check: trust.a, reason: short}]", "waivers[0].reason", "10 characters"),
        ("waivers: [{check: trust, reason: long enough}]", "waivers[0].check", "id of a check"),
        (
            "waivers: [{ability: KubernetsAccess, reason: long enough}]",
            "waivers[0].ability",
            "Did you mean KubernetesAccess?",
        ),
        (f"latency: {{samples: {'x' * 99}}}", "latency.samples cannot be the text", "whole"),
    ],
)
def test_structure_that_is_wrong_is_refused(
    tmp_path: Path, row: str, problem: str, remedy: str
) -> None:
    found = problem_of(tmp_path, f"{HEAD}{PRIMARY}{row}\n")
    assert found[0] == 5
    assert found[1].startswith(problem)
    assert remedy in found[2]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("{}", ["lacks the key version", "lacks the key name", "lacks the key registries"]),
        (f"{HEAD}registries: [3, x]\n", ["registries[0] cannot be", "registries[1] cannot be"]),
        (
            f"{HEAD}registries:\n  - {{name: a, declaredOnNodes: yes}}\n  - {{tls: {{x: 1}}}}\n",
            ["registries[0].declaredOnNodes", "registries[1] lacks", "registries[1].tls.x"],
        ),
        (f"version: '1'\nname: some\n{PRIMARY}", ['version cannot be the text "1"']),
        (f"version: true\nname: some\n{PRIMARY}", ["version cannot be true"]),
        (f"version: 1.0\nname: some\n{PRIMARY}", ["version cannot be the number 1.0"]),
        (f"version: 2\nname: some\n{PRIMARY}", ["version cannot be the number 2"]),
        (f"version: 1\nname: No_Name\n{PRIMARY}", ['name cannot be the text "No_Name"']),
    ],
)
def test_all_problems_are_told_at_once(tmp_path: Path, content: str, problems: list[str]) -> None:
    found = [problem for _, problem, _ in refusal(tmp_path, content)]
    assert len(found) == len(problems)
    for problem in problems:
        assert any(problem in one for one in found)


def test_rules_are_judged_beside_a_broken_section(tmp_path: Path) -> None:
    content = (
        f"{HEAD}registries:\n  - {{name: a}}\n  - {{name: a}}\n"
        "latency: {samples: 0}\n"
        "targets: [{measure: cold_pull_p95_seconds, max: 3, sizeClass: 1MiB}]\n"
    )
    found = [(line, problem) for line, problem, _ in refusal(tmp_path, content)]
    # Whether 1MiB is measured waits for latency to be mended.
    assert found == [
        (5, "two registries are named a"),
        (6, "latency.samples cannot be the number 0"),
    ]


def test_loading_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(HEAD + PRIMARY)
    load(file)
    assert [path.name for path in tmp_path.iterdir()] == ["some.yaml"]
