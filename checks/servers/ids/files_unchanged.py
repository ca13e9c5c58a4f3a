"""Files of the system are compared with a baseline every day, and none differs but by an approved change.

Who breaks in leaves changed programs behind; only a comparison with a time before shows them. Article 12.3 asks for software
against intrusion.

The rule: AIDE has a baseline, a run ended within {within_days} days, and found no difference that no approved change
explains. A change explains what it added or changed where the kernel's own time of each lies in an approved window,
declared or of the register of changes, and not after the run: what is changed again later no longer tells when the run's
difference was made. What was removed has no time, nor has what the log does not list: that is a fail until the baseline is
made anew, as it should be after each approved change. The baseline holds digests of the system's own programs and of some of its
settings, and the run looked at as many entries as the baseline has: one that is limited leaves it unknown. What else the baseline
leaves out is not seen. It is older than the run by {least_hours} hours or more, unless an approved window lies within {window_days} days before it was made: one that
is made anew every night has no difference ever, and leaves it unknown. Where the register of changes can't be read, it is unknown whether it
explains what a window may.

Source: aide(1). AIDE 0.19 of Debian 13:

    AIDE found NO differences between database and filesystem. Looks okay!!
"""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.servers.baseline import ChangeWindow
from checks.servers.change._approved import approved
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import aide, own_changes
from checks.servers.probes.aide import Aide, AideDifference
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

WITHIN = timedelta(days=2)
LEAST_AGE = timedelta(hours=23)
WINDOW_BEFORE = timedelta(days=2)


@check(
    id="ids.file-integrity",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(aide.PROBE,),
    uses=(own_changes.PROBE,),
    title=msg("system files are compared with a baseline, and only approved changes differ"),
    remedy=msg(
        "Look into each difference; after an approved change, rebuild the baseline with 'aideinit' or 'aide --init'."
    ),
    numbers={
        "within_days": WITHIN.days,
        "least_hours": LEAST_AGE // timedelta(hours=1),
        "window_days": WINDOW_BEFORE.days,
    },
)
def judge(facts: Facts) -> CheckOutcome:
    seen = facts[aide.PROBE]
    if not seen.has_baseline:
        return failed("no-baseline", msg("AIDE has no baseline"))
    if left_out := [path for path, is_covered in seen.covers.items() if not is_covered]:
        return failed("covers-nothing", msg("AIDE's baseline holds no digest of {paths}", paths=listed(left_out)))
    if seen.ended_at is None or seen.found is None:
        return unknown("no-run", msg("AIDE's log shows no run that ended with a result"))
    windows = _explained(facts, seen, seen.ended_at)
    doubt = None if windows else _doubt(facts, seen, seen.ended_at)
    if seen.found and not windows and doubt is None:
        return _differs(facts, seen.ended_at, seen)
    if is_ahead(seen.ended_at, facts.at):
        return unknown("run-in-future", msg("AIDE's log dates a run in the future, at {at}", at=seen.ended_at))
    if facts.at - seen.ended_at > WITHIN:
        return failed("run-old", msg("AIDE's last run ended at {at}", at=seen.ended_at))
    if doubt is not None:
        return missing(doubt)
    if seen.covers and seen.made_at is not None and (fresh := _judge_age(facts, seen.made_at, seen.ended_at)):
        return fresh
    if seen.limit:
        said = msg("AIDE's run of {at} was limited to {limit}", at=seen.ended_at, limit=shown(seen.limit, 60))
        return unknown("not-whole", said)
    if seen.entries_of_baseline > (seen.entries_of_run or 0):
        said = msg(
            "AIDE's run of {at} read {n} of the {all} entries of the baseline",
            at=seen.ended_at,
            n=seen.entries_of_run or 0,
            all=seen.entries_of_baseline,
        )
        return unknown("not-whole", said)
    if windows:
        return passed(
            nmsg(
                "AIDE's run of {at} found {n} difference, made in an approved window: {windows}",
                "AIDE's run of {at} found {n} differences, all made in approved windows: {windows}",
                len(seen.entries),
                at=seen.ended_at,
                windows=listed(windows),
            )
        )
    return passed(msg("AIDE's run of {at} found no difference", at=seen.ended_at))


def _judge_age(facts: Facts, made_at: datetime, ended_at: datetime) -> CheckOutcome | None:
    """Return the answer where the baseline is too young for the run to have shown a change."""
    if made_at > ended_at:
        return unknown("not-compared", msg("no run has compared the files with AIDE's baseline of {at}", at=made_at))
    allowed = approved(facts)
    hours = range(WINDOW_BEFORE // timedelta(hours=1) + 1)
    if ended_at - made_at >= LEAST_AGE or (
        allowed and any(allowed.window_of(made_at - timedelta(hours=hour)) for hour in hours)
    ):
        return None
    return unknown(
        "baseline-fresh",
        msg("AIDE's baseline was made at {at}, just before the run, and no approved window explains it", at=made_at),
    )


def _made_at(entry: AideDifference, ended_at: datetime) -> datetime | None:
    """Return when a difference was made; None where the host does not tell, or of a change that the run did not see."""
    at = entry.changed_at
    return None if not entry.is_there or at is None or at > ended_at else at


def _window_of(facts: Facts, entry: AideDifference, ended_at: datetime) -> ChangeWindow | None:
    """Return the approved window that a difference was made in, as far as the host tells its time."""
    allowed, at = approved(facts), _made_at(entry, ended_at)
    return None if allowed is None or at is None else allowed.window_of(at)


def _are_all_listed(seen: Aide) -> bool:
    return len(seen.entries) == sum(count for _, count in seen.found or ())


def _doubt(facts: Facts, seen: Aide, ended_at: datetime) -> MissingFact | None:
    """Return why there may be windows for all differences that are not seen; None where no window could explain one."""
    allowed = approved(facts)
    if allowed is None or not seen.found or not _are_all_listed(seen):
        return None
    return allowed.doubt if all(_made_at(entry, ended_at) for entry in seen.entries) else None


def _explained(facts: Facts, seen: Aide, ended_at: datetime) -> tuple[str, ...]:
    """Return the windows that explain all differences; none where one is not explained, or not listed."""
    windows = [_window_of(facts, entry, ended_at) for entry in seen.entries]
    if not seen.found or not _are_all_listed(seen):
        return ()
    explained = [one.reference for one in windows if one]
    return tuple(sorted(set(explained))) if len(explained) == len(windows) else ()


def _differs(facts: Facts, ended_at: datetime, seen: Aide) -> CheckOutcome:
    told = ", ".join(f"{kind} {count}" for kind, count in seen.found or ())
    differences = msg("AIDE's run of {at} found differences: {told}", at=ended_at, told=told)
    unexplained = [entry for entry in seen.entries if _window_of(facts, entry, ended_at) is None]
    if not unexplained:
        return failed("differences", differences)
    first = min(unexplained, key=lambda entry: (entry.changed_at is None, entry.changed_at or ended_at))
    paths = listed([first.path, *(entry.path for entry in unexplained if entry is not first)])
    if first.changed_at is None:
        return failed(
            "differences",
            msg("{differences}; no approved window explains {paths}", differences=differences, paths=paths),
        )
    if first.changed_at > ended_at:
        return failed(
            "differences",
            msg(
                "{differences}; changed again after the run, so no window explains {paths}",
                differences=differences,
                paths=paths,
            ),
        )
    return failed(
        "differences",
        msg(
            "{differences}; no approved window explains {paths}, the first of {changed}",
            differences=differences,
            paths=paths,
            changed=first.changed_at,
        ),
    )
