"""Which key signed heads from when to when: the key records, folded; and the same as OpenSSH's `allowed_signers`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

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
