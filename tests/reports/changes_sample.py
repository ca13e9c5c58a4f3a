"""The sample month's changes: the register, what was seen to change at its hosts, and the findings of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from portalops.model.host_drift import Attribution, ObservedDrift, SeenChange
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.registers.evidence import Evidence
from portalops.reports.material import WHOLE, Material, ReportScope
from tests.reports import sample, servers_sample
from tests.reports.registers import changes
from tests.reports.sample import HOSTILE
from tests.reports.servers_sample import DATABASE, WEB, at


def evidence() -> Evidence:
    """Return the sample month's evidence with its register of changes."""
    judged = frozenset({(str(WEB), "change.order"), (str(WEB), "ssh.root-login")})
    return replace(servers_sample.evidence(), changes=changes(), judged=judged)


def seen(name: str, day: float, attribution: Attribution, reference: str = "", **more: str) -> SeenChange:
    """Return something that changed on a day of the period."""
    approved = at(day - 2) if attribution is Attribution.UNDER else None
    return SeenChange(
        msg("package"), name, more.get("before", "1.26"), more.get("after", "1.28"), at(day), at(day), attribution, reference,
        approved, msg("no approved change covers it") if attribution is Attribution.OUTSIDE else msg("approved"),
    )  # fmt: skip


def drift() -> tuple[ObservedDrift, ...]:
    """Return one host with changes of every kind, one that was never compared."""
    return (
        ObservedDrift(
            WEB,
            (
                seen("nginx", 5.1, Attribution.UNDER, "CH-2026-001"),
                seen("openssl", 6.5, Attribution.UNKNOWN, "CH-2026-001"),
                seen(HOSTILE, 9, Attribution.OUTSIDE, before=HOSTILE),
                replace(
                    seen("/etc/nginx/nginx.conf", 8, Attribution.OUTSIDE),
                    happened=msg("between {after} and {before}", after=at(7), before=at(8)),
                ),
            ),
            27,
            at(0),
            at(27),
            (msg("{host}, {kind}: whether one changed is not known: {why}", host=WEB, kind="cron", why="refused"),),
            3,
        ),
        ObservedDrift(DATABASE, why_none=msg("{host} was not scanned in this time", host=DATABASE)),
    )


def many(count: int) -> tuple[ObservedDrift, ...]:
    """Return a host at which very much changed."""
    every = tuple(
        replace(seen(f"lib{each}", 1, Attribution.OUTSIDE), earliest_at=at(1) + timedelta(seconds=each))
        for each in range(count)
    )
    return (ObservedDrift(HostId("web-1"), every, 1, at(0), at(2)),)


def material(
    found: Evidence | None = None, *, scope: ReportScope = WHOLE, **more: tuple[ObservedDrift, ...]
) -> Material:
    """Return the material of the report on the sample month's changes."""
    return replace(
        servers_sample.material(found or evidence(), scope=scope), drift=more.get("drift", drift()), servers=None
    )


def empty() -> Material:
    """Return the material of a month of which nothing is recorded."""
    found = replace(sample.evidence(), changes=None, findings=(), judged=frozenset())
    return material(found, drift=())
