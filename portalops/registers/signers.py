"""Which key signed heads from when to when: the key records, folded; and the same as OpenSSH's `allowed_signers`.

Whoever may append can add a key, and write that one was retired. A key is *confirmed* as the first one, by a head of the confirmed key that it
replaces, or since the reader knows it to be the ledger's own. A retirement counts if its key signed a head over the record of the key that
replaces it, or if the first head of a confirmed key over the retirement is by another one, and does not confirm the key. A key that signs on
over its own retirement was not retired (docs/ledger-format.md, Keys).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta

from portalops import bodies
from portalops.model.heads import KeyEvent, Signer
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.model.values import dataclass
from portalops.signatures.sshsig import public_key_of

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


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key of an `allowed_signers` file that somebody brings."""

    public_key: str
    namespaces: tuple[str, ...]
    """What it may sign; empty for anything."""
    valid_from: datetime | None
    valid_to: datetime | None

    def may_sign(self, namespace: str, moment: datetime) -> bool:
        """Say whether the key may sign for a purpose at a moment, cut to whole seconds as OpenSSH does; ends included."""
        second = moment.replace(microsecond=0)
        return (
            (not self.namespaces or namespace in self.namespaces)
            and (self.valid_from is None or self.valid_from <= second)
            and (self.valid_to is None or second <= self.valid_to)
        )


def read_key_event(blob: bytes) -> KeyEvent | None:
    """Read the body of a key record; None if it holds no key that could sign."""
    part = bodies.part_of(blob, "key")
    public_key, reason, replaces = part.get("public_key"), part.get("reason", ""), part.get("replaces", "")
    if not isinstance(public_key, str) or not isinstance(reason, str) or not isinstance(replaces, str):
        return None
    try:
        return KeyEvent(public_key, reason, replaces) if public_key_of(public_key) == public_key else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class HeadSignature:
    """Who signed a head of this ledger over what."""

    seq: int
    """Of its record."""
    size: int
    at: datetime
    """Of the head."""
    public_key: str


@dataclass(frozen=True, slots=True)
class DisownedKeys:
    """A key of this ledger signed, with a second person, that records are a stranger's: its later heads confirm no key that they add."""

    seq: int
    """Of the quarantine's record."""
    public_key: str
    """The signer's."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class KeyMend:
    """A mended clock that a key signed, with a second person: if it names the key's own record, the key signs from then on, not from that record's wrong time."""

    at: datetime
    """Of the mended clock's record."""
    public_key: str
    """The signer's."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FoldedKeys:
    """What the key records come to."""

    signers: tuple[Signer, ...]
    """In the order in which they were added."""
    unheeded: tuple[RecordedKey, ...]
    """Retirements that no key of the ledger stands by, and that count for nothing."""


def fold_signers(
    events: Sequence[RecordedKey],
    heads_behind: Callable[[int], Iterable[HeadSignature]],
    *,
    principal: str,
    known: Collection[str] = (),
    disowned: Sequence[DisownedKeys] = (),
    mends: Sequence[KeyMend] = (),
) -> FoldedKeys:
    """Return the keys, and the retirements that count for nothing.

    Args:
        events: the key records, oldest first.
        heads_behind: given a record's number, yields the heads recorded behind it, oldest first. It is asked only while a
            retirement or a successor depends on them.
        principal: the name that stands for all of them in `allowed_signers`: the ledger's id.
        known: public keys that the reader knows to be the ledger's own.
        disowned: what quarantines name, and who signed them.
        mends: what mended clocks name, and who signed them.
    """
    fold = _KeyFold(principal, _known_with_replaced(events, known), disowned, mends)
    for place, recorded in enumerate(events):
        fold.take_key(recorded)
        following = events[place + 1].seq if place + 1 < len(events) else None
        if not fold.is_open():
            continue
        for head in heads_behind(recorded.seq):
            if following is not None and head.seq > following:
                break
            fold.take_head(head)
            if not fold.is_open():
                break
    return fold.result()


def _known_with_replaced(events: Sequence[RecordedKey], known: Collection[str]) -> frozenset[str]:
    """Return the known keys with those that they replace: whoever made a known key recorded it, and named the one before it."""
    found, replaces = set(known), dict[str, str]()
    for each in events:
        if each.kind == KEY_ADDED:
            replaces.setdefault(each.event.public_key, each.event.replaces)
    waiting = list(found)
    while waiting:
        before = replaces.get(waiting.pop(), "")
        if before and before not in found:
            found.add(before)
            waiting.append(before)
    return frozenset(found)


@dataclass(slots=True)
class _KeyFold:
    principal: str
    known: Collection[str]
    disowned: Sequence[DisownedKeys]
    mends: Sequence[KeyMend]
    signers: dict[str, Signer] = field(default_factory=dict)
    pending: dict[str, RecordedKey] = field(default_factory=dict)
    """Retirements that no head is over yet, by key."""
    unheeded: list[RecordedKey] = field(default_factory=list)

    def take_key(self, recorded: RecordedKey) -> None:
        key = recorded.event.public_key
        if recorded.kind == KEY_ADDED and key not in self.signers:
            is_known = not self.signers or key in self.known
            replaces = recorded.event.replaces
            signer = Signer(self.principal, key, recorded.at, None, recorded.seq, None, replaces, is_known=is_known)
            self.signers[key] = begin_mended(signer, self.mends)
        elif recorded.kind == KEY_RETIRED and key in self.signers and self.signers[key].retired_seq is None:
            if any(each.replaces == key and each.vouched_seq is not None for each in self.signers.values()):
                self._retire(recorded)
            else:
                self.pending.setdefault(key, recorded)

    def take_head(self, head: HeadSignature) -> None:
        if signer_at(tuple(self.signers.values()), head.public_key, head.seq, head.at) is None:
            return
        if head.size >= head.seq:
            return
        for key, each in self.signers.items():
            if each.replaces != head.public_key or each.vouched_seq is not None or each.added_seq > head.size:
                continue
            if not self._is_disowned(each, head):
                self.signers[key] = replace(each, vouched_seq=head.seq)
        for key, recorded in tuple(self.pending.items()):
            if recorded.seq <= head.size:
                del self.pending[key]
                # A key that this very head confirms is the next one: who retired it before was nobody.
                if head.seq == self.signers[key].vouched_seq or key == head.public_key:
                    self.unheeded.append(recorded)
                else:
                    self._retire(recorded)

    def is_open(self) -> bool:
        """Say whether a later head can change anything."""
        waits = any(each.replaces in self.signers and each.vouched_seq is None for each in self.signers.values())
        return bool(self.pending) or waits

    def result(self) -> FoldedKeys:
        # Where another key is left, its head may come yet: a change of keys was interrupted.
        left = {key for key, signer in self.signers.items() if signer.retired_seq is None and signer.is_confirmed}
        alone = [recorded for key, recorded in self.pending.items() if left == {key}]
        return FoldedKeys(
            tuple(self.signers.values()), tuple(sorted((*self.unheeded, *alone), key=lambda one: one.seq))
        )

    def _is_disowned(self, each: Signer, head: HeadSignature) -> bool:
        return any(
            one.public_key == head.public_key and one.seq < head.seq and one.first <= each.added_seq <= one.last
            for one in self.disowned
        )

    def _retire(self, recorded: RecordedKey) -> None:
        key = recorded.event.public_key
        self.signers[key] = replace(self.signers[key], valid_to=recorded.at, retired_seq=recorded.seq)


def begin_mended(signer: Signer, mends: Iterable[KeyMend]) -> Signer:
    """Return a key as it signs from the earliest mended clock on that it signed itself and that names its record."""
    moments = (
        each.at
        for each in mends
        if each.public_key == signer.public_key and each.first <= signer.added_seq <= each.last
    )
    return replace(signer, valid_from=min((signer.valid_from, *moments)))


def signer_at(signers: Sequence[Signer], public_key: str, seq: int, moment: datetime) -> Signer | None:
    """Return the signer of a confirmed key if it was allowed to sign in a record, at a moment (`Signer.signs`)."""
    for signer in signers:
        if signer.public_key == public_key and signer.is_confirmed and signer.signs(seq, moment):
            return signer
    return None


def signer_by_time(signers: Sequence[Signer], public_key: str, moment: datetime) -> Signer | None:
    """Return the signer of a confirmed key that was in use at a moment, ends included: of what has no place in the chain, as a backup set."""
    for signer in signers:
        if signer.public_key == public_key and signer.is_confirmed and signer.valid_from <= moment:
            return signer if signer.valid_to is None or moment <= signer.valid_to else None
    return None


def confirmed_keys(signers: Iterable[Signer]) -> frozenset[str]:
    """Return the public keys that are the ledger's own, whether they still sign or not."""
    return frozenset(each.public_key for each in signers if each.is_confirmed)


def confirmed_before(signers: Iterable[Signer], seq: int) -> frozenset[str]:
    """Return the public keys that were the ledger's own before a record, whether they signed then or not."""
    return frozenset(
        each.public_key
        for each in signers
        if (each.is_known and each.added_seq < seq) or (each.vouched_seq is not None and each.vouched_seq < seq)
    )


def signing_keys(trusted: Iterable[TrustedKey]) -> frozenset[str]:
    """Return the public keys among those that somebody brings which may sign heads at any time."""
    return frozenset(each.public_key for each in trusted if not each.namespaces or "portalops-head" in each.namespaces)


def allowed_signers_line(
    principal: str, namespaces: str, public_key: str, valid_from: datetime | None, valid_to: datetime | None
) -> str:
    """Return one line of an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS), ending in a line feed.

    Times are cut to whole seconds, as OpenSSH reads no finer ones; both ends are included. It refuses a file with a time before the first
    second of 1970, or an end not behind its beginning, whatever a ledger holds: such a time is put as near as it may be.
    """
    valid_from = max(valid_from, _FIRST_SECOND) if valid_from else None
    valid_to = max(valid_to, (valid_from or _FIRST_SECOND) + timedelta(seconds=1)) if valid_to else None
    options = [f'namespaces="{namespaces}"']
    options += [f'valid-after="{_stamp(valid_from)}"'] if valid_from else []
    options += [f'valid-before="{_stamp(valid_to)}"'] if valid_to else []
    return f"{principal} {','.join(options)} {public_key}\n"


class NotAllowedSigners(ValueError):
    """A text is no `allowed_signers` file that heads can be checked with; the message says where."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def parse_allowed_signers(text: str) -> tuple[TrustedKey, ...]:
    """Read an `allowed_signers` file (ssh-keygen(1), ALLOWED SIGNERS): its Ed25519 keys, whosever they are.

    Keys of other algorithms and of authorities are passed over, since no head is signed by one.

    Raises:
        NotAllowedSigners: it is no such file, it holds no such key, or a time does not end in Z; the text says which line.
    """
    keys: list[TrustedKey] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _ALLOWED.fullmatch(line.strip())
        if found is None:
            raise NotAllowedSigners(msg("line {number} is not a line of an allowed_signers file", number=number))
        options, kind, key = found.group(1) or "", found.group(2), found.group(3)
        named = [(name.lower(), value) for name, value in _OPTION.findall(options)]
        given = dict(named)
        if kind not in _ED25519 or "cert-authority" in options.lower().split(","):
            continue
        if len(given) != len(named):
            raise NotAllowedSigners(msg("line {number}: an option is given twice", number=number))
        try:
            names = tuple(given["namespaces"].split(",")) if "namespaces" in given else ()
            moments = [_moment(given[name]) if name in given else None for name in ("valid-after", "valid-before")]
            keys.append(TrustedKey(public_key_of(f"{kind} {key}"), names, *moments))
        except NotAllowedSigners as error:
            raise NotAllowedSigners(msg("line {number}: {cause}", number=number, cause=error.message)) from error
        except ValueError as error:
            cause = msg("its key is not an Ed25519 public key in OpenSSH's format")
            raise NotAllowedSigners(msg("line {number}: {cause}", number=number, cause=cause)) from error
    if not keys:
        raise NotAllowedSigners(msg("it holds no Ed25519 key"))
    return tuple(keys)


_FIRST_SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
_ED25519 = ("ssh-ed25519", "sk-ssh-ed25519@openssh.com")
_ALLOWED = re.compile(
    r"(?:\"[^\"]*\"|\S+)[ \t]+(?:([a-z-]+(?:=\"[^\"]*\")?(?:,[a-z-]+(?:=\"[^\"]*\")?)*)[ \t]+)?"
    r"((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/=]+)(?:[ \t].*)?",
    re.IGNORECASE | re.ASCII,
)
_OPTION = re.compile(r'([a-z-]+)="([^"]*)"', re.IGNORECASE | re.ASCII)
_TIME = re.compile(r"([0-9]{8})([0-9]{4})?([0-9]{2})?Z")


def _moment(text: str) -> datetime:
    """Read a time of an `allowed_signers` file that is in UTC: `20261125Z`, `202611250132Z` or `20261125013200Z`."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise NotAllowedSigners(msg("not a time in UTC, which ends in Z: {text}", text=show_text(text[:40])))
    day, hour, second = found.groups()
    try:
        return datetime.strptime(f"{day}{hour or '0000'}{second or '00'}+0000", "%Y%m%d%H%M%S%z")
    except ValueError as error:
        raise NotAllowedSigners(msg("this time does not exist: {text}", text=show_text(text[:40]))) from error


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%SZ}"
