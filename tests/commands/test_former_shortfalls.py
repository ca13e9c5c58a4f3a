"""A change of the configuration ends a duty or a source backwards: what was judged unmet is named, and its case stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.commands.test_case import CONFIGURATION, Office

WEEK = "2026-W47"
CASE = f"{WEEK}/so-y-te/11.2-subportals"
BEGUN_LATER = CONFIGURATION.replace('id = "so-y-te"', 'id = "so-y-te"\nvalid_from = 2026-11-25')
WITHOUT_SUBPORTAL = CONFIGURATION.replace('id = "so-y-te"', 'id = "so-y-te"\nhas_subportal = false')
WITHOUT_SOURCE = CONFIGURATION.replace('id = "content"', 'id = "new-content"').replace("trust_created = true\n", "")

CHANGES = pytest.mark.parametrize(
    ("configuration", "cause"),
    [
        (BEGUN_LATER, "unit so-y-te has valid_from = 2026-11-25 now"),
        (WITHOUT_SUBPORTAL, "unit so-y-te has has_subportal = false now"),
        (WITHOUT_SOURCE, "source content is not in the configuration any more"),
    ],
    ids=["begun_later", "without_subportal", "without_source"],
)


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    office = Office(tmp_path, capsys)
    assert office.call("updates", "collect")[0] == 0
    return office


def _change(office: Office, configuration: str) -> None:
    (office.folder / "portalops.toml").write_text(configuration, "utf-8")
    office.now += timedelta(hours=1)
    office.call("updates", "collect")


@CHANGES
def test_what_was_judged_unmet_is_named_with_the_setting_that_ends_it(
    office: Office, configuration: str, cause: str
) -> None:
    assert office.call("updates", "why", "so-y-te", WEEK)[1]["data"]["subportal_verdict"] == "unmet"

    _change(office, configuration)
    _code, why = office.call("updates", "why", "so-y-te", WEEK)
    _code, status = office.call("updates", "status", "--date", "2026-11-18")

    said = [*why["warnings"], why["error"]["message"] if why["error"] else ""]
    for lines in (said, status["warnings"]):
        (line,) = [line for line in lines if "judged unmet on" in line]
        assert f"{WEEK}, sub-portal (K1): judged unmet on" in line and line.endswith(cause)


@CHANGES
def test_the_case_stays_until_a_person_decides_it(office: Office, configuration: str, cause: str) -> None:
    assert office.cases()[CASE]["state"] == "hearing"

    _change(office, configuration)

    assert office.cases()[CASE]["state"] == "hearing", cause


@CHANGES
def test_the_report_names_it(office: Office, tmp_path: Path, configuration: str, cause: str) -> None:
    _change(office, configuration)

    options = ("--format", "markdown", "--language", "both", "--output", str(tmp_path))
    code, drafted = office.call("updates", "report", "--period", f"{WEEK}", *options)

    assert code == 0, drafted
    text = "".join(Path(one["id"]).read_text("utf-8") for one in drafted["data"])
    assert "Do thay đổi cấu hình, không có căn cứ mới" in text
    assert cause in text.replace("\\", "")  # as Markdown writes an underscore


@CHANGES
def test_the_recorded_verdict_is_no_alarm_where_a_setting_explains_it(
    office: Office, configuration: str, cause: str
) -> None:
    (office.folder / "portalops.toml").write_text(configuration, "utf-8")

    code, proven = office.call("updates", "verify")

    assert (code, proven["data"]["verdicts"], proven["data"]["different"]) == (ExitCode.PARTIAL, [], [])
    assert {one["cause"]["text"] for one in proven["data"]["changed"] if one["week"] == WEEK} == {cause}


def test_polls_of_a_source_that_is_gone_are_known_by_the_records_of_the_ledger(office: Office) -> None:
    office.call("updates", "collect")
    (office.folder / "portalops.toml").write_text(WITHOUT_SOURCE, "utf-8")

    _code, proven = office.call("updates", "verify")

    (line,) = proven["data"]["lost"]
    assert line["text"].startswith("source content is not in the configuration any more: what its 2 recorded polls")


def test_no_letter_is_drafted_about_a_week_in_which_the_unit_did_not_exist(office: Office, tmp_path: Path) -> None:
    _change(office, BEGUN_LATER)

    code, refused = office.call("case", "letter", CASE, "--output", str(tmp_path))

    assert code == ExitCode.USAGE
    assert "did not exist in the week" in refused["error"]["message"]
    assert "valid_from = 2026-11-25" in refused["error"]["message"]


def test_a_letter_about_a_duty_that_a_setting_ended_warns_of_it(office: Office, tmp_path: Path) -> None:
    _change(office, WITHOUT_SUBPORTAL)

    code, drafted = office.call("case", "letter", CASE, "--output", str(tmp_path))

    assert code == 0
    assert any("is not asked any more" in line and "has_subportal = false" in line for line in drafted["warnings"])


def test_a_week_that_no_setting_changed_is_named_by_nothing(office: Office) -> None:
    _code, status = office.call("updates", "status", "--date", "2026-11-18")

    assert not [line for line in status["warnings"] if "judged unmet on" in line]
