"""The shipped alerts, judged by Prometheus itself: each fires where it must and is quiet where it must; figures keep their labels in a scrape."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.config.keys import ensure_signing_key
from tests.programs import PATH
from tests.servers import free_port
from tests.web import WebServer, answer, web_server

ALERTS = Path(__file__).parents[3] / "docs" / "prometheus-alerts.yml"
DAY = 86400
AT = 8 * 3600
"""Seconds at which alerts are asked for, after the longest `for`; promtool counts from 0, and times of before are below it."""
JOB = 'portalops_job_last_success_timestamp_seconds{portal="demo",portalops_job="weekly-backup",job="node"}'
ANCHOR = 'portalops_anchor_last_success_timestamp_seconds{portal="demo",anchor="share"}'
MET = 'portalops_duty_last_success_timestamp_seconds{portal="demo",duty="10.2-interval"}'
RUN = 'portalops_run_timestamp_seconds{portal="demo"}'
WAITING = 'portalops_notifications_waiting{portal="demo",channel="on-duty"}'
BROKEN = 'node_textfile_scrape_error{instance="portal"}'

pytestmark = [pytest.mark.needs("promtool", "prometheus"), pytest.mark.heavy]


def verdict(name: str, value: int = 1) -> str:
    """Return a duty's figure of a verdict; PromQL has no other way to say one that has no value."""
    return f'portalops_duty_verdict{{portal="demo",duty="10.2-interval",verdict="{name}"}} {value}'


def series(*figures: str) -> Mapping[str, float]:
    return {name: float(value) for name, _space, value in (each.rpartition(" ") for each in figures)}


WELL = {
    RUN: AT - 60,
    JOB: AT - 7 * DAY,
    ANCHOR: AT - DAY,
    MET: AT - DAY,
    **series(verdict("met"), verdict("unmet", 0), verdict("pending", 0)),
    WAITING: 0,
    BROKEN: 0,
}
UNMET = series(verdict("met", 0), verdict("unmet"))
PENDING = series(verdict("met", 0), verdict("pending"))
EXEMPT = series(verdict("met", 0), verdict("exempt"))
UNKNOWN = series(verdict("met", 0), verdict("insufficient-evidence"))


def without(*names: str) -> Mapping[str, float]:
    return {name: value for name, value in WELL.items() if name not in names}


@pytest.mark.parametrize(
    ("figures", "firing"),
    [
        pytest.param(WELL, [], id="all is well"),
        pytest.param({**WELL, RUN: AT - 4200}, ["PortalopsSilent"], id="no run for an hour"),
        pytest.param(without(RUN), ["PortalopsSilent"], id="no figure of a run"),
        pytest.param({**WELL, JOB: AT - 9 * DAY}, ["PortalopsBackupOld"], id="the backup is old"),
        pytest.param(without(JOB), ["PortalopsBackupOld"], id="no backup was ever made"),
        pytest.param({**WELL, ANCHOR: AT - 2 * DAY}, ["PortalopsAnchorOld"], id="the anchor is old"),
        pytest.param(without(ANCHOR), ["PortalopsAnchorOld"], id="no anchor took a head"),
        pytest.param({**WELL, MET: AT - 2 * DAY, **UNMET}, ["PortalopsDutyNotMet"], id="a duty is unmet for two days"),
        pytest.param({**without(MET), **UNMET}, ["PortalopsDutyNotMet"], id="a duty was never met"),
        pytest.param({**without(MET), **UNKNOWN}, ["PortalopsDutyNotMet"], id="a duty was never shown to be met"),
        pytest.param({**WELL, MET: AT - 2 * DAY}, ["PortalopsDutyNotMet"], id="duties were not judged for two days"),
        pytest.param({**WELL, **UNMET}, [], id="a duty is unmet since yesterday"),
        pytest.param({**WELL, MET: AT - 6 * DAY, **PENDING}, [], id="a week is not over"),
        pytest.param({**without(MET), **PENDING}, [], id="a first week is not over"),
        pytest.param({**without(MET), **EXEMPT}, [], id="a duty is exempt"),
        pytest.param({**WELL, WAITING: 2}, ["PortalopsLettersWait"], id="letters wait"),
        pytest.param({**WELL, BROKEN: 1}, ["PortalopsFileBroken"], id="a file cannot be read"),
    ],
)
def test_each_alert_fires_where_it_must_and_nowhere_else(
    tmp_path: Path, figures: Mapping[str, float], firing: list[str]
) -> None:
    minutes = AT // 60
    alerts = [line.split()[2] for line in ALERTS.read_text(encoding="utf-8").splitlines() if "- alert: " in line]
    told = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"{value}x{minutes}"} for name, value in figures.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": f"{minutes}m",
                        "exp_samples": [{"labels": f'{{alertname="{each}"}}', "value": 1} for each in firing],
                    }
                ],
            }
        ],
    }
    assert {*firing} <= {*alerts}
    (tmp_path / "test.yml").write_text(json.dumps(told), encoding="utf-8")  # which is YAML too

    done = subprocess.run(
        ["promtool", "test", "rules", "test.yml"],
        cwd=tmp_path,
        env={"PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }

[state]
folder = "state"

[signing]
key = "keys/signing"

[report]
languages = ["en"]

[[job]]
id = "weekly-backup"
kind = "report"
every = "week"

[[notify.monitor]]
id = "figures"
kind = "textfile"
file = "portalops.prom"
"""
SCRAPE = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{alerts}"]
scrape_configs:
- job_name: node
  static_configs: [targets: ["{target}"]]
"""


@contextmanager
def prometheus(folder: Path, target: WebServer) -> Iterator[str]:
    """Run a Prometheus that scrapes a server each second; its address is yielded."""
    place = f"127.0.0.1:{free_port()}"
    scrape = SCRAPE.format(alerts=ALERTS, target=target.url.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(scrape, encoding="utf-8")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'metrics'}",
                f"--web.listen-address={place}",
            ],
            env={"PATH": PATH},
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://{place}"
    finally:
        process.terminate()
        process.wait(20)


def asked(server: str, query: str) -> list[dict[str, str]]:
    """Return the labels of what a query finds; nothing as long as the server is not up."""
    address = f"{server}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(address, timeout=5) as page:
            told: dict[str, Any] = json.load(page)
    except OSError:
        return []
    return [each["metric"] for each in told["data"]["result"]]


def awaited(server: str, query: str) -> list[dict[str, str]]:
    until = time.monotonic() + 30
    while not (found := asked(server, query)) and time.monotonic() < until:
        time.sleep(0.2)
    return found


def test_an_ordinary_scrape_leaves_every_label_of_a_figure_as_it_is(tmp_path: Path) -> None:
    ensure_signing_key(tmp_path / "keys" / "signing", comment="portalops@demo")
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    assert run(["--config", str(tmp_path / "portalops.toml"), "--quiet", "run", "--due"], os.environ) in {0, 1, 3}
    figures = (tmp_path / "portalops.prom").read_bytes()

    with web_server() as node:
        node.pages["/metrics"] = answer(figures, headers={"Content-Type": "text/plain; version=0.0.4"})
        with prometheus(tmp_path, node) as server:
            backups = awaited(server, 'portalops_job_last_success_timestamp_seconds{portalops_job="weekly-backup"}')
            all_figures = awaited(server, '{__name__=~"portalops_.*"}')
            query = 'ALERTS{alertname="PortalopsAnchorOld"} unless on () ALERTS{alertname="PortalopsBackupOld"}'
            firing = awaited(server, query)  # before the first scrape both fire

    assert [(each["job"], each["portal"]) for each in backups] == [("node", "demo")]
    assert len(all_figures) > 20
    assert not [each for each in all_figures if any(label.startswith("exported_") for label in each)]
    assert firing, "there is a backup, and no anchor"
