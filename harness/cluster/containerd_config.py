"""The configuration of a node's containerd, in the form that 1.6, 1.7 and 2.1 all read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

CONFIG_FILE = "/etc/containerd/config.toml"
HOSTS_FOLDER = "/etc/containerd/certs.d"
CONTENT_FOLDER = "/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256"

_SYS_RESOURCE_BIT = 24  # capabilities(7), linux/capability.h


@dataclass(frozen=True)
class ContainerdConfig:
    """What differs from node to node.

    `uid` and `gid` own the socket, so that whoever started the node may call it.
    """

    socket: str
    uid: int
    gid: int
    restrict_oom_score: bool

    def render(self) -> bytes:
        """Return the file. Version 2 of the format is the one that all three releases read.

        `config_path` is empty by default in 1.6 and 1.7: hosts.toml files would be ignored.
        """
        return f"""version = 2

[grpc]
  address = {json.dumps(self.socket)}
  uid = {self.uid}
  gid = {self.gid}

[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = {json.dumps(self.restrict_oom_score)}

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = {json.dumps(HOSTS_FOLDER)}

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
""".encode()


def lacks_sys_resource(process_status: str) -> bool:
    """Whether a process (its /proc/PID/status) may never have CAP_SYS_RESOURCE.

    Without it the kernel lets nobody lower a process's OOM score, and runc dies of that.
    """
    bounding_set = re.search(r"^CapBnd:\s*([0-9a-f]+)$", process_status, re.MULTILINE)
    return bounding_set is not None and not int(bounding_set[1], 16) >> _SYS_RESOURCE_BIT & 1
