"""Judges uploads that a registry's storage still holds unfinished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def stuck_uploads(
    host: str, uploads: Mapping[str, int], finished: Collection[str]
) -> tuple[Finding, ...]:
    """Find uploads that are open in repositories to which every push was acknowledged at once.

    `uploads` maps `repository/id` to bytes, as storage holds them; `finished` are repositories.
    A push that was broken off leaves its upload behind until the registry purges it: that one is
    expected, and its repository is not among them.
    """
    return tuple(
        Finding(
            Code.UPLOAD_STUCK,
            host,
            f"upload {upload} is still open with {size} bytes, although all pushes to its "
            "repository were acknowledged",
            "look for a replica that does not see what another one finishes, and turn on "
            "storage.maintenance.uploadpurging",
        )
        for upload, size in sorted(uploads.items())
        if upload.rpartition("/")[0] in finished
    )
