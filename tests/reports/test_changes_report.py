"""The report on changes shows both moments of what changed, and calls nothing approved that may not be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from portalops.model.organisation import HostId
from portalops.reports import formats
from portalops.reports.build_changes import build
from portalops.reports.material import Material, ReportScope
from portalops.reports.named import load_report
from tests.reports import changes_sample as sample
from tests.reports.sample import HOSTILE, HOSTS
from tests.reports.test_compliance_report import facts, table, texts


def data_of(material: Material, language: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.load("json").render(build(material), language=language))
    return made


def test_it_is_found_by_its_name_and_can_be_of_one_host() -> None:
    assert str(load_report("changes").title) == "Report on changes"
    assert load_report("changes").scopes == {"host"}
    assert load_report("changes").needs == {"drift"}


def test_only_the_duties_of_article_12_2_are_told_of() -> None:
    data = data_of(sample.material())

    assert [row[0] for row in table(data, "Each duty")["rows"]] == ["12.2-notice", "12.2-approval"]
    assert "12.4-remedy" not in texts(data)
    assert facts(data)["Population"].endswith("every host of the configuration (2), of which 1 could be compared")


def test_each_thing_that_changed_has_both_moments_and_its_change_without_approval_first() -> None:
    rows = table(data_of(sample.material()), "Each change")["rows"]

    assert [row[6]["word"] for row in rows] == ["without approval", "without approval", "not clear", "approved"]
    approved = rows[-1]
    assert (approved[0], approved[2], approved[7]) == ("web-1", "nginx", "CH-2026-001")
    assert approved[5].startswith("2026-08-21T19:24")
    assert approved[8].startswith("2026-08-19T19:24")
    assert rows[0][5].startswith("between ")
    assert rows[0][8] is None


def test_a_host_that_was_never_compared_comes_first_and_is_not_taken_for_unchanged() -> None:
    data = data_of(sample.material())

    first, second = table(data, "The scans of each host that were compared")["rows"]
    assert (first[0], first[3]) == ("db-1", 0)
    assert first[-1] == {"word": "db-1 was not scanned in this time", "tone": "unsure"}
    assert (second[0], *second[3:8]) == ("web-1", 27, 2, 1, 1, 1)
    said = texts(data)
    assert "web-1, cron: whether one changed is not known: refused" in said
    assert "3 changes are not listed, since there are too many" in said


def test_the_changes_stand_with_the_digest_of_each_paper() -> None:
    data = data_of(sample.material())

    steps = table(data, "Each step of the changes")["rows"]
    assert any(row[4] == "20" * 32 for row in steps)
    replaced = texts(data)
    assert "Nothing that was recorded of these changes was corrected or replaced." in replaced


def test_findings_of_changes_that_were_open_in_the_period_stand_alone_with_their_state() -> None:
    seen = sample.evidence()
    opened = replace(seen.findings[0], check="change.packages")  # opened and fixed within the period
    data = data_of(sample.material(replace(seen, findings=(*seen.findings, opened))))

    rows = table(data, "Findings of changes that were open")["rows"]
    assert [(row[0], row[3]["word"]) for row in rows] == [("change.packages", "fixed")]  # none of before the period
    none = texts(data_of(sample.material()))
    assert "No finding of a change was open in the period; checks that judged: change.order" in none


def test_of_one_host_only_its_own_changes_are_told() -> None:
    data = data_of(sample.material(scope=ReportScope(host=HostId("db-1"))))

    assert "No change of the period is in the register." in texts(data)
    assert "CH-2026-001" not in json.dumps(data["blocks"][:60])
    assert [row[0] for row in table(data, "The scans of each host that were compared")["rows"]] == ["db-1"]
    assert facts(data)["Only the host"] == "db-1"
    assert len(HOSTS) == 2


def test_a_period_with_no_data_says_so_in_sentences_and_shows_no_empty_table() -> None:
    data = data_of(sample.empty())

    said = texts(data)
    for sentence in (
        "The register of changes is empty",
        "nothing was compared",
        "No check looked for changes",
    ):
        assert sentence in said
    assert facts(data)["Changes of the period"] == "nothing is recorded"
    assert facts(data)["Open findings about changes"] == "not known"
    assert all(block["rows"] for block in data["blocks"] if block["type"] == "table")


def test_a_thousand_changes_leave_the_table_short_and_the_rest_is_counted() -> None:
    data = data_of(sample.material(drift=sample.many(1000)))

    assert len(table(data, "Each change")["rows"]) == 120
    assert "880 more rows are not shown" in texts(data)


def test_the_same_material_gives_the_same_bytes_and_hostile_words_do_nothing() -> None:
    for name in ("html", "markdown"):
        first, again = (formats.load(name).render(build(sample.material()), language="vi") for _once in range(2))
        assert first == again
        page = first.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert HOSTILE[:8] in texts(data_of(sample.material()))


def test_a_ledger_that_cannot_be_read_whole_makes_no_report_of_nothing() -> None:
    register = sample.evidence().changes
    assert register is not None
    broken = replace(sample.evidence(), changes=replace(register, lost=(999,)))

    assert "999" in texts(data_of(sample.material(broken, scope=ReportScope(host=HostId("db-1")))))
