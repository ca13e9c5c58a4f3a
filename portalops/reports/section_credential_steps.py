"""What was recorded in the register of credentials over a period, record by record; never a secret, an account or a place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from portalops.model.credentials import Credential, CredentialHandOver, CredentialReturn, CredentialRotation
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.registers.credentials import ADDED, CORRECTED, HANDED_OVER, RETURNED, ROTATED, CredentialStep
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Paragraph, TableBlock

STEPS_SHOWN: Final = 80
_STEPS: Mapping[str, Message] = {
    ADDED: msg("added"),
    CORRECTED: msg("corrected"),
    ROTATED: msg("changed"),
    HANDED_OVER: msg("handed over"),
    RETURNED: msg("returned"),
}


def credential_step_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield a row a record of the period, newest first, or that there is none; nothing where the register is not begun."""
    register = evidence.credentials
    if register is None or not register.is_begun:
        return
    found = [
        (each.id, step)
        for each in register.credentials.values()
        for step in each.steps
        if step.at.astimezone(evidence.zone).date() in evidence.period
    ]
    if not found:
        yield Paragraph(msg("No record of a credential was made in the period."))
        return
    found.sort(key=lambda each: -each[1].seq)
    headers = (msg("Record"), msg("Recorded at"), msg("Credential"), msg("Step"), msg("Day"), msg("Details"))
    rows = [_row(name, step) for name, step in found]
    yield from bounded(
        TableBlock(msg("What was recorded of credentials in the period, newest first"), headers, rows), STEPS_SHOWN
    )


def _row(name: str, step: CredentialStep) -> tuple[Cell, ...]:
    return (str(step.seq), step.at, name, _STEPS[step.kind], *_describe(step))


def _describe(step: CredentialStep) -> tuple[Cell, Cell]:
    body = step.body
    match body:
        case Credential():
            held = msg("held by {holder}, deputy {deputy}", holder=_named(body.holder), deputy=_named(body.deputy))
            return body.issued_on, _add_reason(held, body.reason)
        case CredentialRotation():
            return body.rotated_on, _add_reason(msg("to be changed again by {day}", day=body.rotate_by), body.reason)
        case CredentialHandOver():
            moved = msg("to {holder}, deputy {deputy}", holder=_named(body.holder), deputy=_named(body.deputy))
            return body.on, _add_reason(moved, body.reason)
        case CredentialReturn():
            return body.on, _add_reason(msg("to {name}", name=_named(body.received_by)), body.reason)
        case _:
            return None, None


def _named(name: str) -> str:
    return show_text(name) or "–"


def _add_reason(said: Message, reason: str) -> Message:
    return msg("{said} ({reason})", said=said, reason=show_text(reason)) if reason else said
