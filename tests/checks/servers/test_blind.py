"""A check that could not look does not pass: each section of each passing capture, as a host sends it that cannot be looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest

from checks.servers.catalogue import checks
from checks.servers.check import Check
from portalops.model.verdicts import CheckVerdict
from tests.checks.servers.samples import Sample, all_samples

EVERY = {check.id: check for check in checks()}
PASSING = tuple(sample for sample in all_samples() if sample.verdict == "pass")
SECTION = re.compile(
    rb"(?P<start><<<[0-9a-f]+ (?P<id>[a-z0-9.-]+)>>>\n)(?P<said>.*?)(?P<mid>\n<<<[0-9a-f]+ (?P=id) stderr>>>\n)"
    rb".*?(?P<end><<<[0-9a-f]+ (?P=id) rc=)(?P<rc>\d+)(?P<rest> s=0>>>\n)",
    re.DOTALL,
)
BLIND = {
    "nothing, and no error": (b"", b"", b"0"),
    "cut at its limit": (None, b"", b"141"),
    "not in time": (None, b"", b"124"),
    "killed": (None, b"", b"137"),
    "no such program": (b"", b"sh: 1: prog: not found\n", b"127"),
    "not to be run": (b"", b"sh: 1: prog: Permission denied\n", b"126"),
    "sudo refuses": (b"", b"sudo: a password is required\n", b"1"),
    "an error without a word": (b"", b"", b"1"),
    "another error": (b"", b"", b"2"),
}
"""What a section may be instead: standard output (None: as it was), standard error, exit code."""

RIGHTLY_SILENT = {
    "firewall.listeners net.listeners": "psutil looked at this machine a second time",
}
"""Needed sections that may be empty, with exit code 0, and why the check rests on others then."""
ONE_OF_TWO = {
    "acct.default-names acct.sudoers": "a host without sudo has none of its rules",
    "acct.login-attribution acct.lastlog": "the journal tells of the logins",
    "acct.privileged acct.sudoers": "a host without sudo has none of its rules",
    "acct.stale acct.lastlog": "the journal tells of the logins",
    "acct.stale acct.logins": "lastlog tells of the logins",
    "change.drift own.changes": "nothing changed, so that no approval is looked for",
    "cred.registered db.mysql-accounts": "a host without MariaDB or MySQL has none of its accounts",
    "cred.registered db.postgresql-roles": "a host without PostgreSQL has none of its roles",
    "cred.registered ssh.servers": "a host without sshd takes no keys",
    "db.exposure acct.other-ways": "ss is there in any case: it names the listeners too",
    "db.exposure db.mysql-accounts": "asked only where MariaDB or MySQL runs",
    "db.exposure firewall.nft": "a host without nft's program is taken to have no rules of it that lead to loopback",
    "db.pg-hba db.postgresql-roles": "no process of PostgreSQL runs",
    "firewall.active firewall.legacy": "the kernel's other filter stands",
    "firewall.admin-restricted firewall.legacy": "one filter that denies is enough",
    "firewall.default-deny firewall.legacy": "one filter that denies is enough",
    "firewall.listeners firewall.nft": "ss names the listeners, and no rule is seen that leads to more of them",
    "firewall.listeners machine": "ss names the listeners",
    "firewall.persistent firewall.nft": "the saved rules deny by themselves",
    "firewall.persistent firewall.saved": "ufw loads rules of its own, and denies by default",
    "firewall.persistent firewall.ufw": "another unit loads the rules",
    "ids.prevention ids.crowdsec": "fail2ban has a jail",
    "ids.prevention ids.fail2ban": "CrowdSec has a bouncer",
    "malware.signature-age malware.clamd": "a host without ClamAV's daemon scans by its programs alone",
    "patching.held apt.index": "dpkg says that nothing is on hold; an index could only say what a hold keeps back",
    "patching.unattended apt.index": "fixes are declared to be installed by hand",
    "run.time-sync time.chrony": "systemd tells of the clock",
    "run.time-sync time.systemd": "chrony tells of the clock",
    "ssh.password-auth outside.ssh": "sshd's own settings rule it out",
    "storage.space disk.space": "psutil tells of the space",
}
"""Sections that a check only uses, and what it rests on without them."""


def blinded(raw: bytes, names: Iterable[str], how: str) -> bytes:
    said, complaint, code = BLIND[how]
    wanted = {name.encode() for name in names}

    def changed(match: re.Match[bytes]) -> bytes:
        if match["id"] not in wanted:
            return match[0]
        kept = match["said"] if said is None else said
        return match["start"] + kept + match["mid"] + complaint + match["end"] + code + match["rest"]

    return SECTION.sub(changed, raw)


def passes(sample: Sample, names: Iterable[str], how: str) -> bool:
    chosen = tuple(names)
    changes: list[bool] = []

    def change(raw: bytes) -> bytes:
        other = blinded(raw, chosen, how)
        changes.append(other != raw)
        return other

    verdict = sample.judged(change).verdict
    assert verdict is not CheckVerdict.ERROR
    return any(changes) and verdict is CheckVerdict.PASS


def of(check: str) -> list[Sample]:
    return [sample for sample in PASSING if sample.check == check]


def passing_though(check: str, wanted: Callable[[Check], Iterable[str]]) -> dict[str, set[str]]:
    """Return by section the ways of blindness with which some capture passes still."""
    found: dict[str, set[str]] = {}
    for name in wanted(EVERY[check]):
        for how in BLIND:
            if any(passes(sample, (name,), how) for sample in of(check)):
                found.setdefault(f"{check} {name}", set()).add(how)
    return found


@pytest.mark.parametrize("check", EVERY)
def test_a_needed_section_that_says_nothing_is_no_pass(check: str) -> None:
    found = passing_though(check, lambda one: (probe.id for probe in one.needs))

    for name in found:
        assert found[name] == {"nothing, and no error"}, name
    assert found.keys() == {name for name in RIGHTLY_SILENT if name.split()[0] == check}


@pytest.mark.parametrize("check", EVERY)
def test_a_used_section_that_says_nothing_is_no_pass_where_the_check_rests_on_it(check: str) -> None:
    found = passing_though(check, lambda one: (probe.id for probe in one.uses))

    assert found.keys() == {name for name in ONE_OF_TWO if name.split()[0] == check}


@pytest.mark.parametrize("check", EVERY)
@pytest.mark.parametrize("how", BLIND)
def test_a_host_that_cannot_be_looked_at_at_all_passes_nothing(check: str, how: str) -> None:
    every = [probe.id for probe in (*EVERY[check].needs, *EVERY[check].uses)]

    assert not [str(sample) for sample in of(check) if passes(sample, every, how)]
