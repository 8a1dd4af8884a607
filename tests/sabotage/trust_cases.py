"""Broken trust: nodes and registries that the suite `trust` must see through."""

from __future__ import annotations

from tests.sabotage import trust_certificates, trust_configuration, trust_paths

CASES = (*trust_certificates.CASES, *trust_configuration.CASES, *trust_paths.CASES)
