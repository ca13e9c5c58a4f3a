"""Tapes: what is recorded when a person gives one its label."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TapeLabelled:
    """The body of a `media.labelled` record, under the key `tape_label`: a tape that was made one of a medium's, without sets."""

    medium: str
    """Id of the configured medium."""
    label: str
    labelled: str
    """As on the tape, such as `20261126T030405Z`."""
    device: str
    block_bytes: int
    before: str
    """What the tape was before: `blank`, `ours`, `foreign` or `unreadable`."""
    label_before: str = ""
    """The label that it had, if it was one of portalops."""
