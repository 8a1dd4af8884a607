"""Debian packages, fetched and unpacked without touching what the machine has installed."""

from harness.debian.apt import download
from harness.debian.suite import Suite, host_suite
from harness.debian.unpacking import unpack

__all__ = ["Suite", "download", "host_suite", "unpack"]
