"""Which reports were signed by whom: the `sign-off` records, folded, and what makes one hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from portalops.model.heads import Person, SignOff
from portalops.model.message import Message, msg
from portalops.model.record import Digest
from portalops.model.values import dataclass
from portalops.signatures.sshsig import BadSignature, verify

SIGN_OFF = "sign-off"
"""The kind; the sign-off stands under the key `sign_off` of the body."""

NAMESPACE = "portalops-signoff"
"""The purpose that people sign reports for."""


@dataclass(frozen=True, slots=True)
class RecordedSignOff:
    """A sign-off with the record that holds it."""

    seq: int
    at: datetime
    sign_off: SignOff


def fold_sign_offs(records: Iterable[RecordedSignOff]) -> Mapping[Digest, Sequence[RecordedSignOff]]:
    """Return the sign-offs by the digest of the report's file, each in order."""
    signed: dict[Digest, list[RecordedSignOff]] = {}
    for recorded in records:
        signed.setdefault(recorded.sign_off.sha256, []).append(recorded)
    return signed


def problem_of(sign_off: SignOff) -> Message | None:
    """Say why a sign-off does not hold; None if it does."""
    if not re.fullmatch(r"[0-9a-f]{64}", sign_off.sha256) or not is_plain_name(sign_off.report):
        return msg("it names no report")
    if sign_off.text != sum_line(sign_off.sha256, sign_off.report):
        return msg("what was signed is not the line of sha256sum for its report")
    try:
        signed_by = verify(sign_off.text.encode(), sign_off.signature, NAMESPACE)
    except BadSignature as error:
        return msg("the signature is not valid: {cause}", cause=error.message)
    if signed_by != sign_off.public_key:
        return msg("it is signed by a different key than it names")
    return None


def sum_line(sha256: str, name: str) -> str:
    """Return the line that `sha256sum NAME` prints."""
    return f"{sha256}  {name}\n"


def is_plain_name(name: str) -> bool:
    """Say whether sha256sum prints a file's name as it is: it writes a backslash or a line's end in another way."""
    return bool(name) and not re.search(r"[\x00-\x1f\x7f\\\ud800-\udfff]", name)


def may_sign(person: Person, day: date) -> bool:
    """Say whether a person signs reports on a local day, the first and the last included."""
    return (person.valid_from is None or person.valid_from <= day) and (
        person.valid_to is None or day <= person.valid_to
    )
