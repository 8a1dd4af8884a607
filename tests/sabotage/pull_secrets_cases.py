"""Broken credentials: registries and nodes that the suite `pull_secrets` must see through."""

from __future__ import annotations

from tests.sabotage import pull_secrets_accounts, pull_secrets_nodes

CASES = (*pull_secrets_accounts.CASES, *pull_secrets_nodes.CASES)
