from __future__ import annotations

from harness.fleet.manifest import SAMPLE_LABEL, SampleOrder, daemon_set

ORDER = SampleOrder("fleet-0", "ours", "r.test:5000/fleet/a:v1", "linux/arm64")


def test_pods_tolerate_every_taint_on_nodes_of_the_images_platform() -> None:
    pod = daemon_set(ORDER)["spec"]["template"]["spec"]

    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}


def test_pods_are_found_by_the_name_of_their_sample() -> None:
    made = daemon_set(ORDER)

    assert made["metadata"]["name"] == "fleet-0"
    assert made["spec"]["selector"]["matchLabels"] == {SAMPLE_LABEL: "fleet-0"}
    assert made["spec"]["template"]["metadata"]["labels"] == {SAMPLE_LABEL: "fleet-0"}


def test_pull_secret_is_named_where_there_is_one() -> None:
    with_secret = SampleOrder("fleet-0", "ours", "r.test/a:v1", "linux/amd64", pull_secret="key")

    assert "imagePullSecrets" not in daemon_set(ORDER)["spec"]["template"]["spec"]
    pod = daemon_set(with_secret)["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "key"}]
