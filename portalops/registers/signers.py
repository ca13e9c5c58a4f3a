"""Which key signed heads from when to when: the key records, folded; and the same as OpenSSH's `allowed_signers`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from portalops.model.heads import KeyEvent, Signer

KEY_ADDED = "key.added"
KEY_RETIRED = "key.retired"
KEY_KINDS = (KEY_ADDED, KEY_RETIRED)

LEDGER_NAMESPACES = "portalops-head,portalops-bundle,portalops-set"
"""What a ledger's key signs: heads, the list of a bundle's files, and the description of a backup set."""


@dataclass(frozen=True, slots=True)
class RecordedKey:
    """A key event with the record that holds it."""

    seq: int
    at: datetime
    kind: str
    event: KeyEvent


def fold_signers(events: Iterable[RecordedKey], *, principal: str) -> tuple[Signer, ...]:
    """Return the keys in the order in which they were added.

    Args:
        events: the key records, oldest first.
        principal: the name that stands for all of them in `allowed_signers`: the ledger's id.
    """
    signers: dict[str, Signer] = {}
    for recorded in events:
        key = recorded.event.public_key
        if recorded.kind == KEY_ADDED and key not in signers:
            signers[key] = Signer(principal, key, recorded.at, None, recorded.seq, None, recorded.event.replaces)
        elif recorded.kind == KEY_RETIRED and key in signers and signers[key].retired_seq is None:
            signers[key] = replace(signers[key], valid_to=recorded.at, retired_seq=recorded.seq)
    return tuple(signers.values())


def signer_at(signers: Sequence[Signer], public_key: str, moment: datetime) -> Signer | None:
    """Return the signer of a key if it was allowed to sign at a moment, its first and last included."""
    for signer in signers:
        if signer.public_key == public_key and signer.valid_from <= moment:
            return signer if signer.valid_to is None or moment <= signer.valid_to else None
    return None


def allowed_signers_line(
    principal: str, namespaces: str, public_key: str, valid_from: datetime | None, valid_to: datetime | None
) -> str:
    """Return one line of an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS), ending in a line feed.

    Times are cut to whole seconds, as OpenSSH reads no finer ones; both ends are included.
    """
    options = [f'namespaces="{namespaces}"']
    options += [f'valid-after="{_stamp(valid_from)}"'] if valid_from else []
    options += [f'valid-before="{_stamp(valid_to)}"'] if valid_to else []
    return f"{principal} {','.join(options)} {public_key}\n"


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%SZ}"
