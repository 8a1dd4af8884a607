"""The container runtime interface: the calls that the kubelet makes to a runtime."""
