"""Replicas that are none, and load balancers that do not help: what the suite `ha` sees through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.cluster.containerd_node import ContainerdNode
from harness.findings import Code
from harness.hosts_toml import CERTS_D
from harness.machine import CHECKOUT
from harness.registry import distribution_config as config
from tests.sabotage.breaking import (
    change_load_balancer,
    change_registry_config,
    change_runtime_config,
    change_second_replica,
    replicated,
    restart_load_balancer,
    restart_registry,
    restart_runtime,
)
from tests.sabotage.case import Case
from tests.sabotage.saboteur import Sabotage

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.lab import Lab
    from harness.workload import Published
    from tests.sabotage.breaking import Document

SCENARIO = CHECKOUT / "tests/sabotage/ha.yaml"
CRI = '[plugins."io.containerd.grpc.v1.cri"]\n'
IMPATIENCE = '  image_pull_progress_timeout = "300ms"\n'
BAD_LINKS = (
    "ha with node-1 losing one packet in 20, node-2 receiving one packet in 20 with wrong bytes, "
    "node-1 receiving at most 1024 KiB/s, ha-1 with storage of 1024 KiB/s"
)
HOST = "ha.pullproof.test:5000"
REPLICAS = frozenset({"ha-1", "ha-2"})

ELSEWHERE = "/tmp/elsewhere"
FOR_ALL = f"{config.LOG_FOLDER}/elsewhere"  # a folder that all replicas have
DATA = "docker/registry/v2"
# Each of two storages gets what the other has of an image; $@ are its folders in either.
SHARE = f"""
share() {{
  [ ! -e "$1/$3" ] || [ -e "$2/$3" ] || {{ mkdir -p "$2/${{3%/*}}" && cp -r "$1/$3" "$2/$3"; }}
}}
for path; do
  share {ELSEWHERE}/{DATA} {config.STORAGE_FOLDER}/{DATA} "$path" || exit 1
  share {config.STORAGE_FOLDER}/{DATA} {ELSEWHERE}/{DATA} "$path" || exit 1
done
"""
# A layer, $1, is changed in the other one.
SPOIL = 'printf spoilt | dd of="$1" conv=notrunc 2>/dev/null'

# Until its container goes; each upload lives for some milliseconds.
KEEP_UPLOADS = f"""
while :; do
  for upload in {config.STORAGE_FOLDER}/{DATA}/repositories/ha/*/*/_uploads/*; do
    case "$upload" in *kept | *\\*) continue ;; esac
    mkdir -p "$upload-kept" && : >"$upload-kept/data"
  done
done
"""

# HAProxy's worker ends at once, so that connections are refused; its master waits for this.
LINGER = """
program lingering
  command sh -c "trap 'sleep 6; exit' TERM; sleep 600 & wait"
"""

DEAD = "test_replicas.py::test_pulls_go_on_while_a_replica_is_dead"
STILL = "test_replicas.py::test_pulls_go_on_while_a_replica_stands_still"
BALANCER = "test_load_balancer.py"
ORDERS = "test_uploads.py::test_upload_goes_on_at_any_replica"
LOCATION = "test_uploads.py::test_upload_stays_behind_the_load_balancer"
BLOBS = "test_uploads.py::test_blobs_come_from_where_nodes_reach"
CONTENT = "test_uploads.py::test_content_is_the_same_at_each_replica"
OUTLIVES = "test_uploads.py::test_upload_outlives_the_replica_that_began_it"
NETWORK = "test_nodes.py::test_nodes_without_network_or_names_pull_again"
RUNTIME = "test_nodes.py::test_node_whose_runtime_restarted_pulls_as_before"
CERTIFICATES = "test_certificates.py"
STORAGE = "test_storage.py"
SLOWNESS = "test_slowness.py"
TRANSFERS = "test_transfers.py"


def _setting(section: str, **settings: object) -> Callable[[Document], None]:
    return lambda document: document[section].update(settings)


def _give_another_secret(lab: Lab) -> None:
    change_second_replica(lab, _setting("http", secret="another"))


def _store_elsewhere(lab: Lab) -> None:
    storage = {"rootdirectory": ELSEWHERE}
    change_second_replica(lab, _setting("storage", filesystem=storage))


def _store_elsewhere_together(lab: Lab) -> None:
    """Let all replicas store where none of the drill's faults is."""
    storage = {"rootdirectory": FOR_ALL}
    restart_registry(replicated(lab), _setting("storage", filesystem=storage))


def _spoil_what_the_second_serves(lab: Lab, published: Published) -> None:
    _share(lab, published)
    layer = config.blob_path(published.image.layers[0].digest)
    _run_in_the_second(lab, SPOIL, layer.replace(config.STORAGE_FOLDER, ELSEWHERE))


def _share(lab: Lab, published: Published) -> None:
    """Let each replica serve what was pushed to any, from storages of their own."""
    blobs = (config.blob_path(digest).rpartition("/")[0] for digest in published.digests)
    begin = f"{config.STORAGE_FOLDER}/{DATA}/"
    folders = (blob.removeprefix(begin) for blob in blobs)
    _run_in_the_second(lab, SHARE, f"repositories/{published.repository}", *folders)


def _run_in_the_second(lab: Lab, script: str, *arguments: str) -> None:
    second = replicated(lab).replicas[1]._container
    done = second.execute(["sh", "-c", script, "sh", *arguments])
    assert done.status == 0, done.stderr


def _keep_uploads_open(lab: Lab) -> None:
    """Leave a copy of each upload of the drill in the storage, as if nobody had finished it."""
    _run_in_the_second(lab, f"({KEEP_UPLOADS}) >/dev/null 2>&1 &")


def _answer_with_http(lab: Lab) -> None:
    change_second_replica(lab, _setting("http", host=f"http://{HOST}"))


def _redirect_to(url: str) -> Callable[[Lab], None]:
    def redirect(document: Document) -> None:
        storage = [{"name": "redirect", "options": {"baseurl": url}}]
        document["middleware"] = {"storage": storage}

    return lambda lab: restart_registry(replicated(lab), redirect)


def _hide_health_after_a_restart(lab: Lab) -> None:
    """Let replicas that start again answer for their health where nobody asks."""
    change_registry_config(replicated(lab), _setting("http", debug={"addr": ":5999"}))


def _neither_check_nor_redispatch(text: str) -> str:
    unchecked = _never_check(_prefer("ha-1", text))
    return unchecked.replace("option redispatch 1", "no option redispatch").replace(
        "retries 3", "retries 0"
    )


def _be_impatient(text: str) -> str:
    """Cut off who waits for the one replica that gets nearly all connections, again and again."""
    unchecked = _never_check(_prefer("ha-1", text))
    return unchecked.replace("timeout server 60s", "timeout server 1s")


def _never_check(text: str) -> str:
    return re.sub(r"check inter .* rise 2", "", text)


def _verify_nothing(text: str) -> str:
    return _prefer("ha-2", text).replace("verify required", "verify none")


def _prefer(replica: str, text: str) -> str:
    """Let one replica get nearly all connections while it is in service.

    In turns the first connection of each pull may well reach the other one, and runtimes try
    again what fails on the next.
    """
    return re.sub(rf"(server {replica} \S+)", r"\1 weight 256", text)


def _give_up_early(lab: Lab) -> None:
    """Let a node's runtime give up a pull that makes no progress for a moment."""
    node = lab.nodes[0]
    assert isinstance(node, ContainerdNode)
    change_runtime_config(node, lambda text: text.replace(CRI, f"{CRI}{IMPATIENCE}"))
    restart_runtime(node)


def _leave_out_the_second(text: str) -> str:
    return re.sub(r"(server ha-2 \S+)", r"\1 weight 0", text)


def _listen_elsewhere(text: str) -> str:
    return text.replace("bind :5000", "bind :5999")


def _linger(text: str) -> str:
    return text + LINGER


def _restarted(change: Callable[[str], str]) -> Sabotage:
    return Sabotage(lab_started=lambda lab: restart_load_balancer(lab, change))


def _pass_the_load_balancer_by(lab: Lab) -> None:
    """Let nodes reach one replica under the registry's name, as a line in /etc/hosts does."""
    address = replicated(lab).replicas[0].endpoint.address
    line = f"{address} {HOST.partition(':')[0]}"
    for node in lab.nodes:
        done = node.execute(["sh", "-c", 'echo "$1" >>/etc/hosts', "sh", line])  # type: ignore[attr-defined]
        assert done.status == 0


def _forget_registries_after_a_restart(lab: Lab) -> None:
    """Let a node look for its registries elsewhere, of which only a restart tells."""
    node = lab.nodes[0]
    assert isinstance(node, ContainerdNode)
    change_runtime_config(node, lambda text: text.replace(CERTS_D, "/etc/nothing"))


CASES = (
    Case(
        name="load-balancer-neither-checks-nor-redispatches",
        suite="ha",
        scenario=SCENARIO,
        parts=(DEAD,),
        sabotage=_restarted(_neither_check_nor_redispatch),
        turns_red={"ha.pulls-go-on-while-a-replica-is-dead": Code.TARGET_MISSED},
        subjects=frozenset({"ha with ha-1 killed"}),
    ),
    Case(
        name="load-balancer-is-impatient",
        suite="ha",
        scenario=SCENARIO,
        parts=(STILL,),
        sabotage=_restarted(_be_impatient),
        turns_red={"ha.pulls-go-on-while-a-replica-stands-still": Code.TARGET_MISSED},
        subjects=frozenset({"ha with ha-1 paused"}),
    ),
    Case(
        name="load-balancer-leaves-a-replica-out",
        suite="ha",
        scenario=SCENARIO,
        parts=(CERTIFICATES, TRANSFERS),
        sabotage=_restarted(_leave_out_the_second),
        turns_red={
            "ha.replica-with-a-wrong-certificate-gets-no-connection": Code.SERVICE_LOST,
            "ha.pull-under-way-outlives-a-replica": Code.PULL_FAILED,
        },
        subjects=frozenset({"ha-2", "node-1"}),
    ),
    Case(
        name="load-balancer-listens-elsewhere-after-a-restart",
        suite="ha",
        scenario=SCENARIO,
        parts=(BALANCER,),
        sabotage=Sabotage(lab_started=lambda lab: change_load_balancer(lab, _listen_elsewhere)),
        turns_red={"ha.pulls-recover-from-a-restart-of-the-load-balancer": Code.SERVICE_LOST},
        subjects=frozenset({HOST}),
    ),
    Case(
        name="load-balancer-takes-its-time-to-restart",
        suite="ha",
        scenario=SCENARIO,
        parts=(BALANCER,),
        sabotage=_restarted(_linger),
        turns_red={"ha.pulls-recover-from-a-restart-of-the-load-balancer": Code.TARGET_MISSED},
        subjects=frozenset({"ha with ha-load-balancer restarted"}),
    ),
    Case(
        name="replica-does-not-come-back",
        suite="ha",
        scenario=SCENARIO,
        parts=(DEAD,),
        sabotage=Sabotage(lab_started=_hide_health_after_a_restart),
        turns_red={"ha.pulls-go-on-while-a-replica-is-dead": Code.SERVICE_LOST},
        subjects=frozenset({"ha-1"}),
    ),
    Case(
        name="replica-keeps-uploads-open",
        suite="ha",
        scenario=SCENARIO,
        parts=(DEAD,),
        sabotage=Sabotage(lab_started=_keep_uploads_open),
        turns_red={"ha.pulls-go-on-while-a-replica-is-dead": Code.UPLOAD_STUCK},
        subjects=frozenset({HOST}),
    ),
    Case(
        name="replica-stores-elsewhere",
        suite="ha",
        scenario=SCENARIO,
        parts=(ORDERS, LOCATION, CONTENT, OUTLIVES),
        sabotage=Sabotage(lab_started=_store_elsewhere),
        turns_red={
            "ha.upload-goes-on-at-any-replica": Code.PUSH_FAILED,
            "ha.content-is-the-same-at-each-replica": Code.LOST_CONTENT,
            "ha.upload-outlives-the-replica-that-began-it": Code.PUSH_FAILED,
        },
        subjects=REPLICAS | {HOST},
    ),
    Case(
        name="replica-has-another-secret",
        suite="ha",
        scenario=SCENARIO,
        parts=(ORDERS, LOCATION, CONTENT, OUTLIVES),
        sabotage=Sabotage(lab_started=_give_another_secret),
        turns_red={
            "ha.upload-goes-on-at-any-replica": Code.PUSH_FAILED,
            "ha.upload-outlives-the-replica-that-began-it": Code.PUSH_FAILED,
        },
        subjects=REPLICAS | {HOST},
    ),
    Case(
        name="replica-serves-other-bytes",
        suite="ha",
        scenario=SCENARIO,
        parts=(CONTENT,),
        sabotage=Sabotage(lab_started=_store_elsewhere, published=_spoil_what_the_second_serves),
        turns_red={"ha.content-is-the-same-at-each-replica": Code.WRONG_BYTES},
        subjects=frozenset({"ha-2"}),
    ),
    Case(
        name="replica-writes-where-nobody-looks",
        suite="ha",
        scenario=SCENARIO,
        parts=(STORAGE,),
        sabotage=Sabotage(lab_started=_store_elsewhere_together),
        turns_red={
            "ha.full-and-read-only-storage-refuse-pushes-and-serve-pulls": Code.WRITE_ACCEPTED
        },
        subjects=frozenset({"client"}),
    ),
    Case(
        name="replica-keeps-pushes-to-itself",
        suite="ha",
        scenario=SCENARIO,
        parts=(NETWORK,),
        sabotage=Sabotage(lab_started=_store_elsewhere, published=_share),
        turns_red={"ha.nodes-without-network-or-names-pull-again": Code.LOST_CONTENT},
        subjects=REPLICAS,
    ),
    Case(
        name="replica-sends-uploads-to-plain-http",
        suite="ha",
        scenario=SCENARIO,
        parts=(LOCATION,),
        sabotage=Sabotage(lab_started=_answer_with_http),
        turns_red={"ha.upload-stays-behind-the-load-balancer": Code.UPLOAD_LOCATION},
        subjects=frozenset({HOST}),
    ),
    Case(
        name="registry-redirects-to-an-unreachable-host",
        suite="ha",
        scenario=SCENARIO,
        parts=(BLOBS,),
        sabotage=Sabotage(lab_started=_redirect_to("https://storage.invalid/")),
        turns_red={"ha.blobs-come-from-where-nodes-reach": Code.PULL_FAILED},
        subjects=frozenset({"node-1", "node-2"}),
    ),
    Case(
        name="registry-redirects-to-plain-http",
        suite="ha",
        scenario=SCENARIO,
        parts=(BLOBS,),
        sabotage=Sabotage(lab_started=_redirect_to("http://storage.invalid/")),
        turns_red={"ha.blobs-come-from-where-nodes-reach": Code.BLOB_REDIRECT},
        subjects=REPLICAS | {"node-1", "node-2"},
    ),
    Case(
        name="nodes-pass-the-load-balancer-by",
        suite="ha",
        scenario=SCENARIO,
        parts=(NETWORK,),
        sabotage=Sabotage(lab_started=_pass_the_load_balancer_by),
        turns_red={"ha.nodes-without-network-or-names-pull-again": Code.PULL_ACCEPTED},
        subjects=frozenset({"node-1", "node-2"}),
    ),
    Case(
        name="node-loses-its-configuration-in-a-restart",
        suite="ha",
        scenario=SCENARIO,
        parts=(RUNTIME,),
        sabotage=Sabotage(lab_started=_forget_registries_after_a_restart),
        turns_red={"ha.node-whose-runtime-restarted-pulls-as-before": Code.SERVICE_LOST},
        subjects=frozenset({"node-1"}),
    ),
    Case(
        name="load-balancer-verifies-no-certificate",
        suite="ha",
        scenario=SCENARIO,
        parts=(CERTIFICATES,),
        sabotage=_restarted(_verify_nothing),
        turns_red={
            "ha.replica-with-a-wrong-certificate-gets-no-connection": Code.TARGET_MISSED,
        },
        subjects=frozenset(
            {
                (
                    "ha with ha-2 stopped, ha-2 presenting an expired certificate, "
                    "ha-2 presenting a certificate of an unknown authority"
                )
            }
        ),
    ),
    Case(
        name="runtime-waits-for-no-packet",
        suite="ha",
        scenario=SCENARIO,
        parts=(SLOWNESS,),
        sabotage=Sabotage(lab_started=_give_up_early),
        turns_red={"ha.bad-links-and-slow-storage-lose-nothing": Code.TARGET_MISSED},
        subjects=frozenset({BAD_LINKS}),
    ),
)
