"""How burnt discs are shown to programs."""

from __future__ import annotations

from collections.abc import Sequence

from commands.cli.result import JsonValue
from portalops.registers.discs import HeldDisc


def discs_data(discs: Sequence[HeldDisc]) -> JsonValue:
    """Return burnt discs as `--json` shows them."""
    return [
        {
            "id": f"{held.burnt.medium}/{held.burnt.set_id}/{held.burnt.number}/{held.burnt.label}",
            "disc": held.burnt.number,
            "discs": held.burnt.count,
            "label": held.burnt.label,
            "state": held.state.value,
            "problem": held.problem,
            "burnt_at": held.burnt_at.isoformat(),
            "read_at": held.read_at.isoformat() if held.read_at else None,
            "image_sha256": held.burnt.image_sha256,
            "record": held.seq,
        }
        for held in discs
    ]
