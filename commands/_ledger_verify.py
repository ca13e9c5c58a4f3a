"""`portalops ledger verify`: the two verdicts, on the ledger of this machine or on a bundle."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Optional

import typer

from commands._ledger_places import excess_rights
from commands._ledger_views import (
    bundle_data,
    bundle_view,
    exit_code_of,
    verification_data,
    verification_view,
)
from commands._result import Result
from commands._session import Session, open_session
from portalops.config.keys import PUBLIC_SUFFIX
from portalops.errors import NotAHead, SecretUnavailable, UsageError
from portalops.ledger.check_heads import BroughtHead, brought_head, parse_code
from portalops.ledger.heads import MAX_HEAD_BYTES
from portalops.ledger.verify import Brought
from portalops.ledger.verify import verify as verify_ledger
from portalops.locale import _
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.registers.signers import NotAllowedSigners, TrustedKey, parse_allowed_signers
from portalops.signatures.sshsig import public_key_of

MAX_SIGNERS_BYTES = 1 << 20
"""An allowed_signers file has a line for each key; anything larger is some other file."""

HELP = _(
    "Check that nothing recorded was changed, and that nothing expected is missing\n\nTwo verdicts, always apart."
    " Integrity: every record is the one that the next was chained to, every head is signed by the ledger's key and says"
    " what the records are, and every blob has its digest. Completeness: every planned run left its record. What the"
    " ledger's own key rewrote is shown only by a head that somebody else has kept: give it by --head or --head-code."
    "\n\nExample: portalops ledger verify --head mail/head.txt --head-code 412-9f3a-77c0-21de-8b4c-5a10; portalops ledger"
    " verify /media/usb/bundle\n\nEXIT STATUS: 0 both hold, 1 something expected is missing, 2 a given file is no head, or the folder no bundle, 3 completeness could not be"
    " found out, 5 something was changed"
)


def verify(
    ctx: typer.Context,
    bundle: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(help=_("The folder of a bundle; without it, the ledger of this machine")),
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help=_("Only see that each blob is there; do not read and digest it"))
    ] = False,
    head: Annotated[
        Optional[list[Path]],  # noqa: UP045  # as above
        typer.Option(metavar="FILE", help=_("A head that somebody else has kept: six lines of text; may be repeated")),
    ] = None,
    head_code: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option(metavar="CODE", help=_("The code of a head, as a report shows it; may be repeated")),
    ] = None,
    signers: Annotated[
        Optional[Path],  # noqa: UP045  # as above
        typer.Option(
            metavar="FILE", help=_("An allowed_signers file with the keys that you expect the heads to be by")
        ),
    ] = None,
) -> Result:
    session = open_session(ctx)
    heads = (*(read_brought(path) for path in head or ()), *(parse_code(code) for code in head_code or ()))
    trusted = None if signers is None else read_trusted(signers)
    if bundle is not None:
        if quick:
            raise UsageError(
                msg("--quick is for the ledger of this machine; a bundle is always read whole"),
                msg("Leave --quick out."),
            )
        return _verify_bundle(session, bundle, Brought(heads, trusted))
    return _verify_store(session, heads, trusted, read_blobs=not quick)


def _verify_bundle(session: Session, path: Path, brought: Brought) -> Result:
    from portalops.ledger.bundle.verification import verify_bundle  # noqa: PLC0415  # start-up time

    with session.progress.task(msg("Verifying the bundle"), total=None, unit="items") as task:
        found = verify_bundle(path, brought=brought, advance=task.advance)
    return Result(data=bundle_data(found), view=tuple(bundle_view(found)), exit_code=exit_code_of(found))


def _verify_store(
    session: Session, heads: tuple[BroughtHead, ...], trusted: tuple[TrustedKey, ...] | None, *, read_blobs: bool
) -> Result:
    own_key, warnings = _own_key(session)
    with session.progress.task(msg("Verifying the ledger"), total=session.ledger.count(), unit="items") as task:
        found = verify_ledger(
            session.ledger,
            now=session.clock.now(),
            zone=session.zone_of_portal,
            read_blobs=read_blobs,
            brought=Brought(heads, trusted, own_key),
            advance=task.advance,
        )
    return Result(
        data=verification_data(found),
        view=tuple(verification_view(found)),
        warnings=(*warnings, *excess_rights(session)),
        exit_code=exit_code_of(found),
    )


def read_brought(path: Path) -> BroughtHead:
    """Read a head that somebody brings.

    Raises:
        UsageError: the file cannot be read.
        NotAHead: it is no head; the message names it.
    """
    try:
        return brought_head(str(path), _read(path, MAX_HEAD_BYTES))
    except NotAHead as error:
        raise NotAHead(msg("{path}: {cause}", path=str(path), cause=error.message), error.hint) from error


def read_trusted(path: Path) -> tuple[TrustedKey, ...]:
    """Read an allowed_signers file that somebody brings.

    Raises:
        UsageError: the file cannot be read, or is none.
    """
    try:
        return parse_allowed_signers(_read(path, MAX_SIGNERS_BYTES).decode())
    except ValueError as error:
        cause = error.message if isinstance(error, NotAllowedSigners) else msg("it is not text in UTF-8")
        raise UsageError(
            msg("{path} is no allowed_signers file: {cause}", path=str(path), cause=cause),
            msg(
                "A line is a name, options and a key: 'ledger namespaces=\"portalops-head\" ssh-ed25519 AAAA...'; see"
                " ssh-keygen(1)."
            ),
        ) from error


def _read(path: Path, limit: int) -> bytes:
    """Return a file's bytes, at most one more than the limit."""
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise UsageError(
            msg("cannot read {path}: {cause}", path=str(path), cause=cause_of(error)),
            msg("Check the path, and who may read the file."),
        ) from error


def _own_key(session: Session) -> tuple[str, tuple[Message, ...]]:
    """Return the public half of the configured signing key, or none and why it cannot be compared."""
    path = session.settings.signing_key
    if path is None:
        return "", ()
    with suppress(SecretUnavailable):
        key = session.signing_key
        return (key.public_key if key else ""), ()
    try:
        return public_key_of(path.with_name(path.name + PUBLIC_SUFFIX).read_text(encoding="utf-8")), ()
    except (OSError, ValueError):
        return "", (
            msg(
                "the signing key {path} cannot be read, so it is not known whether the heads are by it", path=str(path)
            ),
        )
