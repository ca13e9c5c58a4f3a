"""The operating system still gets fixes from its maker.

Past its end of support a system seems quiet: no update waits, because none is made any more. Article 12.3.

The rule: the day lies before the end in a dated table (data/os_support.toml). Longer support (LTS, ESM, ELTS) counts
only where the portal declares that the host has it. A table that was not read for {table_days} days, or that lacks the release,
makes the answer unknown. A system that states SUPPORT_END itself (AlmaLinux, RHEL) is believed where the table lacks it.

Sources: os-release(5); the Debian package distro-info-data; the makers' life-cycle pages. On Debian 13:

    ID=debian
    VERSION_ID="13"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import os_release
from portalops.model.message import msg
from portalops.model.verdicts import Severity

TABLE_GOOD_FOR = timedelta(days=180)


@check(
    id="patching.os-eol",
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(os_release.PROBE,),
    title=msg("the operating system still gets fixes from its maker"),
    remedy=msg("Move the host to a supported release, or contract longer support and declare it."),
    numbers={"table_days": TABLE_GOOD_FOR.days},
)
def judge(facts: Facts) -> CheckOutcome:
    system = facts[os_release.PROBE]
    today = facts.at.date()
    end = supported_until(system.id, system.version, facts.declared.support) or system.support_end
    if end is None:
        return unknown("unknown-release", msg("the support period of {system} is not known", system=system.name or "?"))
    if today > end:
        return failed("past-end-of-support", msg("{system} has had no fixes since {end}", system=system.name, end=end))
    if today - read_on() > TABLE_GOOD_FOR:
        return unknown("table-old", msg("the table of support dates was last read on {day}", day=read_on()))
    return passed(msg("{system} gets fixes until {end}", system=system.name, end=end))


def supported_until(system: str, version: str, support: str) -> date | None:
    """Return the last day with fixes; None where nothing is known.

    Args:
        system: `ID` of os-release(5).
        version: `VERSION_ID` there.
        support: the kind that is contracted: `standard`, `lts`, `esm` or `elts`.
    """
    versions = _table()[1].get(system, {})
    kinds = versions.get(version) or versions.get(version.partition(".")[0]) or {}
    return kinds.get(support, kinds.get("standard"))


def read_on() -> date:
    """Return the day on which the table was last read."""
    return _table()[0]


@lru_cache(maxsize=1)
def _table() -> tuple[date, Mapping[str, Mapping[str, Mapping[str, date]]]]:
    text = resources.files("checks.servers.data").joinpath("os_support.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return document.pop("read_on"), document
