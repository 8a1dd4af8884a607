"""Pods pull what their secrets and policies let them, on every node, as the kubelet does it."""
