"""The clock is kept by a time service, agrees with what others said of it, and the portal's time zone is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checks.servers.probe import Output, Unparseable
from checks.servers.probes import chrony
from checks.servers.run import clock_right
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, bad, good, note, unknown
from portalops.errors import LedgerMissing
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict
from portalops.registers.anchors import read_receipts

SECONDS = 5
AHEAD = timedelta(minutes=2)
"""So much later than this machine's clock nobody else's receipt is, unless this clock is behind."""

OTHERS_CLOCKS = frozenset({"rfc3161", "s3"})
"""Kinds of anchors whose receipts bear the time of a clock elsewhere."""

REACH_BACK = timedelta(days=60)


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether the clock is kept, and in which zone days begin."""
    yield _kept(look)
    yield from _compare_clocks(look)
    yield from _zone_seen(look)


def _kept(look: DoctorContext) -> DiagnosticLine:
    runner = look.session.runner
    answer = runner.run(("timedatectl", "show", "-p", "NTPSynchronized", "--value"), timeout_seconds=SECONDS)
    said = answer.stdout.decode("utf-8", "replace").strip()
    if answer.exit_code == 0 and said in {"yes", "no"}:
        if said == "yes":
            return good("", msg("the clock is kept by a time service"))
        return bad(
            "",
            msg("the clock is not kept by a time service"),
            msg("Start one: systemctl enable --now systemd-timesyncd, or chrony."),
        )
    tracking = runner.run(chrony.PROBE.command, timeout_seconds=SECONDS)
    if tracking.exit_code == 0:
        with suppress(Unparseable):
            text = tracking.stdout.decode("utf-8", "surrogateescape")
            return chrony_seen(chrony.parse(Output(tracking.exit_code, text, "")), look.session.clock.now())
    return unknown(
        "",
        msg("whether a time service keeps the clock could not be found out"),
        msg("Install chrony or systemd-timesyncd; in a container, the machine around it keeps the clock."),
    )


def chrony_seen(tracking: chrony.Tracking, at: datetime) -> DiagnosticLine:
    """Return what chrony says of itself, judged as the check of servers judges it (run.time-sync).

    Args:
        tracking: what it said.
        at: when, UTC.
    """
    outcome = clock_right.judge_chrony(tracking, at)
    cure = msg("See 'chronyc sources'.")
    if outcome.verdict is CheckVerdict.PASS:
        return good("", msg("the clock is kept by a time service"))
    return (bad if outcome.verdict is CheckVerdict.FAIL else unknown)("", outcome.message, cure)


def _compare_clocks(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Hold the clock against the newest moment that somebody else's clock gave in a receipt for a head.

    The ledger's examination holds it against the newest record.
    """
    session, now = look.session, look.session.clock.now()
    try:
        receipts = tuple(read_receipts(session.ledger, since=now - REACH_BACK))
    except LedgerMissing:
        return
    told = [
        (one.body.at, one.body.anchor) for one in receipts if one.body.at is not None and one.body.kind in OTHERS_CLOCKS
    ]
    if not told:
        return
    newest, anchor = max(told)
    if newest > now + AHEAD:
        yield bad(
            "receipts",
            msg(
                "the clock is behind the newest receipt of {anchor}: {now} and {newest}",
                anchor=anchor,
                now=now,
                newest=newest,
            ),
            msg("Set the clock right; what is recorded until then bears a wrong time."),
        )
    else:
        yield good(
            "receipts",
            msg("the clock is not behind the newest receipt of {anchor}, of {newest}", anchor=anchor, newest=newest),
        )


def _zone_seen(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say in which zone days begin and end, and which one the machine has: a timer's calendar is in the machine's."""
    zone = look.session.zone_of_portal
    now = look.session.clock.now()
    of_machine = machine_zone(look.session.environment.get("TZ", ""))
    shown = f"{now.astimezone(zone):%z}"
    if of_machine is None:
        yield unknown(
            "zone",
            msg("the machine's time zone could not be found out"),
            msg("Run 'timedatectl set-timezone {zone}'.", zone=zone.key),
        )
    elif all(_offset(of_machine, day) == _offset(zone, day) for day in _year_from(now)):
        yield good("zone", msg("days begin in {zone} ({offset}), as on this machine", zone=zone.key, offset=shown))
    else:
        yield note(
            "zone",
            msg(
                "days begin in {zone} ({offset}); the machine's own time zone is {machine}",
                zone=zone.key,
                offset=shown,
                machine=of_machine.key or "localtime",
            ),
            msg(
                "portalops goes by the portal's; 'timedatectl set-timezone {zone}' makes other logs agree.",
                zone=zone.key,
            ),
        )


def machine_zone(variable: str, link: Path = Path("/etc/localtime")) -> ZoneInfo | None:
    """Return the time zone of this machine, from `TZ` or the link that tzset(3) reads; UTC where there is neither."""
    name = variable.removeprefix(":")
    if not name and link.exists():
        name = os.path.realpath(link).partition("zoneinfo/")[2]
        if not name:
            try:
                with link.open("rb") as file:
                    return ZoneInfo.from_file(file)
            except (OSError, ValueError):
                return None
    try:
        return ZoneInfo(name or "UTC")
    except (OSError, ValueError, KeyError):
        return None


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _year_from(now: datetime) -> list[datetime]:
    return [now + timedelta(days=30 * number) for number in range(13)]


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
