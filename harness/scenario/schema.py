"""The JSON Schema of scenario files, made from the model and published for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from harness.scenario.model import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


class _FileSchema(GenerateJsonSchema):
    """JSON Schema as files are written: an absent key is left out, never written as null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - their signature
        return False


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file.

    It tells the structure; rules that span several keys are judged by `load` alone.
    """
    schema = Scenario.model_json_schema(by_alias=True, schema_generator=_FileSchema)
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **schema,
        "title": "pullproof scenario",
    }


def schema_text() -> str:
    """Return the schema as it is published in `docs/scenario.schema.json`."""
    return json.dumps(scenario_schema(), indent=2) + "\n"


def schema_at(schema: dict[str, Any], place: Iterable[str | int]) -> dict[str, Any]:
    """Return the part of the scenario's schema that describes a place; empty for no such place."""
    found = _resolved(schema, schema)
    for part in place:
        inner = (
            found.get("items") if isinstance(part, int) else found.get("properties", {}).get(part)
        )
        found = _resolved(schema, inner or {})
    return found


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    name = str(part["$ref"]).removeprefix("#/$defs/")
    found: dict[str, Any] = schema["$defs"][name]
    return found
