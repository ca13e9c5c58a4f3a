"""The report on the servers tells what the records tell of a period, breaks where they tell nothing, and can be cut down to a host."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.availability import PageSample, PageSamples, SampleBatch
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.record import Recorded
from portalops.model.server_history import ServerHistory, UpdateWait, WaitEnd
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.availability import KEY, SAMPLES
from portalops.reports import formats
from portalops.reports.bounded import MOST_ROWS
from portalops.reports.build_servers import build
from portalops.reports.document import (
    Bars,
    Bullets,
    Document,
    Grid,
    Heading,
    KeyValues,
    LineChart,
    Notice,
    Paragraph,
    Status,
    TableBlock,
)
from portalops.reports.material import ReportScope
from tests.checks.servers.test_history import answer
from tests.doubles import FixedClock
from tests.reports import sample
from tests.reports.servers_sample import DATABASE, WEB, at, evidence, history, material, rounds

MADE = build(material())
NOTHING = replace(evidence(), scans=(), checks=None, findings=(), waivers=(), places={})


def tables(made: Document, caption: str) -> TableBlock:
    return next(
        block for block in made.blocks if isinstance(block, TableBlock) and str(block.caption).startswith(caption)
    )


def lines(made: Document, caption: str) -> LineChart:
    return next(
        block for block in made.blocks if isinstance(block, LineChart) and str(block.caption).startswith(caption)
    )


def words(row: Iterable[object]) -> list[str]:
    return [str(cell.word) if isinstance(cell, Status) else str(cell) for cell in row]


def sentences(made: Document) -> str:
    return "\n".join(str(block.text) for block in made.blocks if isinstance(block, Paragraph | Notice))


def test_duties_of_other_articles_are_not_told_as_open_either() -> None:
    bullets = [str(item) for block in MADE.blocks if isinstance(block, Bullets) for item in block.items]

    assert not [each for each in bullets if each.startswith(("10.", "11.", "7.6", "3.1"))]
    assert [each for each in bullets if each.startswith("12.")]


def test_findings_burn_down_by_day_and_break_where_no_round_speaks() -> None:
    chart = lines(MADE, "Findings open at the end of each day")

    by_name = {str(line.name): list(line.values) for line in chart.lines}
    assert len(chart.moments) == 28
    assert by_name["critical"] == [0, 0, 0, *[1] * 7, None, None, None, *[1] * 7, *[0] * 8]
    assert by_name["medium"][4:9] == [0, 1, 1, 0, 0]
    assert set(by_name["high"]) == {2, None}
    assert "3 days are covered by no scan" in sentences(MADE)


def test_open_findings_are_counted_by_age_and_overdue_ones_by_who_answers() -> None:
    ages = {words(row)[0]: words(row)[1:] for row in tables(MADE, "Findings open at the period's end").rows}
    assert ages["high"] == ["2", "0", "0", "1", "1", "2", "0"]
    assert ages["low"] == ["1", "0", "1", "0", "0", "0", "1"]
    assert ages["total"] == ["4", "0", "2", "1", "1", "2", "1"]

    late = [words(row) for row in tables(MADE, "Overdue findings by").rows]
    assert [(row[0], row[1], row[7]) for row in late] == [
        ("Trần Thị Bình", "1", "web-1"),
        ("nguyen-van-an", "1", "db-1"),
    ]
    (waived,) = tables(MADE, "Waived findings").rows
    assert words(waived)[:2] == ["kernel.sysctl", "web-1"]
    assert words(waived)[-1] == "77"


def test_overdue_finding_of_a_host_that_nobody_answers_for_is_told_so() -> None:
    made = build(material(replace(evidence(), places={})))

    (row,) = tables(made, "Overdue findings by").rows
    assert words(row)[:2] == ["nobody is recorded", "2"]


def test_what_opened_came_back_and_was_fixed_is_listed_with_its_days() -> None:
    rows = [words(row) for row in tables(MADE, "Findings that opened").rows]

    assert [(row[1], row[4], row[5]) for row in rows] == [
        ("patching.security-updates", "fixed", "17"),
        ("patching.held", "came back", "None"),
        ("patching.held", "fixed", "2"),
        ("patching.held", "newly opened", "None"),
        ("patching.security-updates", "newly opened", "None"),
    ]


def test_pages_stand_with_their_share_and_whether_that_is_enough_or_not_known() -> None:
    rows = {words(row)[0]: words(row) for row in tables(MADE, "How reachable each page was").rows}

    assert rows["https://tthc.khanhhoa.example/dich-vu-cong/"][-1] == "less than required"
    assert rows["https://khanhhoa.example/"][2] == "24 of 28"
    assert rows["https://khanhhoa.example/"][-1] == "sampled too little to judge"
    assert rows["https://cu.khanhhoa.example/"][-1] == "no longer declared"
    outage = words(tables(MADE, "When pages were away").rows[0])
    assert (outage[1], outage[-1]) == ("db-1", "860")
    assert "1 record of samples cannot be read (501)" in sentences(MADE)


def test_availability_lines_are_four_a_chart_and_unknown_where_a_day_was_hardly_looked_at() -> None:
    first, second = (block for block in MADE.blocks if isinstance(block, LineChart) and block.unit == "%")

    assert [len(first.lines), len(second.lines)] == [4, 2]
    assert first.limits[0][1] == 99.0
    front = next(line for line in first.lines if str(line.name) == "khanhhoa.example")
    assert list(front.values[9:13]) == [None] * 4
    assert front.values[8] == 100
    assert front.values[4] == pytest.approx(100 * 279 / 288)


def test_waits_of_updates_are_distributed_by_days_and_by_how_they_ended() -> None:
    bars = next(
        block
        for block in MADE.blocks
        if isinstance(block, Bars) and "How long security updates waited" in str(block.caption)
    )

    counts = {str(label): {str(word): count for _tone, word, count in parts} for label, parts in bars.rows}
    assert [sum(parts.values()) for parts in counts.values()] == [8, 8, 9, 17, 0, 0, 1]
    assert counts["4 to 7 days"]["gone, and no log shows why"] == 1
    assert counts["8 to 15 days"]["still waiting at the last scan"] == 1
    older = counts["Unknown: it was already waiting in the oldest scan that could be read"]
    assert older["still waiting at the last scan"] == 1, "how long it waited is not known, however long it was seen to"
    longest = words(tables(MADE, "Security updates that still waited").rows[0])
    assert longest[:2] == ["db-1", "openssl"]
    assert "or earlier" in longest[2]


def test_longest_wait_is_a_lower_bound_where_one_began_before_it_could_be_seen() -> None:
    kept = history()
    waits = [UpdateWait(WEB, name, at(1), name == "a", WaitEnd.LOGGED, at(9)) for name in "ab"]

    def longest(count: int) -> str:
        updates = replace(kept.updates[1], waits=tuple(waits[count:]))
        made = build(material(servers=replace(kept, updates=(updates,))))
        return words(tables(made, "Security updates by host").rows[0])[4]

    assert [longest(0), longest(1), longest(2)] == ["8 or more", "8", "None"]


def test_grid_shows_how_many_updates_waited_and_leaves_days_without_a_look_empty() -> None:
    grid = next(block for block in MADE.blocks if isinstance(block, Grid))

    marks = {str(label): [mark.sign if mark else "" for mark in row] for label, row in grid.rows}
    assert marks["web-1"][2:5] == ["✓", "37", "36"]
    assert marks["web-1"][9:13] == [""] * 4
    assert marks["db-1"][4] == "?"


def test_duties_are_those_of_article_12_1_to_12_4() -> None:
    duties = [words(row)[0] for row in tables(MADE, "Each duty").rows]

    assert duties[0] == "12.1"
    assert "12.4-remedy" in duties
    assert not [duty for duty in duties if not duty.startswith("12.") or duty.startswith("12.5")]


def test_report_of_one_host_has_nothing_of_the_others_and_says_that_duties_are_the_portals() -> None:
    made = build(material(scope=ReportScope(host=WEB)))

    own = made.blocks[
        : next(i for i, block in enumerate(made.blocks) if "cannot prove" in str(getattr(block, "text", "")))
    ]
    rows = [words(row) for block in own if isinstance(block, TableBlock) for row in block.rows]
    assert not [row for row in rows if "db-1" in row or any("csdl" in cell for cell in row)]
    assert [row for row in rows if "databases" in row], "the group that it stands by in"
    assert "Duties are the portal's" in sentences(made)
    assert [str(label) for block in own if isinstance(block, Grid) for label, _ in block.rows] == ["web-1"]


def test_period_without_data_gives_sentences_and_no_empty_table() -> None:
    made = build(material(NOTHING, ServerHistory()))

    assert "the findings are unknown" in sentences(made)
    told = {
        str(label): str(value) for block in made.blocks if isinstance(block, KeyValues) for label, value in block.rows
    }
    assert {told["Findings at the period's end"], told["Findings in the period"]} == {"not known"}
    assert "it is unknown how reachable" in sentences(made)
    assert "how long security updates waited is unknown" in sentences(made)
    assert "nothing shows that there is a standby" in sentences(made)
    at_limits = next(
        i for i, block in enumerate(made.blocks) if isinstance(block, Heading) and "cannot prove" in str(block.text)
    )
    assert not [block for block in made.blocks[:at_limits] if isinstance(block, TableBlock) and not block.rows]
    assert not [block for block in made.blocks if isinstance(block, LineChart | Grid | Bars)]


def test_no_heading_stands_above_nothing() -> None:
    for made in (MADE, build(material(NOTHING, ServerHistory())), build(material(scope=ReportScope(host=DATABASE)))):
        for block, following in zip(made.blocks, made.blocks[1:], strict=False):
            assert not (
                isinstance(block, Heading) and isinstance(following, Heading) and block.level >= following.level
            )


@pytest.mark.parametrize("name", ["html", "markdown", "json", "csv", "xlsx"])
def test_same_material_gives_the_same_bytes_in_both_languages(name: str) -> None:
    form = formats.load(name)

    for language in ("vi", "en"):
        assert form.render(MADE, language=language) == form.render(build(material()), language=language)


def test_hostile_pages_packages_and_answers_are_text_in_the_page() -> None:
    page = formats.load("html").render(MADE, language="vi").decode()

    assert "&lt;script&gt;alert(" in page
    assert "<script" not in page
    assert "\u202e" not in page


def test_tables_stay_short_however_much_there_is() -> None:
    one = evidence().scans[-1]
    hosts = tuple(
        HostScan(
            HostId(f"h{number:03}"), one.at, True, "",
            tuple(
                CheckResult(f"family.check-{check}", HostId(f"h{number:03}"), "12.4", Severity.HIGH, CheckVerdict.FAIL, "x", msg("y"))
                for check in range(30)
            ),
        )
        for number in range(100)
    )  # fmt: skip
    newest = Recorded(one.seq, one.at, one.run, CheckScan(hosts))
    waits = tuple(UpdateWait(WEB, f"p{number}", at(1), False, WaitEnd.WAITING, at(9)) for number in range(900))
    kept = history()
    seen = replace(kept, updates=(replace(kept.updates[1], waits=waits),), pages=kept.pages * 20)
    made = build(material(replace(evidence(), scans=sample.looked(newest), checks=newest), seen))

    own = [block for block in made.blocks if isinstance(block, TableBlock)]
    assert max(len(table.rows) for table in own) <= 120
    assert len(tables(made, "Checks that failed or").rows) == MOST_ROWS
    assert len(tables(made, "Every check").rows) == 30
    assert len([block for block in made.blocks if isinstance(block, LineChart) and block.unit]) == 3
    assert "more rows are not shown" in sentences(made)


def test_round_that_looked_at_nothing_else_is_the_newest_of_its_host() -> None:
    *_before, last = rounds()
    hosts = tuple(each for each in last.body.hosts if each.host == WEB)
    newest = Recorded(2000, at(27.5), last.run, CheckScan(hosts))
    seen = replace(evidence(), checks=newest, scans=(*evidence().scans, *sample.looked(newest)), last_polls=(last,))

    made = build(material(seen, scope=ReportScope(host=DATABASE)))

    assert "is record 1027 of" in sentences(made)


# --- by the command line ------------------------------------------------------------------------

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "local"

[[host]]
id = "db1"
address = "192.0.2.7"

[checks.declared.host.web1]
pages = ["https://portal.example.vn/"]
availability_percent = 99.5
sample_minutes = 10
"""
NOON = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A portal with a round and a batch of samples on each of three days."""
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    clock = FixedClock(NOON)
    ledger = Ledger.open(tmp_path / "state", clock, create=True)
    for day in range(3):
        moment = clock.at = NOON + timedelta(days=day)
        waiting = ("libbrotli1",) if day < 2 else ()
        kept = ledger.keep(answer(moment, *waiting))
        result = CheckResult(
            "patching.security-updates", HostId("web1"), "12.3", Severity.CRITICAL,
            CheckVerdict.FAIL if waiting else CheckVerdict.PASS, "", msg("seen"), None, (kept,),
        )  # fmt: skip
        one = CheckScan((HostScan(HostId("web1"), moment, True, "", (result,)),))
        ledger.append("check.finished", run=NO_RUN, body=bodies.write({"check": one}))
        began = moment - timedelta(hours=12)
        samples = tuple(PageSample(600 * number, 200 if number != 5 else 503, 40) for number in range(144))
        batch = SampleBatch("station", began, (PageSamples(HostId("web1"), "https://portal.example.vn/", samples),))
        ledger.append(SAMPLES, run=NO_RUN, body=bodies.write({KEY: batch}))
    ledger.close()
    return tmp_path


def built(home: Path, *arguments: str) -> int:
    given = ("report", "build", "servers", "--period", "2026-11-02..2026-11-04", "--format", "json", "--language", "en")
    return run(
        ["--config", str(home / "portalops.toml"), "--lang", "en", *given, "--output", str(home / "out"), *arguments],
        {},
    )


def data_of(home: Path) -> dict[str, Any]:
    (path,) = (home / "out").iterdir()
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def block(data: dict[str, Any], caption: str) -> dict[str, Any]:
    return next(each for each in data["blocks"] if str(each.get("caption", "")).startswith(caption))


def test_command_reads_samples_and_answers_of_the_period(home: Path) -> None:
    assert built(home) == ExitCode.OK

    data = data_of(home)
    page = block(data, "How reachable each page was")["rows"][0]
    assert page[:2] == ["https://portal.example.vn/", "web1"]
    assert page[-1]["word"] == "less than required"
    assert page[-2] == 30
    untold = block(data, "Security updates by host")["rows"]
    assert [row[0] for row in untold] == ["db1", "web1"]
    assert untold[1][1] == 3
    assert untold[1][5] == 1


def test_command_cuts_the_report_down_to_a_host(home: Path) -> None:
    assert built(home, "--host", "db1") == ExitCode.OK

    (path,) = (home / "out").iterdir()
    assert "servers-host-db1" in path.name
    text = path.read_text(encoding="utf-8")
    assert "portal.example.vn" not in text
    assert "No page is declared" in text


def test_command_knows_no_other_host_and_cuts_down_to_no_unit(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert built(home, "--host", "web9") == ExitCode.USAGE
    assert built(home, "--unit", "so-y-te") == ExitCode.USAGE
    assert "there is no host web9" in capsys.readouterr().err
