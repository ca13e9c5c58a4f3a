from __future__ import annotations

import pytest

from portalops.errors import ConfigurationError, ExitCode, UnknownKey
from portalops.model.rulebook import Numbers, Occasions, UnitDuties
from portalops.rulebooks.load import available, load

OURS = "kh-37-2010"


def test_a_rulebook_is_found_by_its_file_name() -> None:
    assert OURS in available()
    assert load(OURS, {}).id == OURS


def test_an_unknown_rulebook_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("kh-38-2010", {})

    assert "'kh-38-2010'" in str(caught.value)
    assert OURS in str(caught.value.hint)
    assert caught.value.exit_code is ExitCode.CONFIGURATION


@pytest.mark.parametrize("rulebook_id", ["", "../config", "kh_37_2010", "load", "__init__"])
def test_no_text_leads_out_of_the_folder_of_rulebooks(rulebook_id: str) -> None:
    with pytest.raises(ConfigurationError):
        load(rulebook_id, {})


def test_overrides_change_numbers_and_keep_what_the_rulebook_says() -> None:
    rulebook = load(OURS, {"unit_duties": "submit_only", "unit_weekly_min": 3, "weekend_counts_weekly": False})

    assert rulebook.numbers.unit_duties is UnitDuties.SUBMIT_ONLY
    assert rulebook.numbers.unit_weekly_min == 3
    assert rulebook.overridden == {"unit_duties": "both", "unit_weekly_min": "2", "weekend_counts_weekly": "true"}


def test_an_override_equal_to_the_rulebook_changes_nothing() -> None:
    assert load(OURS, {"unit_weekly_min": 2, "occasion": "day"}) == load(OURS, {})


@pytest.mark.parametrize("name", Numbers.__dataclass_fields__)
def test_every_number_can_be_set_to_its_own_value(name: str) -> None:
    own = getattr(load(OURS, {}).numbers, name)

    assert getattr(load(OURS, {name: own}).numbers, name) == own


def test_an_unknown_number_suggests_the_nearest() -> None:
    with pytest.raises(UnknownKey) as caught:
        load(OURS, {"unit_weekly_minimum": 3})

    assert str(caught.value) == "rulebook.'unit_weekly_minimum': the rulebook has no such number"
    assert str(caught.value.hint) == "Did you mean unit_weekly_min?"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("unit_weekly_min", "2", "a whole number from 1 to 100"),
        ("unit_weekly_min", True, "a whole number from 1 to 100"),
        ("unit_weekly_min", 0, "a whole number from 1 to 100"),
        ("backup_max_age_days", 8, "a whole number from 1 to 7"),
        ("weekend_counts_daily", 1, "true or false"),
        ("occasion", "hour", "one of day, session, items"),
        ("unit_duties", ["both"], "one of both, submit_only, either, sum"),
        ("day_cutoff", "17.00", "a time of day from 00:01 to 24:00"),
        ("day_cutoff", "00:00", "a time of day from 00:01 to 24:00"),
        ("day_cutoff", 17, "a time of day from 00:01 to 24:00"),
    ],
)
def test_a_wrong_value_names_the_number_the_value_and_what_is_expected(name: str, value: object, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(OURS, {name: value})

    assert str(caught.value) == f"rulebook.{name}: {value!r} is not {expected}"


def test_configuration_may_ask_for_more_than_the_articles_and_never_for_less() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(OURS, {"unit_weekly_min": 1})

    assert str(caught.value) == "rulebook.unit_weekly_min: 1 is less strict than the regulation's 2"
    assert load(OURS, {"unit_weekly_min": 3, "backup_max_age_days": 1}).numbers.unit_weekly_min == 3


@pytest.mark.parametrize("cutoff", ["17:00", "00:01", "23:59", "24:00"])
def test_a_day_may_close_at_any_minute(cutoff: str) -> None:
    assert load(OURS, {"day_cutoff": cutoff}).numbers.day_cutoff == cutoff


def test_choices_are_typed() -> None:
    assert load(OURS, {"occasion": "items"}).numbers.occasion is Occasions.ITEMS
