"""The proof that each check on the kubelet's path can fail: one lab, broken and healed in turn."""
