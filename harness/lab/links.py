"""Whether this machine can have the links of a scenario, asked before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.engine.sending import try_limits
from harness.errors import ConfigurationError, EngineError

if TYPE_CHECKING:
    from harness.scenario.load import Loaded


def require_links(loaded: Loaded) -> None:
    """Try each link of a scenario's registries; nothing is left of it.

    Raises ConfigurationError that names registry, file and line for the first one that cannot
    be had: a lab without it would be another one than the scenario asks for.
    """
    for index, registry in enumerate(loaded.scenario.registries):
        if (link := registry.link) is None:
            continue
        try:
            try_limits(link.rate_mbit, delay_ms=link.delay_ms)
        except EngineError as error:
            key = "rateMbit" if link.delay_ms is None else "delayMs"
            raise ConfigurationError(
                f"this machine cannot have the link of {registry.name}: {error.problem}",
                file=loaded.path,
                line=loaded.document.line(("registries", index, "link", key)),
                remedy=f"{error.remedy}, or remove {key} from {registry.name}",
            ) from error
