"""The declared configuration files have the content that was approved.

A changed setting changes the system, although no package and no account changes. Article 12.2 asks that changes are
approved before they are made.

The rule: every file that is declared under `config_files` has the declared SHA-256, or leads where the declared symbolic
link leads. It is looked for under /etc and in /usr/local/bin, sbin and libexec. Of a file that holds a secret, the digest does not
leave the host, and a declared file of that kind is unknown; `change.drift` sees that it changed. The helper program that portalops itself uses on a host belongs into the
declaration.

Where the content differs, the time of the change is shown beside the nearest approved window, so that a change made before
its approval is visible. A change inside a window was approved, though not by its content: until the new digest is declared,
whether this is the approved content is unknown. So it is where the register of changes can't be read, which may hold such a
window. The kernel's own time counts (ctime): no program sets it back, but a later change of the mode or the owner moves it
too.

Sources: sha256sum(1), find(1). On Debian 13:

    b43f1046c4ec9fd2cadd2a1a5bf8e400493770f52f14b3daab4d7a39a86f7055  /etc/systemd/system/portal.service
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from checks.servers.baseline import ChangeWindow
from checks.servers.change._approved import approved
from checks.servers.change._sets import changed
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import etc_files, file_times, own_changes
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="change.config",
    clause="12.2",
    severity=Severity.HIGH,
    needs=(etc_files.PROBE,),
    uses=(file_times.PROBE, own_changes.PROBE),
    title=msg("configuration files have the content that was approved"),
    remedy=msg("Restore the approved file, or have the change approved and declare the new digest."),
)
def judge(facts: Facts) -> CheckOutcome:
    every, declared = facts[etc_files.PROBE], facts.declared.config_files
    seen = {path: content for path, content in every.items() if not etc_files.is_keyed(content)}
    if not declared:
        return unknown("not-declared", msg("no approved content is declared; seen: {n} files", n=len(seen)))
    others = changed(seen, declared)
    times = _times(facts)
    inside = {path: window for path in others if (window := _window_of(facts, times.get(path)))}
    outside = [path for path in others if path not in inside]
    doubt = _doubt(facts, [times.get(path) for path in outside])
    if outside and doubt is None:
        return _changed(facts, outside, times)
    gone = sorted(path for path in declared if path not in every and etc_files.covers(path))
    if gone:
        return failed("config-gone", msg("approved and gone: {gone}", gone=listed(gone)))
    if doubt is not None:
        return missing(doubt)
    if inside:
        return _approved_without_content(inside, times)
    beyond = sorted(path for path in declared if path not in seen)
    if beyond:
        return unknown(
            "not-looked-at",
            msg("files in such a place, or with a secret, are not compared: {paths}", paths=listed(beyond)),
        )
    return passed(
        nmsg(
            "the {n} declared file has the approved content",
            "the {n} declared files have the approved content",
            len(declared),
        )
    )


def _times(facts: Facts) -> Mapping[str, datetime]:
    found = facts.get(file_times.PROBE)
    return {} if isinstance(found, MissingFact) else {path: one.changed_at for path, one in found.items()}


def _window_of(facts: Facts, at: datetime | None) -> ChangeWindow | None:
    """Return the approved window that a change lies in; a time after this check is no time of a change."""
    allowed = approved(facts)
    return None if allowed is None or at is None or at > facts.at else allowed.window_of(at)


def _doubt(facts: Facts, moments: Sequence[datetime | None]) -> MissingFact | None:
    """Return why a window that is not seen may explain all of these changes; None where it can't, or there is no change."""
    allowed = approved(facts)
    if allowed is None or not moments or any(at is None or at > facts.at for at in moments):
        return None
    return allowed.doubt


def _changed(facts: Facts, paths: Sequence[str], times: Mapping[str, datetime]) -> CheckOutcome:
    """Say which files differ, when the first was changed, and which window is next to that."""
    told = msg("files with other content than approved: {paths}", paths=listed(paths))
    first = min((path for path in paths if path in times), key=lambda path: times[path], default=None)
    if first is None:
        return failed("config-changed", told)
    allowed = approved(facts)
    nearest = allowed.nearest(times[first]) if allowed else None
    if nearest is None:
        return failed(
            "config-changed",
            msg("{told}; {first} was changed at {at}", told=told, first=shown(first, 60), at=times[first]),
        )
    return failed(
        "config-changed",
        msg(
            "{told}; {first} was changed at {at}, the nearest window {reference} began at {start}",
            told=told,
            first=shown(first, 60),
            at=times[first],
            reference=nearest.reference,
            start=nearest.start_at,
        ),
    )


def _approved_without_content(windows: Mapping[str, ChangeWindow], times: Mapping[str, datetime]) -> CheckOutcome:
    first = min(windows, key=lambda path: times[path])
    return unknown(
        "content-not-declared",
        msg(
            "changed in an approved window, and the new content is not declared: {paths};"
            " {first} was changed at {at}, window {reference} began at {start}",
            paths=listed(sorted(windows)),
            first=shown(first, 60),
            at=times[first],
            reference=windows[first].reference,
            start=windows[first].start_at,
        ),
    )
