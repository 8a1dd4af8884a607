from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from harness.scenario.document import read_document
from harness.scenario.schema import scenario_schema, schema_at, schema_text

ROOT = Path(__file__).parents[3]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
VALIDATOR = jsonschema.Draft202012Validator(scenario_schema())


def test_published_schema_is_current() -> None:
    published = (ROOT / "docs/scenario.schema.json").read_text()
    assert published == schema_text(), "write schema_text() to docs/scenario.schema.json again"


def test_schema_is_a_sound_2020_12_schema() -> None:
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "pullproof scenario"
    assert "$id" not in schema


def test_every_section_is_described() -> None:
    assert all(section["description"] for section in scenario_schema()["$defs"].values())


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_shipped_scenario_fits_the_schema_and_points_editors_to_it(file: Path) -> None:
    text = file.read_text()
    VALIDATOR.validate(read_document(text).data)
    modeline = "# yaml-language-server: $schema=../docs/scenario.schema.json"
    assert text.startswith(modeline + "\n")


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "{version: 1, name: a, registries: []}",
        "{version: 2, name: a, registries: [{name: a}]}",
        "{version: 1, name: A, registries: [{name: a}]}",
        "{version: 1, name: a, registries: [{name: a, tls: ~}]}",
        "{version: 1, name: a, registries: [{name: a, mirror_of: b}]}",
        "{version: 1, name: a, registries: [{name: a}], cluster: {nodes: '3'}}",
        "{version: 1, name: a, registries: [{name: a}], cluster: {containerd: 1.7}}",
        "{version: 1, name: a, registries: [{name: a}], unknown: 1}",
        "{version: 1, name: a, registries: [{name: a}], latency: {samples: 0}}",
    ],
)
def test_structure_that_is_wrong_does_not_fit_the_schema(text: str) -> None:
    assert not VALIDATOR.is_valid(read_document(text).data)


def test_place_that_the_schema_does_not_know_is_empty() -> None:
    schema = scenario_schema()
    assert schema_at(schema, ("registries", 0, "name"))["type"] == "string"
    assert schema_at(schema, ("nowhere", 0, "name")) == {}
