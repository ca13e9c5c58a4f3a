"""What a signed bundle says of the host's packages; no command runs on the host for it.

portalops looks the packages of the host's answer up in the bundle of the host's release when it receives the answer, and
puts what it finds into the answer as this section. So the kept answer holds all that the checks rest on, the bundle's
digest too, and is judged again to the same results when the bundle is long gone. The form is that of `lookup`; it is
never silent: without a bundle the section says so.

    {"state":"ok","release":"debian:12","as_of":"2026-11-24T06:00:00Z","packages":412,"compared":6162,"found":[...], ...}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.vulnerabilities.rows import Row
from portalops.bodies import decode_part
from portalops.errors import LedgerError
from portalops.json_text import read_json
from portalops.model.message import Message, msg

OK = "ok"


@dataclass(frozen=True, slots=True)
class Found:
    """A vulnerability of an installed package."""

    package: str
    installed: str
    row: Row


@dataclass(frozen=True, slots=True)
class FoundVulnerabilities:
    """What the bundle says."""

    release: str
    bundle: str
    """SHA-256 of the bundle."""
    signer: str
    """The fingerprint of the key that signed it."""
    as_of: datetime
    max_age_days: int
    """How old the bundle may be."""
    records: int
    """How many of the makers' records about the release it has."""
    records_newest: datetime | None
    """The newest record of the makers in it."""
    exploited_newest: datetime | None
    """When CISA's list was released; None where the bundle has none, or does not know."""
    exploited: int
    """How many CVEs are in that list."""
    packages: int
    packages_digest: str
    """SHA-256 of the packages that were looked up."""
    compared: int
    found: tuple[Found, ...]
    """Those that are exploited, and those that have a fix; the worst first."""
    unfixed: int
    """How many more there are that nobody has fixed in this release."""
    left_out: int
    """How many of those with a fix are not listed in `found`; they are not worse than those that are."""
    support: Mapping[str, Any]
    """The bundle's table of supported versions; may be empty."""


def parse(output: Output) -> FoundVulnerabilities:
    """Read the section."""
    try:
        held = read_json(output.text)
        state = held["state"]
        if state != OK:
            raise Unparseable(
                _explain_missing(str(state), _read_reason(output.text, held.get("what", ""))),
                reason=shown(str(state), 40),
            )
        return FoundVulnerabilities(
            release=str(held["release"]),
            bundle=str(held["bundle"]),
            signer=str(held["signer"]),
            as_of=_moment(held["as_of"]),
            max_age_days=int(held["max_age_days"]),
            records=int(held["records"]),
            records_newest=_moment(held["records_newest"]) if held["records_newest"] else None,
            exploited_newest=_moment(held["exploited_newest"]) if held["exploited_newest"] else None,
            exploited=int(held["exploited"]),
            packages=int(held["packages"]),
            packages_digest=str(held["packages_digest"]),
            compared=int(held["compared"]),
            found=tuple(Found(str(name), str(version), Row.from_list(row)) for name, version, row in held["found"]),
            unfixed=int(held["unfixed"]),
            left_out=int(held["left_out"]),
            support=dict(held["support"]),
        )
    except (ValueError, KeyError, TypeError, LedgerError) as error:
        raise Unparseable(msg("the result from the vulnerability bundle cannot be parsed")) from error


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _read_reason(text: str, held: object) -> Message | str:
    """Return why nothing was looked up; sections of before hold it as English text."""
    if not isinstance(held, dict):
        return shown(str(held), 300)
    return decode_part(text.encode(), "what", Message) or ""


def _explain_missing(state: str, what: Message | str) -> Message:
    sentences = {
        "no-bundle": msg("no vulnerability bundle is configured"),
        "bundle-refused": msg("a vulnerability bundle was refused: {what}", what=what),
        "release-not-covered": msg("no vulnerability bundle covers {release}", release=what),
        "no-records": msg("the vulnerability bundle has no records about {release}", release=what),
        "no-packages": msg("the host's packages could not be listed: {what}", what=what),
        "lookup-failed": msg("the host's packages could not be looked up: {what}", what=what),
    }
    return sentences.get(state) or msg("the result from the vulnerability bundle cannot be parsed")


PROBE = Probe("vulnerabilities", (), parse, limit_bytes=4 << 20)
