"""Packages, runtimes and content management systems of whole hosts of Debian 13, 12 and 11 are found and looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.lookup import Vulnerabilities
from checks.servers.runner import run_checks
from checks.vulnerabilities.build import Inputs
from portalops.model.checks import CheckResult
from portalops.ports import Completed
from tests.checks.servers.samples import DEFAULT_AT
from tests.checks.servers.test_runner import WEB
from tests.checks.vulnerabilities.records import EXPLOITED, affected, bundle_of, record, write_zip
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

SOME = chosen(
    ids=[
        f"patching.{name}"
        for name in ("cve-exploited", "cve-fixable", "foreign-packages", "runtime-eol", "cms-version")
    ]
)
SEEDED = r"""
install -d /opt/node/bin /srv/www/portal/wp-includes /srv/made/DEBIAN
printf '#!/bin/sh\necho v20.11.1\n' >/opt/node/bin/node
chmod 755 /opt/node/bin/node
printf '<?php\n$wp_version = '"'6.8.1'"';\n' >/srv/www/portal/wp-includes/version.php
printf 'Package: portal-tool\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n' \
  >/srv/made/DEBIAN/control
dpkg-deb -b /srv/made /srv/made.deb >/dev/null && dpkg -i /srv/made.deb >/dev/null
"""


class RootShell:
    """Runs the script as root of a host."""

    address = "192.0.2.1"

    def __init__(self, host: Host) -> None:
        self.host = host

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        said = self.host.sh(f"sh -s {argument}", stdin=script, seconds=deadline_seconds)
        return Completed(0, said.encode("utf-8", "surrogateescape"), b"")


def known(folder: Path, release: int, *, fixed: str) -> Vulnerabilities:
    """Return a bundle in which glibc has an exploited vulnerability that is fixed in that version."""
    name = f"Debian:{release}"
    filling = [
        record(f"FILLING-MADE-{n}", affected(name, "filling"), cves=[f"CVE-2025-{n}"]) for n in range(10_000, 10_120)
    ]
    made = record("DSA-1-1", affected(name, "glibc", {"fixed": fixed}), cves=["CVE-2023-4911"], day="2026-11-23")
    osv = write_zip(folder / "o.zip", [made, *filling])
    kev, support = folder / "kev.json", folder / "support.toml"
    kev.write_text(json.dumps(EXPLOITED))
    support.write_text('read_on = 2026-11-20\n[cms.wordpress]\n"6.8" = "6.8.3"\n')
    inputs = Inputs((osv,), exploited=kev, support=support)
    return Vulnerabilities({f"debian:{release}": bundle_of(folder, f"debian:{release}", inputs)})


def results(host: Host, vulnerabilities: Vulnerabilities) -> dict[str, CheckResult]:
    done = run_checks(
        [WEB],
        Declared(cms=("/srv/www/portal",), support="elts"),
        shell_for=lambda _host: RootShell(host),
        keeper=MemoryKeeper(),
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
        some=SOME,
        known=vulnerabilities,
    )
    return {result.check.removeprefix("patching."): result for result in done.results()}


@pytest.mark.parametrize("release", [13, 12, 11])
def test_seeded_faults_of_a_host_are_found(hosts: Hosts, tmp_path: Path, release: int) -> None:
    with hosts.started(release) as host:
        host.sh(SEEDED)
        glibc = host.sh("dpkg-query -W -f '${source:Version}' libc6").strip()

        found = results(host, known(tmp_path, release, fixed="999:1"))
        fixed = results(host, known(tmp_path, release, fixed=glibc))

    assert found["cve-exploited"].reason == "exploited"
    assert f"CVE-2023-4911 (glibc {glibc})" in str(found["cve-exploited"].message)
    assert (fixed["cve-exploited"].reason, fixed["cve-fixable"].reason) == ("", "")
    assert found["runtime-eol"].reason == "past-end-of-support"
    assert "node 20 in /opt/node/bin/node" in str(found["runtime-eol"].message)
    assert "wordpress 6.8.1 in /srv/www/portal is older than 6.8.3" in str(found["cms-version"].message)
    assert found["foreign-packages"].reason == "lists-empty"  # no archive is in reach of a test's host
