"""Every package comes from an archive that is kept up, or is declared.

What was installed from a file, or stayed behind when its archive was removed, never gets a fix: no update of it ever waits,
so it looks up to date for ever. Article 12.3.

The rule: each installed version is in one of the archives that are set up, or in `foreign_packages` of `[checks.declared]`. A package that
the archives have counts as foreign where the installed version is newer than all of theirs: their fixes never come. Where they have a newer
one, patching.security-updates and patching.held say what keeps it away.
The answer is unknown where the lists of the archives are empty, where apt has settings of which it is not known whether they change what it sees, and for an apt older than 2.0, which can't tell. A package
of an archive of another maker counts as kept up by that maker: change.repos says which archives there may be.

Sources: apt-patterns(7), dnf(8). With apt 3.0.4 on Debian 13:

    apt 3.0.4 (amd64)
    software-properties-common/now 0.99.30-4.1~deb12u1 all [installed,local]
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._freshness import elsewhere
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact
from checks.servers.probes import apt_index, apt_lists, apt_obsolete, dnf_extras, dnf_updates, os_release
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="patching.foreign-packages",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(os_release.PROBE,),
    uses=(apt_obsolete.PROBE, apt_index.PROBE, apt_lists.PROBE, dnf_extras.PROBE, dnf_updates.PROBE),
    title=msg("every package comes from a maintained archive, or is declared"),
    remedy=msg("Replace it by a package of the maker's archive, remove it, or declare it in foreign_packages."),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(apt_obsolete.PROBE, apt_index.PROBE, apt_lists.PROBE)
    if lack is not None:
        return missing(lack)
    if not facts[apt_index.PROBE]:
        return unknown(
            "lists-empty", msg("apt's lists are empty, so it is not known which packages come from no archive")
        )
    if (other := elsewhere(facts[apt_lists.PROBE])) is not None:
        return unknown(*other)
    obsolete = facts[apt_obsolete.PROBE]
    return _judged(facts, obsolete)


def _judge_dnf(facts: Facts) -> CheckOutcome:
    extras, updates = facts.get(dnf_extras.PROBE), facts.get(dnf_updates.PROBE)
    if isinstance(extras, MissingFact):
        return missing(extras)
    if isinstance(updates, MissingFact):
        return missing(updates)
    unfetched = [one.id for one in updates.repositories if one.fetched_at is None]
    if unfetched or not updates.repositories:
        return unknown("no-cache", msg("dnf has not fetched its repositories: {names}", names=listed(unfetched) or "-"))
    return _judged(facts, extras)


def _judged(facts: Facts, names: Sequence[str]) -> CheckOutcome:
    foreign = [name for name in names if name not in facts.declared.foreign_packages]
    if foreign:
        return failed(
            "foreign-packages",
            nmsg(
                "no archive has {n} package in the installed version, so it gets no fixes: {names}",
                "no archive has {n} packages in the installed versions, so they get no fixes: {names}",
                len(foreign),
                names=listed(foreign),
            ),
        )
    return passed(msg("an archive has every installed package in that version or a newer one, or it is declared"))
