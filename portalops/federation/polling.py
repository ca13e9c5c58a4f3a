"""One look at one site: its bundles verified, held to every head that is known of it, and its duties judged.

A bundle is verified by the same points as by 'portalops ledger verify', and nothing is taken from it before it holds. The heads that
were taken before, and those that a witness keeps, are brought to the verification as an auditor brings them; so are the
site's keys. What then does not lead over those heads was cut off, rewritten, or is another ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from portalops.errors import IntegrityError, LedgerError
from portalops.federation.judging import Rules, period_of, standings_of
from portalops.federation.rules import BundleRefusal, SitePoll, SiteVerdict
from portalops.federation.site import FINGERPRINT, Site
from portalops.federation.state import SeenHead, State
from portalops.ledger.bundle import contents
from portalops.ledger.bundle.contents import Description, is_newer, parse_description
from portalops.ledger.bundle.folder import BundleFolder
from portalops.ledger.bundle.verification import BundleVerification, verify_bundle
from portalops.ledger.bundle.zip_file import read_packed, unpacked_bytes
from portalops.ledger.check_heads import HeadVerdict, SuppliedHead
from portalops.ledger.heads import code_of
from portalops.ledger.record import parse_at
from portalops.ledger.verify import Supplied
from portalops.model.heads import Head, SignedHead
from portalops.model.message import Message, msg, nmsg
from portalops.model.record import Digest
from portalops.model.standing import Standing
from portalops.model.text import show_text
from portalops.registers.figures import MAX_BODY_BYTES
from portalops.registers.signers import NotAllowedSigners, TrustedKey, parse_allowed_signers
from portalops.signatures.sshsig import fingerprint

CLOCKS_APART = timedelta(minutes=5)
"""How far a site's clock may be ahead of this machine's."""

MAX_SIGNERS_BYTES = 1 << 20
"""As much as is read of the keys that a bundle lists, to find those of the site's fingerprints."""

MAX_BUNDLES = 1000
"""More bundles of one site that were not seen before are some other folder."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a folder or ZIP file says that it is, before anything of it is believed."""

    path: Path
    description: Description | None
    """None if it cannot be read: then verification says why."""

    @property
    def records(self) -> int:
        return self.description.records if self.description else 0


@dataclass(frozen=True, slots=True)
class _Asked:
    """Whose bundles are looked at, and when."""

    site: Site
    state: State
    now: datetime
    advance: Advance


class _Refused(Exception):
    """A bundle that does not hold, or does not fit what is known of its site."""

    def __init__(
        self, path: Path, reason: BundleRefusal, message: Message, hint: Message, *, signed: SignedHead | None = None
    ) -> None:
        super().__init__(str(message))
        self.signed = signed
        """The newest head that it holds, if one holds: together with one that was taken before it can show a fork to others."""
        self.path = path
        self.reason = reason
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Taken:
    """A bundle that holds, and leads over every head that is known."""

    path: Path
    found: BundleVerification
    seen: SeenHead


def poll_site(
    site: Site,
    state: State,
    rules: Rules,
    *,
    kept: Sequence[Head] = (),
    advance: Advance = lambda _amount: None,
) -> SitePoll:
    """Look at one site; nothing is written.

    Args:
        site: where its bundles are, and what is known of it.
        state: what was taken of it before.
        rules: by what its duties are judged.
        kept: heads that a witness keeps of its ledger.
        advance: is called with the records done.
    """
    now = rules.clock.now()
    settings = site.settings
    newest = state.newest
    witnessed = max(kept, key=lambda head: head.size, default=None)
    base = SitePoll(
        id=site.id,
        name=settings.title,
        at=now,
        max_age=timedelta(days=settings.max_age_days),
        verdict=SiteVerdict.MISSING,
        ledger=state.ledger or settings.ledger or "",
        head=_newer(newest.head if newest else None, witnessed),
        speaks_until=newest.speaks_until if newest else None,
        problem=msg("no bundle has arrived"),
        hint=msg("Ask the site for the folder or ZIP file that 'portalops ledger export' writes there."),
    )
    try:
        claims, notes = _claims(site, state)
    except LedgerError as error:
        return replace(base, verdict=SiteVerdict.UNREADABLE, problem=error.message, hint=error.hint)
    if not claims:
        unreadable = SiteVerdict.UNREADABLE if notes else SiteVerdict.MISSING
        return replace(base, verdict=unreadable, problem=notes[0] if notes else base.problem, notes=notes[1:])
    try:
        taken = _take_all(_Asked(site, state, now, advance), claims, kept)
        last = taken[-1]
        standings, doubts = _judged(last, site, rules)
    except _Refused as refused:
        return replace(
            base,
            verdict=SiteVerdict.REFUSED,
            reason=refused.reason,
            problem=refused.message,
            hint=refused.hint,
            notes=notes,
            bundle=str(refused.path),
            refused=refused.signed,
        )
    except LedgerError as error:
        return replace(base, verdict=SiteVerdict.UNREADABLE, problem=error.message, hint=error.hint, notes=notes)
    completeness = last.found.completeness
    return replace(
        base,
        verdict=SiteVerdict.VERIFIED,
        problem=None,
        hint=None,
        notes=(*notes, *doubts, *_unclaimed(last.found), *_unproven(last.found)),
        bundle=str(last.path),
        ledger=last.found.ledger,
        head=_newer(last.seen.head, witnessed),
        speaks_until=last.seen.speaks_until,
        period=period_of(last.found)[0],
        complete=None if completeness.problem is not None else completeness.holds,
        missing_runs=len(completeness.missing),
        withheld=len(completeness.withheld),
        standings=standings,
        taken=tuple(each.seen for each in taken),
    )


def _judged(taken: _Taken, site: Site, rules: Rules) -> tuple[tuple[Standing, ...], tuple[Message, ...]]:
    """Return the duties, or why nothing is known of any although the bundle holds.

    Raises:
        _Refused: the folder is not any more what was verified.
    """
    try:
        return standings_of(taken.path, taken.found, site.settings, rules), ()
    except IntegrityError as error:
        raise _Refused(taken.path, BundleRefusal.CHANGED, error.message, error.hint) from error
    except LedgerError as error:
        return (), (msg("no duty can be judged: {cause}", cause=error.message),)


def _unclaimed(found: BundleVerification) -> Iterator[Message]:
    """Say how many records no writer claims: they meet no duty."""
    rows = found.integrity.unclaimed
    if rows:
        yield nmsg(
            "no writer claims {n} record: record {first}",
            "no writer claims {n} records; they are among records {first} to {last}",
            sum(last - first + 1 for first, last in rows),
            first=str(rows[0][0]),
            last=str(rows[-1][1]),
        )


def _unproven(found: BundleVerification) -> Iterator[Message]:
    """Name what was set aside for the want of details that the bundle leaves out."""
    for each in found.integrity.unproven[:_MOST_NAMED]:
        yield msg(
            "record {seq} sets records {first} to {last} aside because their details are missing, and the bundle leaves them out or has them:"
            " whether that was so could not be found out",
            seq=each.seq,
            first=str(each.quarantine.first),
            last=str(each.quarantine.last),
        )


_MOST_NAMED = 5


def _newer(one: Head | None, other: Head | None) -> Head | None:
    return one if other is None or (one is not None and one.size >= other.size) else other


def _claims(site: Site, state: State) -> tuple[tuple[_Claim, ...], tuple[Message, ...]]:
    """Return the bundles to be verified, the one with the most records last, and what is said of other folders.

    A bundle that was taken before is not verified again unless it is the newest: its head is held to by all that are.

    Raises:
        LedgerError: it cannot be found out which there are, or there are too many.
    """
    known = {(each.records, each.last_line) for each in state.seen}
    claims: list[_Claim] = []
    notes: list[Message] = []
    for path in site.bundles():
        try:
            claims.append(_Claim(path, _described(path)))
        except LedgerError as error:
            notes.append(error.message)
    claims.sort(key=lambda claim: (claim.records, claim.path))
    fresh = [
        claim
        for claim in claims
        if claim is claims[-1] or claim.description is None or (claim.records, claim.description.head) not in known
    ]
    if len(fresh) > MAX_BUNDLES:
        raise LedgerError(
            msg("site {id} has more than {n} new bundles", id=site.id, n=MAX_BUNDLES),
            msg("Leave the newest ones in its folder."),
        )
    return tuple(fresh), tuple(notes)


def _described(path: Path) -> Description | None:
    """Return what a folder or ZIP file says that it is; None if that cannot be read.

    Raises:
        LedgerError: it is no bundle, one of a newer format, or cannot be read.
    """
    data = _read(path, contents.DESCRIPTION, MAX_BODY_BYTES)
    if is_newer(data):
        verify_bundle(path)  # says so
    return parse_description(data)


def _take_all(asked: _Asked, claims: Sequence[_Claim], kept: Sequence[Head]) -> tuple[_Taken, ...]:
    """Verify each bundle, the smaller ones first: each must lead over all that were taken before it.

    Raises:
        _Refused: one does not hold, or does not fit.
        LedgerError: one cannot be read.
    """
    heads = [_supply_head(each.head) for each in asked.state.seen]
    heads += [_supply_head(each) for each in kept]
    taken: list[_Taken] = []
    for claim in claims:
        own = claim.description.ledger if claim.description else ""
        # A larger head than the bundle has records shows nothing of it, but for which ledger it is of.
        known = [each for each in heads if each.size <= claim.records or each.ledger != own]
        taken.append(one := _take(asked, claim, known))
        heads.append(_supply_head(one.seen.head))
    before, last = asked.state.newest, taken[-1].seen.head
    if before is not None and last.size < before.head.size:
        raise _Refused(
            claims[-1].path,
            BundleRefusal.WENT_BACK,
            msg(
                "the ledger went back: the newest bundle's head {found} covers fewer records than {kept}, "
                "received on {day}",
                found=code_of(last),
                kept=code_of(before.head),
                day=before.seen_at,
            ),
            msg(
                "Ask the site for a newer bundle. If it has none, records were cut off there: keep everything as it is."
            ),
        )
    return tuple(taken)


def _supply_head(head: Head) -> SuppliedHead:
    return SuppliedHead(code_of(head), head.size, head.digest, head.ledger)


def _take(asked: _Asked, claim: _Claim, known: Sequence[SuppliedHead]) -> _Taken:
    site, now = asked.site, asked.now
    _require_size(claim.path, site.settings.max_gib)
    trusted = tuple(_trusted(site.settings.keys, claim.path))
    found = verify_bundle(claim.path, brought=Supplied(known, trusted), advance=asked.advance)
    expected = site.settings.ledger or asked.state.ledger
    if found.ledger and expected and found.ledger != expected:
        raise _Refused(
            claim.path,
            BundleRefusal.OTHER_LEDGER,
            msg(
                "the bundle is of another ledger, {found} instead of {kept}",
                found=show_text(found.ledger, 64),
                kept=expected,
            ),
            msg(
                "Ask the site, for example by telephone, whether it started a new ledger, and why. If it did, "
                "put the new id into the site's table and move the folder federation/{id} out of the state "
                "folder.",
                id=site.id,
            ),
        )
    newest = found.integrity.signed.newest
    if not found.integrity.holds or newest is None or newest.head is None or newest.signed is None:
        raise _refusal(claim.path, found, trusted)
    if max(newest.head.at, parse_at(found.integrity.last_at)) > now + CLOCKS_APART:
        raise _Refused(
            claim.path,
            BundleRefusal.TIME,
            msg(
                "the bundle's head has the time {at}, in the future: the time here is {now}", at=newest.head.at, now=now
            ),
            msg("Compare the clocks of both hosts with a third one: run 'timedatectl' on each."),
        )
    period, zone = period_of(found)
    speaks_until = min(newest.head.at, period.bounds(zone)[1])
    last_line = Digest(found.integrity.head)
    return _Taken(
        claim.path, found, SeenHead(newest.signed, found.integrity.records, last_line, speaks_until, seen_at=now)
    )


def _require_size(path: Path, max_gib: int) -> None:
    """Look how much there is to read before anything is: a sparse file takes no room and days to be digested, and a ZIP file little.

    Raises:
        LedgerError: it is more than is read of a site.
    """
    left = max_gib << 30
    for size in _sizes(path):
        left -= size
        if left < 0:
            raise LedgerError(
                msg("the bundle {path} is larger than {n} GiB", path=show_text(str(path)), n=max_gib),
                msg("If the site's ledger really is that large, raise max_gib in its table."),
            )


def _sizes(path: Path) -> Iterator[int]:
    if path.is_file():
        yield unpacked_bytes(path)
        return
    with BundleFolder(path) as folder, closing(folder.names()) as names:
        yield from (folder.size(name) for name, is_file in names if is_file)


def _read(path: Path, name: str, limit: int) -> bytes:
    """Return a file of a bundle, at most one byte more than the limit; empty if there is none that can be read."""
    if path.is_file():
        return read_packed(path, name, limit)
    with BundleFolder(path) as folder:
        return folder.read(name, limit) or b""


def _trusted(keys: Sequence[str], path: Path) -> Iterator[TrustedKey]:
    """Yield the site's keys; of a fingerprint the one key that has it, if the bundle lists it."""
    for key in keys:
        if not FINGERPRINT.fullmatch(key):
            yield TrustedKey(key, (), None, None)
    if not any(FINGERPRINT.fullmatch(key) for key in keys):
        return
    data = _read(path, contents.SIGNERS, MAX_SIGNERS_BYTES)
    try:
        listed = {each.public_key for each in parse_allowed_signers(data.decode())}
    except (NotAllowedSigners, UnicodeDecodeError):
        return  # verification names it
    for public_key in sorted(listed):
        if fingerprint(public_key) in keys:
            yield TrustedKey(public_key, (), None, None)


def _refusal(path: Path, found: BundleVerification, trusted: Sequence[TrustedKey]) -> _Refused:
    """Say why a bundle is not taken: the gravest that it shows."""
    integrity = found.integrity
    verdicts = {each.verdict for each in integrity.signed.supplied}
    signed = integrity.signed.newest.signed if integrity.signed.newest else None
    own = {use.signer.public_key for use in integrity.signed.uses}
    what = integrity.faults[0].what if integrity.faults else msg("the bundle is not signed")
    compare = msg(
        "Keep everything as it is, and ask the site, for example by telephone. For all faults run 'portalops "
        "ledger verify {path}'.",
        path=show_text(str(path)),
    )
    if HeadVerdict.OTHER_LEDGER in verdicts:
        return _Refused(path, BundleRefusal.OTHER_LEDGER, what, compare, signed=signed)
    if HeadVerdict.OTHER_DIGEST in verdicts:
        forked = next(each.supplied for each in integrity.signed.supplied if each.verdict is HeadVerdict.OTHER_DIGEST)
        return _Refused(
            path,
            BundleRefusal.FORK,
            msg(
                "the ledger forked: record {seq} is not the record that the head {head} signed",
                seq=str(forked.size),
                head=forked.name,
            ),
            compare,
            signed=signed,
        )
    if own and own.isdisjoint(each.public_key for each in trusted):
        signer = integrity.signed.uses[-1].signer.public_key
        return _Refused(
            path,
            BundleRefusal.STRANGER,
            msg("the bundle is signed by the key {key}, which is not a key of the site", key=fingerprint(signer)),
            msg("Ask the site for its key's fingerprint, in person or by telephone; only then add the key to 'keys'."),
        )
    return _Refused(path, BundleRefusal.CHANGED, msg("the bundle is not intact: {what}", what=what), compare)
