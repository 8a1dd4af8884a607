"""The house stands: imports point downward only, and its few rules hold everywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from noxfile import PURE

CHECKOUT = Path(__file__).parents[2]

# A module may import modules of its own layer and of the layers below it. Names are module
# paths below harness/; the longest that fits decides.
LAYERS = (
    ("errors", "secret", "findings", "sleeper", "oci", "keyring", "hosts_toml", "diagnosis"),
    ("secret_keys", "large_layer", "retention"),
    ("scenario", "history", "permissions", "snapshot"),
    ("cluster.protocols", "cluster.pod_events", "registry.protocols", "registry.access_log"),
    ("registry.haproxy", "registry.inventory_model", "monitoring.protocols"),
    ("cluster.rollout_model", "cluster.rollout_state", "cluster.kubelet_model"),
    ("result", "checks", "measure", "report"),
    ("command", "pool", "wait", "home", "machine"),
    ("trust", "debian", "golang", "distribution_api", "kubernetes_api", "cri"),
    ("engine", "tools"),
    ("images",),
    ("lifecycle", "cluster.namespaces"),
    ("cluster", "registry", "workload", "load", "faults", "fleet", "clients"),
    ("upgrade", "monitoring"),
    ("lab",),
    ("acceptance", "plan"),
)

# What a pure module must not import: it takes data and gives data.
OUTSIDE_WORLD = (
    *("docker", "grpc", "http.client", "http.server", "kubernetes", "pyroute2", "requests"),
    *("socket", "ssl", "subprocess", "testcontainers", "urllib.request", "urllib3"),
)


def _sources(*folders: str) -> list[Path]:
    files = [file for folder in folders for file in sorted((CHECKOUT / folder).rglob("*.py"))]
    assert files
    return files


def _imports(file: Path, *, types_too: bool = False) -> set[str]:
    """Return what a module imports at run time, function-level imports included."""
    tree = ast.parse(file.read_text())
    if not types_too:
        tree.body = [node for node in tree.body if not _is_type_checking(node)]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _attributes(file: Path) -> set[str]:
    """Return dotted names that a module uses, such as `time.sleep`."""
    tree = ast.parse(file.read_text())
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _pure_modules() -> list[Path]:
    """Return the modules whose full coverage is demanded."""
    files = {pattern: sorted((CHECKOUT / "harness").glob(pattern)) for pattern in PURE}
    assert all(files.values()), "noxfile.py names a pure module that does not exist"
    return [file for group in files.values() for file in group if file.suffix == ".py"]


def _is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _layer(module: str) -> int:
    fitting = [
        (len(name), height)
        for height, names in enumerate(LAYERS)
        for name in names
        if f"{module}.".startswith(f"harness.{name}.")
    ]
    assert fitting, f"{module} stands in no layer; add it to LAYERS and docs/architecture.md"
    return max(fitting)[1]


def _module(file: Path) -> str:
    return ".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("file", _sources("harness"), ids=_module)
def test_harness_imports_only_its_own_layer_and_below(file: Path) -> None:
    if (module := _module(file)) == "harness":
        return
    imported = {name for name in _imports(file) if name.startswith("harness.")}
    breaches = {name for name in imported if _layer(name) > _layer(module)}
    assert not breaches


@pytest.mark.parametrize("file", _sources("harness"), ids=_module)
def test_harness_knows_neither_pytest_nor_what_stands_above_it(file: Path) -> None:
    above = {"pytest", "fixtures", "suites", "tests"}
    assert not {name for name in _imports(file, types_too=True) if name.split(".")[0] in above}


@pytest.mark.parametrize("file", _sources("fixtures", "suites"), ids=_module)
def test_nobody_outside_the_tests_imports_upward(file: Path) -> None:
    above = {"tests"} | ({"suites"} if _module(file).startswith("fixtures") else set())
    assert not {name for name in _imports(file, types_too=True) if name.split(".")[0] in above}


@pytest.mark.parametrize("file", _sources("harness/registry", "harness/cluster"), ids=_module)
def test_cluster_and_registry_do_not_know_each_others_providers(file: Path) -> None:
    own, other = ("registry", "cluster") if "registry" in file.parts else ("cluster", "registry")
    foreign = {name for name in _imports(file) if name.startswith(f"harness.{other}")}
    allowed = ("harness.cluster.protocols",) if own == "registry" else ()
    assert not {name for name in foreign if not name.startswith(allowed or ("-",))}


@pytest.mark.parametrize("file", _sources("harness", "fixtures", "suites", "tests"), ids=_module)
def test_only_one_place_starts_processes_and_only_one_sleeps(file: Path) -> None:
    imports = _imports(file)
    if _module(file) != "harness.command":
        assert not {name for name in imports if name.startswith("subprocess.run")}
        assert "subprocess" not in imports or "tests" in file.parts
    if _module(file) != "harness.wait":
        assert "time.sleep" not in imports
        assert "time.sleep" not in _attributes(file)


@pytest.mark.parametrize("file", _sources("harness", "fixtures", "suites"), ids=_module)
def test_only_one_place_makes_pools_of_threads(file: Path) -> None:
    made = "concurrent.futures.ThreadPoolExecutor"
    assert _module(file) == "harness.pool" or made not in _imports(file)


@pytest.mark.parametrize("file", _pure_modules(), ids=_module)
def test_pure_modules_do_not_reach_the_outside_world(file: Path) -> None:
    doors = tuple(f"{module}." for module in OUTSIDE_WORLD)
    assert not {name for name in _imports(file) if f"{name}.".startswith(doors)}
    assert {"os.environ", "os.getenv"}.isdisjoint(_imports(file) | _attributes(file))


@pytest.mark.parametrize("file", _sources("suites"), ids=_module)
def test_checks_are_judged_by_checkers_and_never_by_assert(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
