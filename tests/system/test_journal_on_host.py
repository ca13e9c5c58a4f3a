"""On a real Debian with its own journald: the fields are there, by themselves in a unit, and no secret is among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portalops.system.logs import Event
from tests.hosts import Host, Hosts
from tests.installed import installed, write

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

SECRET = "5ec2e7-canary-of-an-address"
CONFIG = "/etc/portalops/portalops.toml"
TEXT = """
portal = { id = "kh", name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" } }
state  = { folder = "/var/lib/portalops/state" }

[[ledger.anchor]]
id = "share"
kind = "folder"
folder = "/srv/share"

[[job]]
id = "daily-anchor"
kind = "anchor"
every = "day"
duty = "10.2-interval"

[[notify.monitor]]
id = "watcher"
kind = "healthchecks"
url = { credential = "watcher" }
timeout_seconds = 1
"""
UNIT = """
[Service]
Type=oneshot
User=portalops
LoadCredential=watcher:/etc/portalops/watcher
SuccessExitStatus=1 3 4 75 78
ExecStart=/usr/local/bin/portalops --config {config} --quiet run --due
"""


def entries(host: Host, *matches: str) -> list[dict[str, Any]]:
    found = host.sh(f"journalctl --sync; journalctl -o json --no-pager {' '.join(matches)}")
    return [json.loads(line) for line in found.splitlines()]


def test_what_a_unit_logs_is_in_the_journal_with_its_fields(hosts: Hosts) -> None:
    with installed(hosts, name="logged") as host:
        write(host, CONFIG, TEXT)
        write(host, "/etc/portalops/watcher", f"http://127.0.0.1:9/{SECRET}\n", owner="root:root", mode=0o600)
        write(host, "/etc/systemd/system/knock.service", UNIT.format(config=CONFIG), owner="root:root", mode=0o644)

        host.sh("systemctl daemon-reload; systemctl start knock.service || true")

        (started,) = entries(host, f"MESSAGE_ID={Event.RUN_STARTED.value}")
        (failed,) = entries(host, f"MESSAGE_ID={Event.RUN_FAILED.value}", "PORTALOPS_JOB=daily-anchor")
        (untold,) = entries(host, f"MESSAGE_ID={Event.MONITOR_FAILED.value}")
        assert started["PRIORITY"] == "6" and failed["PRIORITY"] == "3" and untold["PRIORITY"] == "4"
        assert started["PORTALOPS_RUN"] == failed["PORTALOPS_RUN"]
        assert started["PORTALOPS_RUN"].startswith("10.2-interval:daily-anchor:")
        assert started["PORTALOPS_DUTY"] == "10.2-interval"
        assert started["SYSLOG_IDENTIFIER"] == "portalops" and started["_TRANSPORT"] == "journal"
        assert started["_SYSTEMD_UNIT"] == failed["_SYSTEMD_UNIT"] == "knock.service"
        assert untold["MESSAGE"].startswith("monitor watcher was not notified: ")
        everything = host.sh("journalctl -o export --no-pager")
        assert SECRET not in everything
        said = entries(host, "-u", "knock.service", "_TRANSPORT=stdout")
        assert not [entry for entry in said if "was not told" in entry["MESSAGE"]], "nothing is said twice"

        host.sh(f"echo nothing = 1 >>{CONFIG}; systemctl start knock.service || true")

        (wrong,) = entries(host, "PORTALOPS_ERROR=PO1004")
        assert wrong["PRIORITY"] == "3" and "nothing" in wrong["MESSAGE"] and wrong["PORTALOPS_HINT"]
        assert "UnknownKey" in wrong["PORTALOPS_TRACE"]
