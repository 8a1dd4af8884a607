from __future__ import annotations

from harness.engine.mounts import Mount, parse_mounts

MOUNTINFO = (
    "223 166 254:0 /volumes/a/_data /var/lib/registry rw,relatime master:1 - ext4 /dev/vda rw\n"
    "224 166 254:0 /a /with\\040space ro,relatime - ext4 /dev/vda rw,discard\n"
    "304 223 0:183 / /var/lib/registry rw - overlay pullproof-full rw,lowerdir=/x\n"
)


def test_mounts_are_read_with_and_without_optional_fields() -> None:
    assert parse_mounts(MOUNTINFO) == (
        Mount("254:0", "/var/lib/registry", read_only=False, kind="ext4", source="/dev/vda"),
        Mount("254:0", "/with space", read_only=True, kind="ext4", source="/dev/vda"),
        Mount("0:183", "/var/lib/registry", False, kind="overlay", source="pullproof-full"),
    )
