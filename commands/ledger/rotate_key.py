"""Let a new key sign the ledger

Makes a key pair, has the old key sign for it, and retires the old key. The old key's file is kept under another name,
and its signatures stay valid for their time. With --lost, for an old key that is gone, no key signs for the new one,
and every verification reports that. Call it again to finish an interrupted change.

Example: portalops ledger rotate-key --reason 'a year is over'

EXIT STATUS: 0 the new key signs, 2 the key is not lost, 4 the key is not the ledger's, 78 no signing key is
configured, or it cannot be read
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from portalops.config.keys import make_next_key, next_key, take_up_next_key, write_signing_public
from portalops.errors import ConfigurationError, LedgerError, SecretUnavailable, UsageError
from portalops.ledger.heads import NAMESPACE, announce_key, code_of, newest_head, read_signers, retire_others
from portalops.locale import _
from portalops.model.heads import Signer
from portalops.model.message import Message, msg
from portalops.reports.document import Block, Bullets, Cell, KeyValues, Notice, Paragraph, Tone
from portalops.signatures.sshsig import BadSignature, SigningKey, fingerprint, verify
from portalops.system.locks import locked


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is to be done; it can be printed."""

    path: Path
    """Of the configured key."""
    old: SigningKey | None
    """None if it is lost, or if all that is left is to retire it."""
    keep_as: Path | None
    is_begun: bool
    """The next key is there already, and is taken up."""
    is_nearly_done: bool
    """The new key is in its place; only others are left to retire."""
    is_confirmed: bool
    """The old key signed for the next one before, and need not any more."""
    retires: tuple[Signer, ...]


@shape
class RotatedKey:
    """The key that signs from now on."""

    fingerprint: str
    public_key: str
    file: str
    """Of the private key."""
    retired: tuple[str, ...]
    """Fingerprints of the keys before."""
    kept_as: str | None
    """Where the old private key lies now."""
    head: str
    """Code of the head that the new key signed."""
    speaks_for_itself: bool
    """No key before it signed for it."""
    finished_earlier: bool
    """An earlier call had changed the key, and this one ended it."""


@shape
class RotationPlan:
    """What would be done: --dry-run."""

    retires: tuple[str, ...]
    """Fingerprints of keys."""
    kept_as: str | None
    """Where the old private key would lie."""
    steps: tuple[str, ...]
    """For people."""


def rotate_key(
    ctx: typer.Context,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help=_("Why, for the readers of the ledger"))],
    lost: Annotated[
        bool, typer.Option("--lost", help=_("The old key is gone, and cannot sign for the new one"))
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be done, and do nothing"))] = False,
) -> Result[RotatedKey | RotationPlan]:
    session = open_session(ctx)
    if not reason.strip():
        raise UsageError(msg("--reason is empty"), msg("Say why the key is changed: --reason 'a year is over'."))
    path = session.settings.signing_key
    if path is None:
        raise ConfigurationError(
            msg("no signing key is configured"),
            msg(
                "Name its file in the configuration, [signing] key = \"keys/signing\", and run 'portalops init --keys'."
            ),
        )
    if dry_run:
        return _plan_result(_decide(session, path, lost=lost))
    with locked(session.settings.state_folder / "locks" / "signing-key.lock", holder=session.holder):
        return _carry_out(session, _decide(session, path, lost=lost), reason.strip())


def _decide(session: Session, path: Path, *, lost: bool) -> Rotation:
    signers = read_signers(session.ledger)
    valid = tuple(each for each in signers if each.retired_seq is None)
    if not valid:
        raise LedgerError(
            msg("this ledger has no signed head yet, so there is no key to change"),
            msg("Run 'portalops ledger head' to sign it with the configured key."),
        )
    pending = next_key(path)
    present = _loaded(path, lost=lost)
    mine = next((each for each in valid if present and each.public_key == present.public_key), None)
    others = tuple(each for each in valid if each is not mine)
    if (
        mine is not None
        and mine is not signers[0]
        and not pending.exists()
        and (any(each.added_seq < mine.added_seq for each in others) or not _has_signed(session, mine))
    ):
        return Rotation(path, None, None, is_begun=True, is_nearly_done=True, is_confirmed=True, retires=others)
    following = _confirmed_next(pending, present, valid) if present is not None else None
    if not lost and mine is None and following is not None:
        others = tuple(each for each in valid if each is not following)
        # A stranger retired the old key meanwhile: that counts from the moment on at which it had signed for the next one.
        return Rotation(path, None, _kept_name(path, present), True, False, True, others)
    if lost and mine is not None:
        raise UsageError(
            msg("the signing key {path} is not lost: it is there and is the ledger's key", path=str(path)),
            msg("Run 'portalops ledger rotate-key --reason ...' without --lost, so that it signs for the new one."),
        )
    if not lost and mine is None:
        raise LedgerError(
            msg("the signing key {path} is not the ledger's key", path=str(path)),
            msg("Put the right key there; if it is gone for good, add --lost."),
        )
    old = None if lost else present
    return Rotation(path, old, _kept_name(path, present), _suits(pending, signers, old), False, False, valid)


def _carry_out(session: Session, rotation: Rotation, reason: str) -> Result[RotatedKey]:
    path, ledger, clock = rotation.path, session.writable_ledger, session.clock
    comment = f"portalops@{session.settings.portal.id}"
    if rotation.is_nearly_done:
        write_signing_public(path, comment=comment)
    else:
        if not rotation.is_begun:
            make_next_key(path)
        if not rotation.is_confirmed:
            announce_key(ledger, rotation.old, SigningKey.load(next_key(path)), reason=reason, clock=clock)
        take_up_next_key(path, keep_as=rotation.keep_as, comment=comment)
    key = SigningKey.load(path)
    made = retire_others(ledger, key, reason=reason, clock=clock)
    named = next(each for each in read_signers(ledger) if each.public_key == key.public_key)
    rows: list[tuple[Message, Cell]] = [
        (msg("The key that signs now"), fingerprint(key.public_key)),
        (msg("Its file"), str(path)),
        (msg("Keys retired"), ", ".join(fingerprint(each.public_key) for each in rotation.retires)),
        (msg("The old key's file is kept as"), str(rotation.keep_as) if rotation.keep_as else None),
        (msg("Head"), code_of(made.head)),
    ]
    view: list[Block] = [KeyValues(rows)]
    if not named.replaces:
        view.append(Notice(msg("No earlier key signed for the new key."), Tone.UNSURE))
    view.append(Paragraph(msg("Give the new public key to those who check the heads: {path}.pub", path=str(path))))
    data = RotatedKey(
        fingerprint=fingerprint(key.public_key),
        public_key=key.public_key,
        file=str(path),
        retired=tuple(fingerprint(each.public_key) for each in rotation.retires),
        kept_as=str(rotation.keep_as) if rotation.keep_as else None,
        head=code_of(made.head),
        speaks_for_itself=not named.replaces,
        finished_earlier=rotation.is_nearly_done,
    )
    return Result(data=data, view=view)


def _plan_result(rotation: Rotation) -> Result[RotationPlan]:
    steps = tuple(_steps(rotation))
    return Result(
        data=RotationPlan(
            retires=tuple(fingerprint(each.public_key) for each in rotation.retires),
            kept_as=str(rotation.keep_as) if rotation.keep_as else None,
            steps=tuple(map(str, steps)),
        ),
        view=(Paragraph(msg("This would be done:")), Bullets(steps)),
    )


def _steps(rotation: Rotation) -> Iterator[Message]:
    if not rotation.is_nearly_done:
        path = str(next_key(rotation.path))
        if rotation.is_begun:
            yield msg("take up the key that was made in {path} before", path=path)
        else:
            yield msg("make a key in {path}", path=path)
        if rotation.old is None and not rotation.is_confirmed:
            yield msg("record it, without a signature of the old key")
        elif rotation.old is not None:
            yield msg("record it, and sign a head over that with the old key")
        if rotation.keep_as is not None:
            yield msg("keep the old key's file as {path}", path=str(rotation.keep_as))
        yield msg("move the new key to {path}", path=str(rotation.path))
    for signer in rotation.retires:
        yield msg("retire the key {key}", key=fingerprint(signer.public_key))
    yield msg("sign a head with the new key")


def _loaded(path: Path, *, lost: bool) -> SigningKey | None:
    """Return the configured key; None if it cannot be had and is said to be lost."""
    try:
        return SigningKey.load(path)
    except SecretUnavailable as error:
        if lost:
            return None
        hint = msg("Put the key there; if it is gone for good, add --lost: then no earlier key signs for the new one.")
        raise SecretUnavailable(error.message, hint) from error


def _has_signed(session: Session, signer: Signer) -> bool:
    """Say whether the newest head is by a key."""
    newest = newest_head(session.ledger)
    try:
        return newest is not None and signer.public_key == verify(
            newest.signed.text.encode(), newest.signed.signature, NAMESPACE
        )
    except BadSignature:
        return False


def _suits(pending: Path, signers: tuple[Signer, ...], old: SigningKey | None) -> bool:
    """Say whether a next key that lies there is one that an earlier call made for the same change."""
    try:
        public_key = SigningKey.load(pending).public_key
    except SecretUnavailable:
        return False
    known = next((each for each in signers if each.public_key == public_key), None)
    if known is None:
        return True
    return known.retired_seq is None and known.replaces == (old.public_key if old else "")


def _confirmed_next(pending: Path, old: SigningKey, valid: tuple[Signer, ...]) -> Signer | None:
    """Return the next key that lies there, if the old one had signed for it."""
    try:
        public_key = SigningKey.load(pending).public_key
    except SecretUnavailable:
        return None
    named = (each for each in valid if each.public_key == public_key and each.replaces == old.public_key)
    return next((each for each in named if each.vouched_seq is not None), None)


def _kept_name(path: Path, present: SigningKey | None) -> Path | None:
    """Return under which name the present file is kept: one that is the same at every call, and says what it is."""
    if present is not None:
        mark = hashlib.sha256(present.public_key.encode()).hexdigest()[:8]
        return path.with_name(f"{path.name}.retired-{mark}")
    try:
        mark = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    except OSError:
        return None
    return path.with_name(f"{path.name}.unusable-{mark}")


VERB = Verb(rotate_key)
