"""Let a machine or person stand for the records that they write

Without --accept or --end, makes this machine's own key, if it has none. On a ledger of this machine alone, the
configured signing key enrols it at once. On a ledger of a team, --request writes a file that whoever holds the ledger's
key accepts: --accept. From the first writer on, every record is to be claimed within an hour.

Example: portalops ledger enroll --request db1.pub; portalops ledger enroll --accept db1.pub --name db1

EXIT STATUS: 0 enrolled, ended, or shown, 2 a file or name does not fit, or the key was ended, 4 the signing key is not the ledger's, 78 no
signing key is configured, or it cannot be read
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.trusted_keys import read_limited
from commands.ledger.steps import write_request
from portalops.errors import ConfigurationError, UsageError
from portalops.ledger.claimant import record_writer
from portalops.ledger.claims import KEY, is_writer_name
from portalops.ledger.heads import introduce_key
from portalops.ledger.heeded import read_ownership, state_of_writer
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.writers import Authority, Writer, WriterEvent, WriterState
from portalops.reports.document import KeyValues, Paragraph
from portalops.signatures.sshsig import SigningKey, fingerprint, public_key_of

MAX_LINE_BYTES = 1000
"""A public key's line has about 100 bytes; anything larger is some other file."""


@shape
class WriterShown:
    """A machine or person, and whether their key claims records."""

    name: str
    fingerprint: str
    public_key: str
    authority: Authority
    """`all`: plans and erasures too."""
    state: WriterState | None
    """Null before the ledger's key enrols it."""


def enroll(
    ctx: typer.Context,
    *,
    request: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option(metavar="FILE", help=_("Write this machine's public key to a file, for --accept elsewhere")),
    ] = None,
    accept: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("A public key in OpenSSH's format, such as --request writes")),
    ] = None,
    name: Annotated[
        Optional[str],  # noqa: UP045  # as above
        typer.Option(metavar="NAME", help=_("What reports call it; the comment of the key without it")),
    ] = None,
    authority: Annotated[
        Authority, typer.Option(help=_("all: plans and erasures too; records: all but those"))
    ] = Authority.RECORDS,
    end: Annotated[
        Optional[str],  # noqa: UP045  # as above
        typer.Option(metavar="NAME", help=_("A writer whose key claims nothing any more")),
    ] = None,
) -> Result[WriterShown]:
    session = open_session(ctx)
    if accept is not None and end is not None:
        raise UsageError(
            msg("--accept and --end do not go together"), msg("Enrol one writer, or end one: give one of them.")
        )
    if accept is not None:
        return _enrolled(session, accept, name, authority)
    if end is not None:
        return _ended(session, end)
    return _own(session, request)


def _own(session: Session, request: Path | None) -> Result[WriterShown]:
    """Make this machine's key and show it; enrol it where that is this machine's own business."""
    ledger, claimant = session.writable_ledger, session.claimant
    key = claimant.make_key()
    claimant.enrols = session.settings.ledger_store is None
    if claimant.enrols and session.signing_key is not None:
        introduce_key(ledger, session.signing_key)
        claimant.enrol(ledger, session.signing_key)
        key = claimant.make_key()  # another one, where that was ended
    known = next((each for each in read_ownership(ledger).writers if each.public_key == key), None)
    if known is not None and known.ended_seq is not None:
        raise UsageError(
            _was_ended(known),
            msg(
                "It claims nothing any more. If its end was right, make a new key here: move the file {path} away, and run this command again.",
                path=str(session.settings.state_folder / KEY),
            ),
        )
    state = state_of_writer(ledger, key)
    authority = known.authority if known else Authority.RECORDS
    shown = WriterShown(known.name if known else claimant.name, fingerprint(key), key, authority, state)
    if request is not None:
        write_request(request, f"{key} {shown.name}\n")
    return _result(shown)


def _enrolled(session: Session, file: Path, name: str | None, authority: Authority) -> Result[WriterShown]:
    key, comment = _read_line(file)
    called = name or comment
    if not is_writer_name(called):
        raise UsageError(
            msg("a writer cannot be called {name}", name=show_text(repr(called), 60)),
            msg("Give --name with letters, digits, '.', '_', '@' or '-', at most 100."),
        )
    _require_no_second_person(session, key)
    signing, ledger = _signing_key(session), session.writable_ledger
    known = next((each for each in read_ownership(ledger).writers if each.public_key == key), None)
    if known is not None and known.ended_seq is None:  # it keeps the name and the authority that it has
        if known.name != called:
            session.warnings.append(
                msg(
                    "this key is enrolled as {name} and keeps that name. To change it, make a new key there and end this one:"
                    " 'portalops ledger enroll --end {name}'",
                    name=known.name,
                )
            )
        return _result(WriterShown(known.name, fingerprint(key), key, known.authority, WriterState.ADDED))
    if known is not None:
        raise UsageError(
            _was_ended(known),
            msg("Make a new key on that machine: move its file keys/writer away, and run 'portalops ledger enroll'."),
        )
    taken = [each.name for each in read_ownership(ledger).writers if each.ended_seq is None and each.public_key != key]
    if called in taken:
        raise UsageError(
            msg("another writer is called {name}", name=called),
            msg("Give another --name, or end that one first: 'portalops ledger enroll --end {name}'.", name=called),
        )
    event = WriterEvent(ledger.id, WriterState.ADDED, key, called, authority)
    record_writer(ledger, event, signing, circumstances=session.circumstances)
    return _result(WriterShown(called, fingerprint(key), key, authority, WriterState.ADDED))


def _was_ended(writer: Writer) -> Message:
    return msg(
        "the key {key} of {name} was ended by record {seq}",
        key=fingerprint(writer.public_key),
        name=writer.name,
        seq=str(writer.ended_seq),
    )


def _require_no_second_person(session: Session, key: str) -> None:
    """Make sure that a key is nobody's who signs beside the ledger's key: who writes may not set aside as the second."""
    for each in session.settings.people:
        with suppress(ValueError):
            if public_key_of(each.public_key) == key:
                raise UsageError(
                    msg("the key is that of signer {id}, who signs as the second person", id=each.id),
                    msg("Enrol another key of theirs: a writer's key sets nothing aside."),
                )


def _ended(session: Session, name: str) -> Result[WriterShown]:
    signing, ledger = _signing_key(session), session.writable_ledger
    writer = next(
        (each for each in read_ownership(ledger).writers if each.name == name and each.ended_seq is None), None
    )
    if writer is None:
        raise UsageError(
            msg("no writer is called {name}", name=show_text(name, 60)),
            msg("Run 'portalops ledger verify' to see who recorded what."),
        )
    event = WriterEvent(ledger.id, WriterState.ENDED, writer.public_key, writer.name, writer.authority)
    record_writer(ledger, event, signing, circumstances=session.circumstances)
    key = writer.public_key
    return _result(WriterShown(writer.name, fingerprint(key), key, writer.authority, WriterState.ENDED))


def _signing_key(session: Session) -> SigningKey:
    """Return the ledger's key, after it was made sure that the ledger knows it."""
    key = session.signing_key
    if key is None:
        raise ConfigurationError(
            msg("no signing key is configured"),
            msg("Run this where the ledger's key is: [signing] key in the configuration."),
        )
    introduce_key(session.writable_ledger, key)
    return key


def _read_line(file: Path) -> tuple[str, str]:
    """Return the public key of a file, and its comment."""
    text = read_limited(file, MAX_LINE_BYTES).decode("utf-8", "replace").strip()
    try:
        key = public_key_of(text)
    except ValueError as error:
        raise UsageError(
            msg("{path} is not an Ed25519 public key in OpenSSH's format", path=str(file)),
            msg(
                "Run 'portalops ledger enroll --request FILE' on the machine that is to be enrolled; it makes that key."
            ),
        ) from error
    return key, " ".join(text.split()[2:])


def _result(shown: WriterShown) -> Result[WriterShown]:
    match shown.state:
        case WriterState.ADDED:
            said = msg("{name} is enrolled: its key claims what it records", name=shown.name)
        case WriterState.ENDED:
            said = msg("the key of {name} claims nothing any more", name=shown.name)
        case _:
            said = msg(
                "not enrolled yet: give the key to whoever holds the ledger's key, who runs 'portalops ledger enroll --accept FILE'"
            )
    rows = ((msg("Writer"), shown.name), (msg("Key"), shown.fingerprint), (msg("Public key"), shown.public_key))
    return Result(data=shown, view=[KeyValues(rows), Paragraph(said)])


VERB = Verb(enroll)
