"""A zip whose bytes depend on nothing but the files in it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the earliest that the format knows."""


def pack(members: Mapping[str, bytes]) -> bytes:
    """One file after the other in the order of names, as they are: compressed bytes depend on the machine's zlib."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            member = zipfile.ZipInfo(name, EARLIEST)
            member.create_system = 3  # Unix, on every system
            member.external_attr = 0o100644 << 16
            archive.writestr(member, members[name])
    return packed.getvalue()
