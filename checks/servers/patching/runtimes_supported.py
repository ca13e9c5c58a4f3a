"""The runtimes of web programs still get fixes.

A PHP that somebody built years ago is no package, so no update ever waits for it. Article 12.3.

The rule: a runtime of a package passes on a system that still gets fixes, whatever its number: makers of distributions put
fixes into old versions. One that no package has passes up to the end of its series in a dated table: that of the
vulnerability bundle, or portalops' own (data/runtime_support.toml), whichever was read later. A series that it lacks, a
program that is not started because others than root can change it, a program whose version cannot be read, and a table that
was not read for {table_days} days make the answer unknown. Packages of other makers' archives count as packages.

Sources: the makers' pages that the table names. On Debian 13 with a Node.js that was unpacked by hand:

    php|/usr/bin/php8.4|php8.4-cli|
    node|/opt/node/bin/node|-|v20.11.1
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching import os_supported
from checks.servers.probe import shown
from checks.servers.probes import os_release, runtimes, vulnerabilities
from checks.servers.probes.runtimes import UNSAFE, Runtime
from checks.servers.probes.vulnerabilities import FoundVulnerabilities
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import CheckVerdict, Severity

TABLE_GOOD_FOR = timedelta(days=180)
_SERIES = {
    "php": re.compile(r"PHP (\d+\.\d+)\."),
    "nginx": re.compile(r"nginx version: nginx/(\d+\.\d+)\."),
    "java": re.compile(r'\w+ version "(?:1\.)?(\d+)[".]'),
    "node": re.compile(r"v(\d+)\."),
    "python3": re.compile(r"Python (\d+\.\d+)"),
}


@check(
    id="patching.runtime-eol",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(os_release.PROBE, runtimes.PROBE),
    uses=(vulnerabilities.PROBE,),
    title=msg("the runtimes of web programs still get fixes"),
    remedy=msg("Move to the distribution's own build, or to a series that its maker still fixes."),
    numbers={"table_days": TABLE_GOOD_FOR.days},
)
def judge(facts: Facts) -> CheckOutcome:
    found = facts[runtimes.PROBE]
    by_hand = [one for one in found if not one.package]
    if len(by_hand) < len(found):
        system = os_supported.judge.judge(facts)
        if system.verdict is not CheckVerdict.PASS:
            return system
    read_on, table = _newest_table(facts)
    today = facts.at.date()
    outcomes = [_judged(one, table, today) for one in by_hand]
    for verdict in (CheckVerdict.FAIL, CheckVerdict.UNKNOWN):
        for outcome in outcomes:
            if outcome.verdict is verdict:
                return outcome
    if by_hand and today - read_on > TABLE_GOOD_FOR:
        return unknown("table-old", msg("the table of support dates was last read on {day}", day=read_on))
    return passed(
        nmsg("{n} runtime is installed, and gets fixes", "{n} runtimes are installed, and all get fixes", len(found))
    )


def _judged(one: Runtime, table: Mapping[str, Mapping[str, date]], today: date) -> CheckOutcome:
    if one.version == UNSAFE:
        return unknown(
            "unsafe-program", msg("others than root can change {path}, so it was not started", path=_path(one))
        )
    match = _SERIES[one.name].match(one.version)
    if match is None:
        return unknown("version-unreadable", msg("the version of {path} cannot be read", path=_path(one)))
    end = table.get(one.name, {}).get(match[1])
    if end is None:
        return unknown(
            "series-unknown",
            msg(
                "the support period of {name} {series} is not known, {path}",
                name=one.name,
                series=match[1],
                path=_path(one),
            ),
        )
    if today > end:
        return failed(
            "past-end-of-support",
            msg(
                "{name} {series} in {path} is no package and has had no fixes since {end}",
                name=one.name,
                series=match[1],
                path=_path(one),
                end=end,
            ),
        )
    return passed(msg("{path} gets fixes until {end}", path=_path(one), end=end))


def _path(one: Runtime) -> str:
    return shown(one.path, 80)


def _newest_table(facts: Facts) -> tuple[date, Mapping[str, Mapping[str, date]]]:
    read_on, table = _table()
    seen = facts.get(vulnerabilities.PROBE)
    if (
        isinstance(seen, FoundVulnerabilities)
        and seen.support
        and date.fromisoformat(seen.support["read_on"]) > read_on
    ):
        runtime = seen.support["runtime"].items()
        carried = {name: {key: date.fromisoformat(day) for key, day in series.items()} for name, series in runtime}
        return date.fromisoformat(seen.support["read_on"]), carried
    return read_on, table


@lru_cache(maxsize=1)
def _table() -> tuple[date, Mapping[str, Mapping[str, date]]]:
    text = resources.files("checks.servers.data").joinpath("runtime_support.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    return document["read_on"], document["runtime"]
