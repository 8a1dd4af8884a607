"""What can go wrong, by who has to act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class HarnessError(Exception):
    """The harness or its environment broke; the system under test was not judged.

    `remedy` is a sentence that tells the reader what to change.
    """

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        super().__init__(f"{problem}\n  remedy: {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class ConfigurationError(HarnessError):
    """What the user wrote cannot be used; found before anything is written."""

    def __init__(self, problem: str, *, file: Path, line: int, remedy: str) -> None:
        super().__init__(f"{file}:{line}: {problem}", remedy=remedy)
        self.file = file
        self.line = line


class CommandError(HarnessError):
    """A command ended with another exit status than zero, or ran out of time."""


class WaitTimeoutError(HarnessError):
    """A condition did not come true within its time; the message shows the last state seen."""


class EngineError(HarnessError):
    """No usable container engine, or the engine refused what was asked of it."""


class PackageError(HarnessError):
    """Packages of the distribution could not be had."""


class ImageError(HarnessError):
    """An image could be neither pulled, nor loaded, nor built."""


class RegistryError(HarnessError):
    """A registry did not answer in the way that its specification promises."""
