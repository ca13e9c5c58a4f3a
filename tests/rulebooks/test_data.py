"""The data of the rulebooks: what must hold for every regulation, and what 37/2010 must say."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib import resources
from pathlib import Path

import pytest

from checks.servers.catalogue import checks
from portalops.compliance import RULES
from portalops.model.backups import DataClass
from portalops.model.rulebook import Numbers, Rulebook
from portalops.rulebooks.load import available, load

DUTIES = """
10.1 10.2-configuration 10.2-accounts 10.2-channels 10.2-content 10.2-related 10.2-medium 10.2-interval 10.2-retention
11.1 11.2-submissions 11.2-subportals 11.3-tracking 11.3-handling 11.3-reporting 12.1 12.2-notice 12.2-approval
12.3-continuity 12.3-redundancy 12.3-firewall 12.3-intrusion 12.3-antivirus 12.3-patches 12.4-mechanisms 12.4-testing
12.4-remedy 12.5-custody 12.5-incidents 7.6 3.1
""".split()  # noqa: SIM905 - read as it is written in the regulation, article by article


@pytest.fixture(params=available())
def rulebook(request: pytest.FixtureRequest) -> Rulebook:
    return load(request.param, {})


@pytest.fixture
def ours() -> Rulebook:
    return load("kh-37-2010", {})


def test_each_clause_has_a_duty_and_a_text(rulebook: Rulebook) -> None:
    assert {duty.clause for duty in rulebook.duties} == {clause.id for clause in rulebook.clauses}
    assert all(clause.text.strip() for clause in rulebook.clauses)


def test_every_text_for_people_is_there_in_both_languages_and_precomposed(rulebook: Rulebook) -> None:
    names = [rulebook.title, *rulebook.notices, *(clause.title for clause in rulebook.clauses)]
    names += [name for duty in rulebook.duties for name in (duty.title, duty.evidence)]

    for name in names:
        assert name.vi.strip() == name.vi != ""
        assert name.en.strip() == name.en != ""
        assert unicodedata.is_normalized("NFC", name.vi + name.en)
        assert name.vi != name.en


def test_no_duty_lists_a_check_twice(rulebook: Rulebook) -> None:
    for duty in rulebook.duties:
        assert len(duty.checks) == len(set(duty.checks)), duty.id
        assert all(re.fullmatch(r"[a-z]+\.[a-z0-9-]+", check) for check in duty.checks), duty.id


def test_the_file_states_every_number(rulebook: Rulebook) -> None:
    file = resources.files("portalops.rulebooks") / f"{rulebook.id.replace('-', '_')}.toml"

    assert tomllib.loads(file.read_text(encoding="utf-8"))["numbers"].keys() == Numbers.__dataclass_fields__.keys()


def test_each_data_class_of_article_10_2_has_its_duty(ours: Rulebook) -> None:
    subjects = {duty.subject for duty in ours.duties if duty.rule == "backup-class"}

    assert subjects == {item.value for item in DataClass} - {DataClass.DOCUMENTS.value}


def test_all_duties_are_there_in_the_order_of_articles_10_to_12(ours: Rulebook) -> None:
    assert [duty.id for duty in ours.duties] == DUTIES


def test_the_numbers_are_those_of_articles_10_to_12(ours: Rulebook) -> None:
    assert ours.numbers == Numbers()
    assert (ours.numbers.backup_max_age_days, ours.numbers.portal_daily_min, ours.numbers.unit_weekly_min) == (7, 1, 2)


def test_the_clauses_are_quoted_word_by_word(ours: Rulebook) -> None:
    assert "tối thiểu 1 tuần/lần" in ours.clause("10.2").text
    assert ours.clause("11.1").text == (
        "Cổng thông tin tỉnh được cập nhật thông tin ít nhất 1 lần trong mỗi ngày làm việc."
    )
    assert "không ít hơn 2 lần/tuần" in ours.clause("11.2").text
    assert ours.clause("12.4").text.endswith("khắc phục lỗ hổng bảo mật…")


def test_a_reader_is_told_of_the_regulations_standing(ours: Rulebook) -> None:
    told = " ".join(notice.en for notice in ours.notices)

    assert "no later decision" in told
    assert "does not prove" in told
    assert "224/2026" in told


def test_what_a_duty_rests_on_includes_checks_from_outside(ours: Rulebook) -> None:
    assert "firewall.outside-view" in ours.duty(ours.duties[DUTIES.index("12.3-firewall")].id).checks


def test_every_check_that_exists_belongs_to_a_duty_of_its_clause(ours: Rulebook) -> None:
    clauses: dict[str, set[str]] = {}
    for duty in ours.duties:
        for check in duty.checks:
            clauses.setdefault(check, set()).add(duty.clause)

    assert [check.id for check in checks() if check.clause not in clauses.get(check.id, set())] == []


def test_every_duty_is_judged_by_a_rule_that_exists(rulebook: Rulebook) -> None:
    assert [duty.id for duty in rulebook.duties if duty.rule not in RULES] == []


def test_the_format_page_names_every_number_and_rule() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rulebook-format.md").read_text(encoding="utf-8")
    own = load("kh-37-2010", {}).numbers

    assert [rule for rule in RULES if f"`{rule}`" not in page] == []
    for name in Numbers.__dataclass_fields__:
        value = getattr(own, name)
        shown = f"`{value}`" if isinstance(value, str) else str(value).lower()
        assert f"| `{name}` | {shown} |" in page
