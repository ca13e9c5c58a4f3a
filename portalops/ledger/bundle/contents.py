"""What is in a bundle: the names of its files, bundle.json, and which details belong to it; pure.

docs/bundle-format.md says it byte for byte. Writing and verifying share these rules, `verify.py` has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portalops import bodies
from portalops.bodies import JsonValue
from portalops.ledger.heads import HEAD
from portalops.ledger.record import CREATED
from portalops.ledger.verify import Withheld
from portalops.model.heads import Signer, SignOff
from portalops.model.period import Period
from portalops.model.record import Digest
from portalops.registers.erasures import ERASED
from portalops.registers.figures import MAX_BODY_BYTES
from portalops.registers.plans import PLAN
from portalops.registers.sign_offs import NAMESPACE as SIGN_OFF_NAMESPACE
from portalops.registers.sign_offs import SIGN_OFF
from portalops.registers.signers import KEY_KINDS, LEDGER_NAMESPACES, allowed_signers_line
from portalops.registers.waivers import WAIVER_KINDS
from portalops.registers.writers import BY_TWO, CLAIM_KINDS

FORMAT = 4
"""The newest version of the bundle that is read; it is written where the ledger has a mended clock, and 1 where it has none of these."""
QUARANTINES_FORMAT = 3
"""Of a bundle with a quarantine and without a mended clock."""
CLAIMS_FORMAT = 2
"""Of a bundle with claims and without either."""

BUNDLE_NAMESPACE = "portalops-bundle"
"""The purpose that SHA256SUMS is signed for."""

DESCRIPTION = "bundle.json"
LINES = "ledger.jsonl"
SIGNERS = "allowed_signers"
FIGURES = "figures.json"
SUMS = "SHA256SUMS"
SUMS_SIGNATURE = "SHA256SUMS.sig"
BLOBS, HEADS, CERTIFICATES = "blobs", "heads", "tsa"
FOLDERS = (BLOBS, HEADS, CERTIFICATES)

ALWAYS = frozenset(
    {
        CREATED,
        "ledger.upgraded",
        "ledger.moved",
        PLAN,
        HEAD,
        *KEY_KINDS,
        ERASED,
        SIGN_OFF,
        *WAIVER_KINDS,
        *CLAIM_KINDS,
        *BY_TWO,
    }
)
"""Kinds whose details belong to every bundle, wherever the record stands."""

NOT_WITHHELD = ALWAYS - {PLAN, *WAIVER_KINDS}
"""Kinds whose details cannot be left out: without them nothing could be verified."""

RESOURCES = ("verify.html", "verify.py", "HOW-TO-VERIFY.vi.md", "HOW-TO-VERIFY.en.md")
"""Files that are the same in every bundle of a version."""

MAX_REASON = 200
"""Longest reason for leaving details out, in characters."""


@dataclass(frozen=True, slots=True)
class Description:
    """What bundle.json says."""

    ledger: str
    portal: Mapping[str, str]
    """`id`, `vi` and `en`."""
    timezone: str
    first_day: str
    last_day: str
    """Of the period, both included."""
    records: int
    head: Digest
    """SHA-256 of the last line."""
    first_blob: int
    """The first record whose details belong to the bundle; the last one is `records`."""
    withheld: tuple[Withheld, ...]
    portalops: str
    """The version that wrote it."""
    format: int = 1

    def write(self) -> bytes:
        """Return the file's bytes."""
        return bodies.write(
            {
                "format": self.format,
                "ledger": self.ledger,
                "portal": self.portal,
                "timezone": self.timezone,
                "period": {"first": self.first_day, "last": self.last_day},
                "records": self.records,
                "head": self.head,
                "blobs": {"first": self.first_blob, "last": self.records},
                "withheld": self.withheld,
                "portalops": self.portalops,
            }
        )


def parse_description(data: bytes) -> Description | None:
    """Read bundle.json; None if it is not written as `Description.write` does it."""
    found = json_object(data)
    if found is None:
        return None
    try:
        description = Description(
            ledger=_text(found["ledger"], _LEDGER),
            portal={key: _text(_object(found["portal"])[key]) for key in ("en", "id", "vi")},
            timezone=_text(found["timezone"]),
            first_day=_text(_object(found["period"])["first"], _DAY),
            last_day=_text(_object(found["period"])["last"], _DAY),
            records=_number(found["records"]),
            head=Digest(_text(found["head"], _DIGEST)),
            first_blob=_number(_object(found["blobs"])["first"]),
            withheld=tuple(_withheld(each) for each in _list(found["withheld"])),
            portalops=_text(found["portalops"]),
            format=_number(found["format"]),
        )
        digests = [each.digest for each in description.withheld]
        if digests != sorted(set(digests)) or not 1 <= description.first_blob <= description.records:
            return None
        Period(date.fromisoformat(description.first_day), date.fromisoformat(description.last_day))
        return description if description.write() == data else None
    except (KeyError, ValueError, TypeError):
        return None


def is_newer(data: bytes) -> bool:
    """Say whether a bundle.json is of a version that is not understood here."""
    found = json_object(data)
    version = found.get("format") if found else None
    return type(version) is int and version > FORMAT


def json_object(data: bytes) -> dict[str, JsonValue] | None:
    """Read one JSON object in UTF-8; None if it is something else, or larger than is read."""
    if len(data) > MAX_BODY_BYTES:
        return None
    try:
        found = bodies.parse(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def evidence_of(body: bytes) -> tuple[Digest, ...]:
    """Return the blobs that a body names under a key `evidence`, sorted; a body that cannot be read names none."""
    if len(body) > MAX_BODY_BYTES or json_object(body) is None:
        return ()
    return tuple(sorted(bodies.evidence_of(body)))


def allowed_signers(signers: Sequence[Signer], sign_offs: Iterable[SignOff]) -> str:
    """Return the file `allowed_signers`: the ledger's keys with their times, then each different key of a sign-off."""
    lines = [
        allowed_signers_line(each.principal, LEDGER_NAMESPACES, each.public_key, each.valid_from, each.valid_to)
        for each in signers
    ]
    people: dict[str, str] = {}
    for each in sign_offs:
        people.setdefault(each.public_key, each.signer)
    lines += [
        allowed_signers_line(person, SIGN_OFF_NAMESPACE, key, None, None)
        for key, person in people.items()
        if _PRINCIPAL.fullmatch(person)
    ]
    return "".join(lines)


def head_stem(size: int) -> str:
    """Return the name of a head's files without their suffix."""
    return f"{HEADS}/{size:010d}"


def is_known_name(path: str) -> bool:
    """Say whether a bundle may hold a file of this name."""
    return _NAME.fullmatch(path) is not None


def is_report_name(path: str) -> bool:
    """Say whether a file of this name is a report."""
    return path.startswith("report.") and is_known_name(path)


def is_digest(text: str) -> bool:
    """Say whether a text is a SHA-256 as it is written here."""
    return _DIGEST.fullmatch(text) is not None


def is_anchor_name(name: str) -> bool:
    """Say whether an anchor's id can stand in a file's name."""
    return re.fullmatch(_ANCHOR, name) is not None


_ANCHOR = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
_NAME = re.compile(
    r"bundle\.json|ledger\.jsonl|allowed_signers|figures\.json|verify\.(?:py|html)|HOW-TO-VERIFY\.(?:vi|en)\.md|SHA256SUMS(?:\.sig)?"
    rf"|report\.[a-z]{{2}}\.html|blobs/[0-9a-f]{{64}}|heads/[0-9]{{10,18}}\.(?:txt|sig|{_ANCHOR}\.tsr)|tsa/{_ANCHOR}\.pem"
)
_LEDGER = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PRINCIPAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")


def _withheld(value: JsonValue) -> Withheld:
    held = _object(value)
    return Withheld(Digest(_text(held["digest"], _DIGEST)), _text(held["reason"]))


def _object(value: JsonValue) -> dict[str, JsonValue]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _text(value: JsonValue, form: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (form is not None and not form.fullmatch(value)):
        raise ValueError("not a text, or not of its form")
    return value


def _number(value: JsonValue) -> int:
    if type(value) is not int or not 0 < value < 10**18:
        raise ValueError("not a number of a record")
    return value
