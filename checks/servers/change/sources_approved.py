"""Packages come from approved sources alone, and signed.

Anybody who adds a package source decides what runs as root from then on. Article 12.2 asks that such a change is approved.

The rule: every source whose lists the host holds is declared under `repositories`, as `SITE RELEASE` of apt or by its id of
dnf; none is let in without a verified signature. apt trusts a source either for its signature or because an option waives
that, and doesn't say which, so the options are looked for themselves and named by file and line; with dnf `gpgcheck` must
be on. No option of apt lets it believe a list of any age: by `Check-Valid-Until` a frozen mirror would pass. A proxy, and a line
of /etc/hosts that leads a source elsewhere, are declared among `repositories` as well, or it is unknown. So are the keys by which
apt lets others sign, by fingerprint (`key 9DC8...CD88`), but for those in a package's own files that nobody changed: `check declare`
proposes them. A keyring that is not understood is named by its content. Whose the packages are that bring keys, patching.foreign-packages
asks; which keys dnf takes is not seen. With settings of apt of which it is not known whether they change what it sees
(`Dir::Etc::trustedparts`) the answer is unknown.

Sources: apt-get(8), sources.list(5), apt.conf(5), dnf.conf(5). apt 3.0 on Debian 13, site, release and whether it is trusted:

    http://deb.debian.org/debian|trixie-updates|yes
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact
from checks.servers.probes import apt_lists, apt_sources, dnf_sources, os_release
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import CheckVerdict, Severity


@check(
    id="change.repos",
    clause="12.2",
    severity=Severity.MEDIUM,
    needs=(os_release.PROBE,),
    uses=(apt_sources.PROBE, apt_lists.PROBE, dnf_sources.PROBE),
    title=msg("packages come from approved sources alone, and signed"),
    remedy=msg("Remove the source, or have it approved and declare it; take out 'trusted=yes' and 'gpgcheck=0'."),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    found = facts.get(apt_sources.PROBE)
    if isinstance(found, MissingFact):
        return missing(found)
    if found.untrusted:
        return failed(
            "unsigned-source",
            msg("sources without a verified signature: {names}", names=listed(sorted(found.untrusted))),
        )
    if found.waived:
        return failed(
            "signature-waived",
            nmsg(
                "{n} source or setting lets packages in without a signature: {names}",
                "{n} sources or settings let packages in without a signature: {names}",
                found.waived,
                names=listed(found.waiving) or "-",
            ),
        )
    if found.ageless:
        return failed(
            "age-waived",
            msg("settings that let apt believe a list of any age: {names}", names=listed(found.ageless)),
        )
    outcome = _declared(facts, found.names, found.ways | found.keys)
    if outcome.verdict is not CheckVerdict.PASS:
        return outcome
    if found.unread:
        return unknown(
            "keyring-unread",
            msg("keyrings that were not read whole may let anybody sign: {names}", names=listed(sorted(found.unread))),
        )
    lists = facts.get(apt_lists.PROBE)
    if isinstance(lists, MissingFact):
        return missing(lists)
    if lists.elsewhere:
        said = msg(
            "apt has settings of which it is not known whether they change who may sign: {names}",
            names=listed(lists.elsewhere),
        )
        return unknown("apt-elsewhere", said)
    return passed(
        nmsg(
            "the {n} source is approved, and signed by keys that are approved or of packages",
            "the {n} sources are approved, and signed by keys that are approved or of packages",
            len(found.names),
        )
    )


def _judge_dnf(facts: Facts) -> CheckOutcome:
    found = facts.get(dnf_sources.PROBE)
    if isinstance(found, MissingFact):
        return missing(found)
    if found.unchecked:
        return failed(
            "signature-waived",
            msg("packages are installed without a signature from {names}", names=listed(sorted(found.unchecked))),
        )
    return _declared(facts, found.names)


def _declared(facts: Facts, names: frozenset[str], ways: frozenset[str] = frozenset()) -> CheckOutcome:
    if facts.declared.repositories is None:
        return unknown(
            "not-declared",
            msg("no approved sources are declared; seen: {names}", names=listed(sorted(names | ways))),
        )
    extra = sorted(names - set(facts.declared.repositories))
    if extra:
        return failed("undeclared-source", msg("sources that were not approved: {names}", names=listed(extra)))
    between = sorted(ways - set(facts.declared.repositories))
    if signing := [each for each in between if each.startswith("key")]:
        return unknown(
            "key-not-declared",
            msg("keys that sign packages, and that nobody approved: {names}", names=listed(signing)),
        )
    if between:
        return unknown(
            "way-not-declared",
            msg("between the host and its sources stands what is not declared: {names}", names=listed(between)),
        )
    return passed(nmsg("the {n} source is approved and signed", "the {n} sources are approved and signed", len(names)))
