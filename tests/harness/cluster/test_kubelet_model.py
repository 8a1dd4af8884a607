from __future__ import annotations

import pytest

from harness.cluster.kubelet_model import PullCounts, PullSettings, read_counts, read_settings

METRICS = """\
# HELP kubelet_image_pull_duration_seconds [ALPHA] Duration in seconds to pull an image.
# TYPE kubelet_image_pull_duration_seconds histogram
kubelet_image_pull_duration_seconds_bucket{image_size_in_bytes="0-10MB",le="1"} 3
kubelet_image_pull_duration_seconds_sum{image_size_in_bytes="0-10MB"} 0.5
kubelet_image_pull_duration_seconds_count{image_size_in_bytes="0-10MB"} 3
kubelet_image_pull_duration_seconds_sum{image_size_in_bytes="10MB-100MB"} 1.25
kubelet_image_pull_duration_seconds_count{image_size_in_bytes="10MB-100MB"} 1
kubelet_image_manager_ensure_image_requests_total{present_locally="true",pull_required="false"} 9
kubelet_image_manager_ensure_image_requests_total{present_locally="false",pull_required="true"} 4
kubelet_image_manager_ensure_image_requests_total{present_locally="true",pull_required="true"} 1
kubelet_node_name{node="a \\" b"} 1
go_goroutines 100
"""


@pytest.mark.parametrize(
    ("settings", "at_once"),
    [
        ({}, 1),
        ({"serializeImagePulls": True}, 1),
        ({"serializeImagePulls": False}, None),
        ({"serializeImagePulls": False, "maxParallelImagePulls": 4}, 4),
        ({"serializeImagePulls": False, "maxParallelImagePulls": None}, None),
    ],
)
def test_settings_tell_how_many_images_are_pulled_at_once(
    settings: dict[str, object], at_once: int | None
) -> None:
    assert read_settings({"kubeletconfig": settings}) == PullSettings(at_once)


def test_counts_are_read_by_size_and_added_up() -> None:
    counts = read_counts(METRICS)

    assert counts == PullCounts((("0-10MB", 3), ("10MB-100MB", 1)), seconds=1.75, required=5)
    assert counts.total == 4


def test_kubelet_that_has_not_pulled_yet_counts_nothing() -> None:
    assert read_counts("# nothing\n") == PullCounts()
    assert PullCounts().total == 0


def test_count_without_a_size_is_one_of_unknown_size() -> None:
    counts = read_counts("kubelet_image_pull_duration_seconds_count 2 1700000000000\n")

    assert counts.pulled == (("", 2),)
