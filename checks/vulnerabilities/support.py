"""A dated table of what makers still support: when runtimes get no fixes any more, and the least versions of CMSs.

    read_on = 2026-11-25

    [runtime.php]           # the series, and its last day
    "8.2" = 2026-12-31

    [cms.wordpress]         # the series, and its first version without a known hole
    "6.8" = "6.8.3"

A series that is not in the table is not known, which is no support. Days are the last ones with fixes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from checks.vulnerabilities.sources import refused
from checks.vulnerabilities.versions import NotAVersion, deb_key
from portalops.model.causes import cause_of
from portalops.model.message import msg

MAX_BYTES = 1 << 20


def read_support(path: Path) -> Mapping[str, Any]:
    """Return the table with its days as texts, as it stands in a bundle.

    Raises:
        VulnerabilityDataRefused: it cannot be read, or is not of that form.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise refused(path, "", cause_of(error)) from error
    try:
        if len(text) > MAX_BYTES:
            raise refused(path, "", msg("it is larger than {mib} MiB", mib=1))
        table = tomllib.loads(text.decode())
    except ValueError as error:
        raise refused(path, "", msg("it is not TOML")) from error
    unknown = sorted(set(table) - {"read_on", "runtime", "cms"})
    if unknown:
        raise refused(path, unknown[0], msg("there is no such table"))
    if type(table.get("read_on")) is not date:
        raise refused(path, "read_on", msg("it names no day"))
    return {
        "read_on": table["read_on"].isoformat(),
        "runtime": _tables(path, "runtime", table.get("runtime", {})),
        "cms": _tables(path, "cms", table.get("cms", {})),
    }


def _tables(path: Path, kind: str, tables: object) -> Mapping[str, Mapping[str, str]]:
    if not isinstance(tables, dict):
        raise refused(path, kind, msg("it is not a table"))
    found: dict[str, Mapping[str, str]] = {}
    for name, series in tables.items():
        if not isinstance(series, dict):
            raise refused(path, f"{kind}.{name}", msg("it is not a table"))
        found[name] = {key: _value(path, f"{kind}.{name}.{key}", kind, value) for key, value in series.items()}
    return found


def _value(path: Path, where: str, kind: str, value: object) -> str:
    if kind == "runtime":
        if type(value) is not date:
            raise refused(path, where, msg("it names no day"))
        return value.isoformat()
    try:
        deb_key(value if isinstance(value, str) else "")
    except NotAVersion as error:
        raise refused(path, where, msg("it is not a version")) from error
    return str(value)
