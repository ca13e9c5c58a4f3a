"""Looks at what is installed beside this portalops, without importing any of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from portalops import __version__
from portalops.json_text import read_json
from portalops.model.installations import InstalledVersion, files_digest

OWN = "portalops"


def find_installed(path: Sequence[str] | None = None) -> InstalledVersion:
    """Return which portalops this is, as the RECORD files say; whether the files are still so is not checked.

    Args:
        path: the folders in which distributions are looked for; those of this process unless given.
    """
    found: dict[str, Path] = {}
    for folder in dict.fromkeys(sys.path if path is None else path):
        with suppress(OSError):
            for each in Path(folder or ".").glob("*.dist-info"):
                found.setdefault(each.name.partition("-")[0].lower(), each)
    own = found.pop(OWN, None)
    return InstalledVersion(
        version=__version__,
        code=files_digest([_record(own)]) if own is not None and not _is_checkout(own) else None,
        requirements=files_digest(_record(each) for each in found.values()) if found else None,
        python=sys.version.split()[0],
    )


def _record(distribution: Path) -> str:
    """Return a distribution's RECORD; where it has none, as packages of Linux distributions, its name and version alone."""
    with suppress(OSError):
        return (distribution / "RECORD").read_text(encoding="utf-8", errors="replace")
    return f"{distribution.name},-,\n"


def _is_checkout(distribution: Path) -> bool:
    """Say whether it only leads to a folder of sources (packaging.python.org, *Recording the direct URL origin*)."""
    try:
        told = read_json((distribution / "direct_url.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and isinstance(told.get("dir_info"), dict) and bool(told["dir_info"].get("editable"))
