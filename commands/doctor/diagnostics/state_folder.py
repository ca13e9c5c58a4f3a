"""The ledger can be written, by nobody else, and has room."""

from __future__ import annotations

from collections.abc import Iterator

from commands.doctor.diagnosis import Examination, Look, Seen
from commands.doctor.places import folder_seen


def examine(look: Look) -> Iterator[Seen]:
    """Say whether the state folder can be written, and by nobody else."""
    yield from folder_seen(look.session.settings.state_folder, private=True)


EXAMINATION = Examination(examine=examine)
