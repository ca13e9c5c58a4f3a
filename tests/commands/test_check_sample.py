"""`portalops check sample`: looks at pages, puts by what it saw, and records it in batches."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.servers.declared import Declared
from checks.servers.page_samples import sample
from commands.check.sample import FILE, batch_of
from commands.cli.entry import run
from portalops.bodies import decode_part
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.availability import SampleBatch
from portalops.model.organisation import Host, HostId
from portalops.system.clock import SystemClock
from tests.checks.servers.portals import ADDRESS, GOOD_HEADERS, NAME, Authority, Nginx, Streets, issue
from tests.servers import free_port
from tests.shapes import data_in

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "local"

[checks.declared]
public_addresses = ["127.0.0.1"]
pages = ["https://portal.example.vn/"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", *arguments], {})


def lines(at: datetime, *statuses: int) -> str:
    moments = (at + timedelta(minutes=5 * number) for number in range(len(statuses)))
    rows = ([m.timestamp(), "web1", f"https://{NAME}/", s, 80] for m, s in zip(moments, statuses, strict=True))
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def test_page_that_is_there_is_up_and_one_that_is_not_is_down(tmp_path: Path) -> None:
    authority, nginx = Authority.new(), Nginx(tmp_path)
    port = nginx.served(issue(NAME, authority.link, names=(NAME,)), authority.link, body=GOOD_HEADERS)
    declared = Declared.model_validate(
        {"public_addresses": [ADDRESS], "pages": [f"https://{NAME}/", f"https://{NAME}/none"]}
    )
    host = Host(HostId("web1"), "local")
    with nginx.running():
        up = sample([host], declared, Streets({(ADDRESS, 443): port}), SystemClock().monotonic)
    away = sample([host], declared, Streets({(ADDRESS, 443): free_port()}), SystemClock().monotonic)

    assert [each.status for each in up] == [200, 404]
    assert [each.status for each in away] == [0, 0]


def test_samples_of_six_hours_are_recorded_together_and_judged(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = datetime.now(UTC) - timedelta(hours=7)
    (home / "state").mkdir()
    (home / "state" / FILE).write_text(lines(began, 200, 200, 0, 200))

    assert portalops(home, "check", "sample", "--json") in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}
    capsys.readouterr()

    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    (record,) = list(ledger.records(kinds=("availability.samples",)))
    batch = decode_part(ledger.blob(record.body), "samples", SampleBatch)
    assert batch is not None
    assert [each.status for each in batch.pages[0].samples][:4] == [200, 200, 0, 200]
    assert (home / "state" / FILE).read_bytes() == b""

    portalops(home, "check", "run", "--check", "run.availability", "--json")
    data: Any = data_in(capsys.readouterr().out, "check run")
    (result,) = data["results"] if isinstance(data, dict) else data
    assert (result["verdict"], result["reason"]) == ("unknown", "too-few-samples")


def test_fresh_samples_wait_for_their_batch(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "state").mkdir()
    (home / "state" / FILE).write_text(lines(datetime.now(UTC) - timedelta(minutes=20), 200))

    portalops(home, "check", "sample", "--json")

    assert data_in(capsys.readouterr().out, "check sample")["recorded"] == 0
    assert (home / "state" / FILE).read_text().count("\n") >= 1


@pytest.mark.parametrize(
    "broken",
    [
        *("", "{", "[1]\n", '["x","web1","u",200,1]\n', "null\n", "\x00\n"),
        *('[NaN,"web1","u",200,1]\n', '[Infinity,"web1","u",200,1]\n', '[1e300,"web1","u",200,1]\n'),
        *('[1795612800,"web1","u",Infinity,1]\n', '[1795612800,"web1","u",200,NaN]\n'),
    ],
)
def test_line_that_is_broken_off_is_left_out(broken: str) -> None:
    text = lines(datetime(2026, 11, 26, tzinfo=UTC), 200) + broken

    batch = batch_of(text.splitlines(), "auditor-1")

    assert batch is not None
    assert sum(len(page.samples) for page in batch.pages) == 1


def test_without_a_sample_there_is_no_batch() -> None:
    assert batch_of([], "auditor-1") is None
