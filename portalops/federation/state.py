"""What the collecting side keeps of each site: every head that it took, so that none can be taken back.

    federation/<site>/state.json     the ledger's id, and the newest heads with what their bundles spoke for

The file is whole or not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from portalops import bodies
from portalops.errors import IntegrityError, LedgerError
from portalops.files import write_atomically
from portalops.ledger.heads import parse_head
from portalops.model.causes import cause_of
from portalops.model.heads import Head, SignedHead
from portalops.model.message import Message, msg
from portalops.model.record import Digest

FORMAT = 1
"""The value of `format` in state.json."""

MAX_STATE_BYTES = 8 << 20
MAX_HEADS = 1000
"""Heads that are kept of a site, the newest ones: a bundle each day for nearly three years."""


@dataclass(frozen=True, slots=True)
class SeenHead:
    """The newest head of a bundle that was verified."""

    signed: SignedHead
    records: int
    """How many lines the bundle had."""
    last_line: Digest
    """Of the last one of them."""
    speaks_until: datetime
    """The moment up to which its duties could be judged."""
    seen_at: datetime
    """When it was taken, by this machine's clock."""

    @property
    def head(self) -> Head:
        """The six lines, read."""
        return parse_head(self.signed.text.encode())


@dataclass(frozen=True, slots=True)
class State:
    """What is known of one site from earlier times."""

    ledger: str = ""
    """Its id; empty before the first bundle that was verified."""
    seen: tuple[SeenHead, ...] = ()
    """Ascending by size."""
    format: int = FORMAT

    @property
    def newest(self) -> SeenHead | None:
        """The largest head that was taken."""
        return self.seen[-1] if self.seen else None

    def with_heads(self, ledger: str, found: tuple[SeenHead, ...]) -> State:
        """Return what is known once further heads were taken; one that was taken before stays as it was."""
        known = {each.signed.text for each in self.seen}
        heads = (*self.seen, *(each for each in found if each.signed.text not in known))
        return State(ledger, tuple(sorted(heads, key=lambda each: each.head.size))[-MAX_HEADS:])


def load(folder: Path) -> State:
    """Return what is known of a site; nothing before its first bundle.

    Raises:
        IntegrityError: the file is not what was written.
    """
    path = folder / "state.json"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_STATE_BYTES + 1)
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise _unreadable(path, cause_of(error)) from error
    try:
        state = bodies.decode_part(data, "federation", State)
        for each in state.seen if state else ():
            parse_head(each.signed.text.encode())
    except LedgerError as error:
        raise _unreadable(path, error.message) from error
    if state is None or state.format != FORMAT:
        raise _unreadable(path, f"not of format {FORMAT}")
    return state


def save(folder: Path, state: State) -> None:
    """Replace what is known.

    Raises:
        FileUnwritable: it cannot be written; what was known before is still there.
    """
    write_atomically(folder / "state.json", bodies.write({"federation": state}), mode=0o600)


def _unreadable(path: Path, cause: str | Message) -> IntegrityError:
    return IntegrityError(
        msg("the kept state of the site cannot be read from {path}: {cause}", path=str(path), cause=cause),
        msg(
            "Move that file away: the next collection starts again. The heads that it held are in this ledger's "
            "records of the kind federation.collected."
        ),
    )
