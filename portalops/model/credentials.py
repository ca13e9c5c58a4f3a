"""Administrative access: who holds which credential, where it is kept, and until when it must be changed. Never the secret.

What a person types for the register is checked before anything is done with it: `secret_in` says what makes it look like a
secret. That is a guard against a slip of the hand, not a proof: nothing can tell a short password from a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from portalops.model.values import dataclass


class CredentialKind(StrEnum):
    """What opens the account."""

    PASSWORD = "password"  # the word for one
    KEY = "key"
    """A key pair, such as an SSH key or a hardware token."""
    TOKEN = "token"  # the word for one
    """What a program or a web service accepts instead of a password."""
    CERTIFICATE = "certificate"


LONGEST_DAYS: Mapping[CredentialKind, int] = {
    CredentialKind.PASSWORD: 60,
    CredentialKind.KEY: 366,
    CredentialKind.TOKEN: 366,
    CredentialKind.CERTIFICATE: 398,
}
"""How long each kind may be used without being changed.

Of passwords as `acct.password-age` reads it: every two months for admins of level 3. Of certificates what public authorities
may issue at most (CA/Browser Forum, Baseline Requirements 6.3.2, until 2026-03-14). Of the others a year is this portalops's
own reading: the regulation names no number.
"""


class SystemKind(StrEnum):
    """What a credential opens."""

    HOST = "host"
    DATABASE = "database"
    PORTAL = "portal"
    BUCKET = "bucket"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Credential:
    """The body of a `credential.added` or `credential.corrected` record, under the key `credential`: all that is known of one."""

    id: str
    """Of the register: lower-case letters, digits and hyphens."""
    system: str
    """`KIND:NAME`, and `@HOST` behind it where it runs on a configured host."""
    account: str
    """The account that it opens."""
    kind: CredentialKind
    holder: str
    """Who keeps it and answers for it: a member, by the name that the configuration has."""
    deputy: str = ""
    """Who has it in the holder's absence; empty if nobody is named."""
    place: str = ""
    """Where it is kept: a vault, a sealed envelope in a safe; empty if it is not said."""
    issued_on: date | None = None
    rotated_on: date | None = None
    """When the secret was last made anew; at first the day on which it was issued."""
    rotate_by: date | None = None
    """The last day on which it may still be used unchanged."""
    mfa: bool = False
    """It opens nothing without a second factor."""
    shared: bool = False
    """Several people use the account."""
    fingerprint: str = ""
    """Of a key or a certificate; never of a password or a token, since those can be guessed from it."""
    reason: str = ""
    """Of a correction: why."""


@dataclass(frozen=True, slots=True)
class CredentialRotation:
    """The body of a `credential.rotated` record, under the key `rotation`: the secret was made anew."""

    id: str
    rotated_on: date
    rotate_by: date
    fingerprint: str = ""
    """Of the new key; empty if it has none."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CredentialHandOver:
    """The body of a `credential.handed-over` record, under the key `hand_over`; what is empty stayed as it was."""

    id: str
    on: date
    holder: str = ""
    deputy: str = ""
    place: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CredentialReturn:
    """The body of a `credential.returned` record, under the key `returned`: it was given back, and opens nothing any more."""

    id: str
    on: date
    received_by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Leaving:
    """The body of a `credential.person-left` record, under the key `leaving`."""

    person: str
    left_on: date | None
    """None takes back an earlier record: the person has not left, or came back."""
    reason: str = ""


def host_of(system: str) -> str:
    """Return the id of the host that a system is, or runs on; empty where it names none."""
    kind, _, name = system.partition(":")
    return name if kind == SystemKind.HOST else name.rpartition("@")[2] if "@" in name else ""


def same_person(one: str, other: str) -> bool:
    """Say whether two names are of one person, whatever their case, spaces and Unicode form."""
    return _person(one) == _person(other)


def names_person(text: str, person: str) -> bool:
    """Say whether a text names a person: `Trưởng phòng Nguyễn Văn An` names `nguyen-van-an`, and `Phòng An ninh` not `an`.

    Marks above letters tell persons apart where both have any. A name of one word must be the whole text.
    """
    one, other = _words(text), _words(person)
    if "".join(_bare(one)) == "".join(one) or "".join(_bare(other)) == "".join(other):
        one, other = _bare(one), _bare(other)
    if len(other) < 2:  # a family and a given name
        return bool(other) and one == other
    return any(one[at : at + len(other)] == other for at in range(len(one) - len(other) + 1))


def _person(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", _person(text))


def _bare(words: list[str]) -> list[str]:
    """Return words without marks above and below letters, as they stand in names of accounts."""
    spread = (unicodedata.normalize("NFD", word.replace("đ", "d")) for word in words)
    return ["".join(letter for letter in word if not unicodedata.combining(letter)) for word in spread]


_FINGERPRINTS: Mapping[CredentialKind, re.Pattern[str]] = {
    CredentialKind.KEY: re.compile(r"SHA256:[A-Za-z0-9+/]{43}"),
    CredentialKind.CERTIFICATE: re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}|SHA256:[A-Za-z0-9+/]{43}"),
}


def is_fingerprint(kind: CredentialKind, text: str) -> bool:
    """Say whether a text is a fingerprint of this kind: as `ssh-keygen -l` or `openssl x509 -fingerprint -sha256` prints it."""
    pattern = _FINGERPRINTS.get(kind)
    return pattern is not None and pattern.fullmatch(text) is not None


_PRINTED = re.compile(
    r"(?:\d{2,5} +)?(SHA256:[A-Za-z0-9+/]{43})(?: .*)?|(?:sha256 +fingerprint=)?((?:[0-9a-f]{2}:){31}[0-9a-f]{2})",
    re.IGNORECASE,
)


def fingerprint_in(kind: CredentialKind, text: str) -> str | None:
    """Return the fingerprint in a line as `ssh-keygen -l` or `openssl x509 -fingerprint -sha256` prints it; None if there is none."""
    found = _PRINTED.fullmatch(text.strip())
    mark = "" if found is None else found[1] or found[2].upper()
    return mark if is_fingerprint(kind, mark) else None


_SECRETS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("private-key", re.compile(r"-----BEGIN|PRIVATE KEY|PuTTY-User-Key-File|AGE-SECRET-KEY-1", re.IGNORECASE)),
    (
        "password-hash",
        re.compile(
            r"\$(?:1|2[abxy]?|3|5|6|7|y|gy|sm3|md5|sha1|apr1|argon2\w*|scrypt|pbkdf2\w*|P|H)\$|\{(?:SSHA|SHA|SMD5|CRYPT)"
            r"|SCRAM-SHA-|\*[0-9A-F]{40}\b|\bmd5[0-9a-f]{32}\b|(?<![0-9A-Fa-f:])[0-9A-Fa-f]{32,}(?![0-9A-Fa-f:])"
        ),
    ),
    ("address-with-password", re.compile(r"://[^\s/@:]*:[^\s/@]+@")),
    (
        "token",
        re.compile(
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w+|\bglpat-|\bxox[a-z]-|\bsk[-_](?:live|test|ant|proj)?"
            r"[-_]?\w{16,}|\bhvs\.|\bya29\.|\bAIza\w{20,}|\beyJ[\w-]{10,}\."
        ),
    ),
    (
        "password",
        re.compile(
            r"(?:pass(?:word|wd|phrase|code)?|mật\s*khẩu|mat\s*khau|\bpwd|secret|\bpin\b|token|api[ _-]?key)"
            r"\s*(?:(?:is|là|la)?\s*[=:]\s*\S|(?:is|là|la)\s+(?=\S*[\d!@#$%^&*])\S)",
            re.IGNORECASE,
        ),
    ),
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SYMBOLS = frozenset("!#$%^&*?~`|\\<>{}[]=+@")
_SHORTEST_PASSWORD = 7
_LONGEST_WORD = 20


def secret_in(text: str) -> str | None:
    """Return what in a text looks like a secret: `private-key`, `password-hash`, `token`, `password`, ...; None if nothing does.

    Besides what has a form of its own, a word counts that mixes letters, digits and other signs as no name of a place or a
    person does, or that is long and mixes cases and digits.
    """
    text = unicodedata.normalize("NFC", text)
    for what, pattern in _SECRETS:
        if pattern.search(text):
            return what
    for word in text.split():
        if not _MAIL.fullmatch(word.strip("<>(),;")) and _is_mixed(word.strip("(),;.\"'")):
            return "password"
    return None


def _is_mixed(word: str) -> bool:
    letters, digits = any(map(str.isalpha, word)), any(map(str.isdigit, word))
    if len(word) >= _SHORTEST_PASSWORD and letters and digits and _SYMBOLS & {*word}:
        return True
    run = max(re.split(r"[-_./:@]", word), key=len)
    mixed = (any(map(str.islower, run)), any(map(str.isupper, run)), any(map(str.isdigit, run)))
    return (len(run) >= _LONGEST_WORD and sum(mixed) >= 2) or (len(run) >= 10 and all(mixed))
