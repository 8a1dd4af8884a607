"""Lost and forged signatures: what the suite `supply_chain` must see through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.clients.container import WORK_FOLDER, ContainerWorkspace, ToolsContainer
from harness.clients.signing import Cosign, Notation
from harness.findings import Code
from harness.machine import CHECKOUT
from harness.workload import TAG
from tests.sabotage.breaking import distribution
from tests.sabotage.case import Case
from tests.sabotage.integrity_cases import REPOSITORIES, TAKE_BACK
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.lab import Lab
    from harness.workload import Published

SCENARIO: Final = CHECKOUT / "tests/sabotage/supply_chain.yaml"
PRIMARY: Final = "primary.pullproof.test:5000"
VERSION_3: Final = "version-3.pullproof.test:5000"

SIGNED: Final = "supply_chain.signed-image-is-verified"
UNSIGNED: Final = "supply_chain.unsigned-image-is-refused"
STRANGER: Final = "supply_chain.signature-of-a-stranger-is-refused"
CHANGED: Final = "supply_chain.image-that-was-changed-is-refused"
ATTACHED: Final = "supply_chain.attachments-are-listed"
COPIED: Final = "supply_chain.copied-image-is-verified"

# Tags that nobody gave by hand: signatures, and lists of what refers to an image.
REMOVE_STRANGE_TAGS: Final = 'rm -rf "$1"/sha256-*'


def _remove_strange_tags(lab: Lab, published: Published) -> None:
    """Do what a cleaner does that keeps only tags of versions."""
    _run_where_pushed(lab, published, REMOVE_STRANGE_TAGS, _tags(published))


def _remove_strange_tags_of_copies(lab: Lab, published: Published) -> None:
    if published.repository.endswith("/copy"):
        _remove_strange_tags(lab, published)


def _take_a_moved_tag_back(lab: Lab, published: Published) -> None:
    if published.host == PRIMARY:
        encoded = published.image.digest.removeprefix("sha256:")
        _run_where_pushed(lab, published, TAKE_BACK, f"{_tags(published)}/{TAG}", encoded)


def _run_where_pushed(lab: Lab, published: Published, script: str, *arguments: str) -> None:
    """Run a script in the registry that was pushed to."""
    (registry,) = (each for each in lab.registries if each.host == published.host)
    container = distribution(registry)._container
    done = container.execute(["sh", "-c", script, "sh", *arguments])
    assert done.status == 0, done.stderr


def _tags(published: Published) -> str:
    """Return the folder of a repository's tags in the registry."""
    return f"{REPOSITORIES}/{published.repository}/_manifests/tags"


def _sign_everything(lab: Lab, published: Published) -> None:
    """Do what a pipeline does whose key signs all that anybody pushes."""
    if published.host != PRIMARY:
        return
    for workspace in _workspaces_with_keys(lab):
        for program in (Cosign(workspace), Cosign(workspace, bundle=True), Notation(workspace)):
            program.sign(published.by_digest)


def _workspaces_with_keys(lab: Lab) -> Iterator[ContainerWorkspace]:
    tools = lab.client_tools()
    assert isinstance(tools, ToolsContainer)
    for key in (tools.handle.folder / "work").glob("*/cosign.key"):
        yield ContainerWorkspace(key.parent, f"{WORK_FOLDER}/{key.parent.name}", tools._container)


CASES = (
    Case(
        name="cleaner-removes-signatures",
        suite="supply_chain",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_remove_strange_tags),
        turns_red={
            SIGNED: Code.SIGNATURE_LOST,
            CHANGED: Code.SIGNATURE_LOST,
            COPIED: Code.SIGNATURE_LOST,
            ATTACHED: Code.LOST_CONTENT,
        },
        subjects=frozenset({PRIMARY, VERSION_3}),
    ),
    Case(
        name="copy-loses-signatures",
        suite="supply_chain",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_remove_strange_tags_of_copies),
        turns_red={COPIED: Code.SIGNATURE_LOST},
        subjects=frozenset({VERSION_3}),
    ),
    Case(
        name="pipeline-signs-everything",
        suite="supply_chain",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_sign_everything),
        turns_red={
            UNSIGNED: Code.SIGNATURE_ACCEPTED,
            STRANGER: Code.SIGNATURE_ACCEPTED,
            CHANGED: Code.SIGNATURE_ACCEPTED,
        },
        subjects=frozenset({PRIMARY}),
    ),
    Case(
        name="registry-serves-the-signed-image-for-the-changed-one",
        suite="supply_chain",
        scenario=SCENARIO,
        sabotage=Sabotage(published=_take_a_moved_tag_back),
        turns_red={CHANGED: Code.SIGNATURE_ACCEPTED},
        subjects=frozenset({PRIMARY}),
    ),
)
