"""Tapes for tests: folders that stand in for a drive, or the drive of the machine that tests run on, if one is named.

With PORTALOPS_TEST_TAPE=/dev/nst0 in the environment the suite of media runs on that drive. What is on its tape is lost.
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from backups.media.tape import Settings, TapeMedium

LABELLED = datetime(2026, 11, 26, 3, 4, 5, tzinfo=UTC)
MIB = 1 << 20


def drive() -> Path | None:
    """Return the drive that tests may use."""
    named = os.environ.get("PORTALOPS_TEST_TAPE")
    return Path(named) if named else None


def tape_table(folder: Path, *, capacity_mib: float | None = None, label: str = "KH0001") -> dict[str, object]:
    """Return the settings of a tape that has its label and no set, in the drive if there is one, else in a folder."""
    device = drive()
    if device is None:
        folder.mkdir(parents=True, exist_ok=True)
    values: dict[str, object] = {"device": str(device or folder), "label": label, "block_kib": 64}
    if capacity_mib is not None:
        values["capacity_gib"] = capacity_mib / 1024
    if device is not None:
        subprocess.run(
            ["sh", "-c", f"mt -f {device} rewind && echo x | dd of={device} bs=512 conv=sync status=none"], check=True
        )
    medium = medium_of(values)
    medium.write_label(medium.label_for(LABELLED), overwrite=True)
    return values


def medium_of(values: dict[str, object], medium_id: str = "tape-1") -> TapeMedium:
    """Return the medium of a table's values."""
    return TapeMedium(medium_id, Settings.model_validate({**values, "device": Path(str(values["device"]))}))
