"""Reports that went out by mail: what, to whom, and what the mail server said."""

from __future__ import annotations

from enum import StrEnum

from portalops.model.heads import Head
from portalops.model.message import Message
from portalops.model.runs import WrittenFile
from portalops.model.values import dataclass


class MailState(StrEnum):
    """The state of a mail, as the mail server reports it; whether somebody has read it is never known."""

    TAKEN = "taken"
    """The server took it for at least one recipient."""
    REFUSED = "refused"
    """The server cannot be reached, or said no: nobody got it."""
    UNKNOWN = "unknown"
    """The server had it, or may have had it, and said neither yes nor no."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """The body of a `mail.started` record, under the key `mailing`: what is about to be handed to the mail server."""

    report: str
    """Name, such as `compliance`."""
    period: str
    """`2026-11-16..2026-11-22`."""
    scope: str
    """What it is cut down to, such as `unit-so-y-te`; empty for the whole portal."""
    files: tuple[WrittenFile, ...]
    """What is attached."""
    head: Head | None
    """The head that the report carries; None if there was none."""
    made_in: str
    """The run that made and sends it; empty if a person does."""
    server: str
    """Host and port."""
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    """With its angle brackets."""
    size_bytes: int
    """Of the whole mail, as it goes over the wire."""


@dataclass(frozen=True, slots=True)
class RefusedRecipient:
    """One whom the server would not take the mail for."""

    recipient: str
    answer: str
    """Its words with their code, bounded."""


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """The part of a `mail.finished` record's body under the key `mail`: what the server said."""

    state: MailState
    accepted: tuple[str, ...] = ()
    refused: tuple[RefusedRecipient, ...] = ()
    answer: str = ""
    """The server's words on the mail as a whole, bounded; empty if it never came to that."""
    problem: Message | None = None
    """Why nobody got it, or why that is not known; None if the server took it."""
