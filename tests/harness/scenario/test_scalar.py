from __future__ import annotations

import math

import pytest

from harness.scenario.scalar import plain_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("12", 12),
        ("-3", -3),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1.7", 1.7),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("1e999", math.inf),
        ("9" * 19, 1e19),
        ("9" * 5000, math.inf),
        ("٣", "٣"),
        ("10MiB", "10MiB"),
        ("12\n", "12\n"),
    ],
)
def test_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    found = plain_scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number() -> None:
    found = plain_scalar(".NaN")
    assert isinstance(found, float)
    assert math.isnan(found)
