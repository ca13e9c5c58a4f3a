"""The report on access holds the registers against what audits saw, and attests nothing that nobody did."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from portalops.reports import formats
from portalops.reports.build_access import build
from portalops.reports.material import Material, ReportScope
from portalops.reports.named import load_report
from tests.reports import access_sample as sample
from tests.reports.registers import credentials
from tests.reports.sample import HOSTILE
from tests.reports.servers_sample import DATABASE, WEB
from tests.reports.test_compliance_report import facts, table, texts


def data_of(material: Material, language: str = "en") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(formats.load("json").render(build(material), language=language))
    return made


def test_it_is_found_by_its_name_and_can_be_of_one_host() -> None:
    assert str(load_report("access").title) == "Report on access: credentials, places and incidents"
    assert load_report("access").scopes == {"host"}


def test_only_the_duties_of_article_12_1_and_12_5_are_told_of() -> None:
    data = data_of(sample.material())

    assert [row[0] for row in table(data, "Each duty")["rows"]] == ["12.1", "12.5-custody", "12.5-incidents"]
    assert facts(data)["Credentials in use"] == "6; not changed in time: 2; known to people who left: 1"


def test_audits_are_told_over_the_period_and_by_the_newest_round_and_other_checks_are_left_out() -> None:
    data = data_of(sample.material())

    rows = {row[0]: row[1:] for row in table(data, "Answers of each check in the 4 scans")["rows"]}
    assert rows["cred.registered"] == [0, 4, 4, 0, 0, None]
    assert rows["cred.portal-accounts"][-1] == "never answered"
    newest = table(data, "Checks that failed or could not be answered")["rows"]
    assert {row[0] for row in newest} == {"cred.registered"}
    assert "ssh.root-login" not in texts(data)
    places = (
        texts(data)
        .partition("Results of the checks of places and names")[2]
        .partition("Incidents, and who confirms")[0]
    )
    assert "inventory.location" in places
    assert "cred." not in places
    (found,) = table(data, "Findings of these checks that were open")["rows"]
    assert (found[0], found[1]) == ("cred.registered", "web-1")


def test_each_record_of_an_incident_has_both_moments_and_its_paper() -> None:
    rows = table(data_of(sample.material()), "Each record of the incidents")["rows"]

    steps = [(row[0], row[3]) for row in rows]
    assert steps == [
        ("IN-2026-001", "first recorded"), ("IN-2026-001", "reported"), ("IN-2026-001", "noted"), ("IN-2026-001", "reported"),
        ("IN-2026-001", "closed"), ("IN-2026-002", "first recorded"),
    ]  # fmt: skip
    assert rows[0][2] > rows[0][4]
    assert rows[1][6] == "85" * 32
    assert rows[3][6] is None


def test_an_attestation_that_an_incident_contradicts_holds_no_more() -> None:
    (row,) = table(data_of(sample.material()), "Days for which somebody confirmed")["rows"]

    assert row[-1] == {"word": "no longer valid, as an incident was recorded later: IN-2026-002", "tone": "bad"}


def test_credentials_stand_with_what_must_be_done_and_what_was_recorded_without_naming_accounts() -> None:
    data = data_of(sample.material())

    rows = table(data, "Records of credentials in the period")["rows"]
    assert [(row[2], row[3]) for row in rows] == [("web1-001", "handed over"), ("web1-002", "changed")]
    assert "Két sắt phòng 204" not in texts(data)


def test_of_one_host_only_its_own_credentials_places_and_incidents_are_told() -> None:
    data = data_of(sample.material(scope=ReportScope(host=DATABASE)))

    assert {row[0] for row in table(data, "Each record of the incidents")["rows"]} == {"IN-2026-002"}
    assert [row[0] for row in table(data, "Where each server was")["rows"]] == ["db-1"]
    assert facts(data)["Credentials in use"].startswith("0; ")
    assert "web1-001" not in texts(data)
    assert table(data, "Checks that failed or could not")["rows"][0][1] == "db-1"


def test_of_one_host_an_attestation_is_held_against_the_incidents_of_all() -> None:
    data = data_of(sample.material(scope=ReportScope(host=WEB)))

    assert {row[0] for row in table(data, "Incidents that were noticed")["rows"]} == {"IN-2026-001"}
    (row,) = table(data, "Days for which somebody confirmed")["rows"]
    assert "IN-2026-002" in row[-1]["word"]


def test_of_one_host_nobody_who_left_is_said_to_know_nothing() -> None:
    data = data_of(sample.material(scope=ReportScope(host=DATABASE)))

    assert "People who left" not in texts(data)  # who left knows a credential of the other host


def test_a_period_with_no_data_says_so_in_sentences_and_shows_no_empty_table() -> None:
    data = data_of(sample.empty())

    said = texts(data)
    for sentence in (
        "The register of credentials is empty", "The register of incidents is empty",
        "Nobody has recorded where a server is", "No scan of the period is recorded",
    ):  # fmt: skip
        assert sentence in said
    assert facts(data)["Incidents of the period"] == "nothing is recorded"
    assert all(block["rows"] for block in data["blocks"] if block["type"] == "table")


def test_a_register_of_incidents_without_one_in_the_period_proves_nothing_by_itself() -> None:
    seen = sample.evidence()
    assert seen.incidents is not None
    none = replace(seen, incidents=replace(seen.incidents, incidents={}, attested=()))

    said = texts(data_of(sample.material(none)))
    assert "No incident of the period is in the register" in said
    assert "For no day of the period did anybody" in said


def test_many_credentials_leave_the_table_short_and_the_rest_is_counted() -> None:
    data = data_of(sample.material(replace(sample.evidence(), credentials=credentials(500))))

    assert len(table(data, "500 credentials in use")["rows"]) == 40
    assert "460 more rows are not shown" in texts(data)


def test_the_same_material_gives_the_same_bytes_and_hostile_words_do_nothing() -> None:
    for name in ("html", "markdown"):
        first, again = (formats.load(name).render(build(sample.material()), language="vi") for _once in range(2))
        assert first == again
        page = first.decode()
        assert "<script>alert" not in page
        assert "\u202e" not in page
        assert "\x1b" not in page
    assert HOSTILE[:8] in texts(data_of(sample.material()))
