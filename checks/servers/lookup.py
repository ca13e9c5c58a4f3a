"""Looks the packages of a host's answer up in the bundle of its release, as one more section of the answer.

It is done when the answer is received, since the bundle is another one tomorrow: see `probes/vulnerabilities`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from checks.servers.facts import facts_from
from checks.servers.gather import AnswerRejected, parse_answer
from checks.servers.patching._packages import Packages, digest_of, installed_of, packages_of
from checks.servers.probe import MissingFact, ProbeResult, shown
from checks.servers.probes import os_release, packages_dpkg, packages_rpm, vulnerabilities
from checks.servers.probes.os_release import OsRelease
from checks.vulnerabilities.bundle import Bundle, read_bundle
from checks.vulnerabilities.matching import Match, MatchedPackage, match
from checks.vulnerabilities.releases import release_of
from portalops.bodies import encode
from portalops.errors import VulnerabilityBundleRefused
from portalops.model.message import Message, msg

LISTED = 2000
"""So many vulnerabilities of one host are listed, the worst first; the rest is counted."""
REFUSED_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Vulnerabilities:
    """The bundles that a round of checks looks packages up in."""

    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    """By the release's name; of two of one release the newer."""
    refused: tuple[Message, ...] = ()
    """Why others are not used, a sentence each."""
    max_age_days: int = 7

    def section(self, raw: bytes, *, is_pro: bool) -> ProbeResult:
        """Return what is known of the packages of a host's answer. Never raises for what the host said.

        Args:
            raw: the host's answer.
            is_pro: the host gets the fixes of Ubuntu Pro.
        """
        held = self._find(raw, is_pro=is_pro)
        text = json.dumps(encode(held), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return ProbeResult(vulnerabilities.PROBE.id, 0, text.encode(), b"", 0)

    def _find(self, raw: bytes, *, is_pro: bool) -> dict[str, object]:
        if not self.bundles and not self.refused:
            return {"state": "no-bundle"}
        try:
            found = facts_from(parse_answer(raw), {probe.id: probe for probe in _NEEDED})
        except AnswerRejected as error:
            return {"state": "no-packages", "what": error.missing.seen}
        system = found[os_release.PROBE.id]
        if not isinstance(system, OsRelease):
            return {"state": "no-packages", "what": _reason_text(system)}
        release = release_of(system.id, system.version, is_pro=is_pro)
        bundle = self.bundles.get(release.name) if release else None
        if bundle is None:
            # NOTE: a refused bundle may well have been the one of this release.
            state = "bundle-refused" if self.refused else "release-not-covered"
            return {"state": state, "what": _together(self.refused) if self.refused else system.name}
        if bundle.header.records == 0 or bundle.header.rows == 0:
            return {"state": "no-records", "what": bundle.header.release.name}
        is_debian_like = packages_of(system) is Packages.APT
        listed = found[(packages_dpkg if is_debian_like else packages_rpm).PROBE.id]
        if isinstance(listed, MissingFact) or not isinstance(listed, tuple):
            return {"state": "no-packages", "what": _reason_text(listed)}
        try:
            return _held(bundle, installed_of(listed), self.max_age_days)
        except ValueError as error:  # a version that is none, or a bundle whose lines are not as its head says
            return {"state": "lookup-failed", "what": shown(str(error), 120)}


def load(paths: Iterable[Path], trusted: Sequence[str], max_age_days: int) -> Vulnerabilities:
    """Read the configured bundles; one that is refused is told of and takes nothing from the others.

    Args:
        paths: the bundles.
        trusted: public keys that may sign them.
        max_age_days: how old they may be.
    """
    bundles: dict[str, Bundle] = {}
    refused: list[Message] = []
    for path in paths:
        try:
            bundle = read_bundle(path, trusted)
        except VulnerabilityBundleRefused as error:
            refused.append(error.message)
            continue
        name = bundle.header.release.name
        held = bundles.get(name)
        if held is None or held.header.as_of < bundle.header.as_of:
            bundles[name] = bundle
    return Vulnerabilities(bundles, tuple(refused), max_age_days)


_NEEDED = (os_release.PROBE, packages_dpkg.PROBE, packages_rpm.PROBE)


def _held(bundle: Bundle, installed: Sequence[MatchedPackage], max_age_days: int) -> dict[str, object]:
    header = bundle.header
    matches = match(bundle, installed)
    listed = [one for one in matches.found if one.row.due or one.row.span.fixed]
    return {
        "state": vulnerabilities.OK,
        "release": header.release.name,
        "bundle": bundle.sha256,
        "signer": bundle.signer,
        "as_of": _text(header.as_of),
        "max_age_days": max_age_days,
        "records_newest": header.newest,
        "exploited_newest": max((source.newest for source in header.sources if source.kind == "kev"), default=""),
        "exploited": header.exploited,
        "records": header.records,
        "packages": matches.packages,
        "packages_digest": digest_of(installed),
        "compared": matches.compared,
        "found": list(_lists(listed[:LISTED])),
        "unfixed": len(matches.found) - len(listed),
        "left_out": max(0, len(listed) - LISTED),
        "support": dict(header.support),
    }


def _lists(matches: Iterable[Match]) -> Iterator[list[object]]:
    for one in matches:
        yield [one.package, one.installed, one.row.as_list()]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _reason_text(fact: object) -> Message | str:
    return fact.seen if isinstance(fact, MissingFact) else ""


def _together(refused: Sequence[Message]) -> Message:
    """Return why bundles are not used as one sentence; beyond a few they are counted."""
    told = refused[0]
    for one in refused[1:REFUSED_SHOWN]:
        told = msg("{others}; {other}", others=told, other=one)
    left = len(refused) - REFUSED_SHOWN
    return msg("{others}; {other}", others=told, other=f"+{left}") if left > 0 else told
