"""Alarms open when a thing is wrong, and close only when it is seen to be right or is looked at no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portalops.alarms.kinds import Seen
from portalops.alarms.life import change
from portalops.model.alarms import (
    AlarmAnswer,
    AlarmCause,
    AlarmEnd,
    AlarmKey,
    AlarmsChanged,
    ClosedAlarm,
    OpenedAlarm,
    SoundThing,
)
from portalops.model.message import msg
from portalops.registers.alarms import (
    ACKNOWLEDGED,
    CHANGED,
    RELEASED,
    SILENCED,
    AlarmRegister,
    AlarmStep,
    fold_alarms,
)

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
DISK = AlarmKey("medium:disk-b")
EVERYTHING = frozenset({DISK, AlarmKey("medium:disk-a")})


def wrong(
    problem: str = "lacking", *, key: AlarmKey = DISK, grave_after: timedelta | None = None, n: int = 1
) -> AlarmCause:
    return AlarmCause(key, problem, msg("lacks {n} sets", n=n), msg("Look at it."), grave_after)


class Ledger:
    """Looks around day by day, and records what changes."""

    def __init__(self) -> None:
        self.steps: list[AlarmStep] = []
        self.day = 0

    @property
    def register(self) -> AlarmRegister:
        return fold_alarms(self.steps)

    def look(self, *seen: Seen, expected: Iterable[AlarmKey] = EVERYTHING) -> AlarmsChanged:
        now = AT + self.day * DAY
        changed = change(self.register.alarms, seen, frozenset(expected), now)
        if changed != AlarmsChanged():
            self.steps.append(AlarmStep(len(self.steps) + 1, now, CHANGED, changed))
        self.day += 1
        return changed

    def say(self, kind: str, until: date | None = None) -> None:
        answer = AlarmAnswer(DISK, "Trần Thị Bình", "đĩa mới về ngày 8/12", until)
        self.steps.append(AlarmStep(len(self.steps) + 1, AT + self.day * DAY, kind, answer))


def test_nothing_is_recorded_while_only_digits_change() -> None:
    ledger = Ledger()
    assert ledger.look(wrong()).opened != ()

    assert [ledger.look(wrong(n=n)) for n in range(2, 60)] == [AlarmsChanged()] * 58


def test_another_class_of_problem_is_recorded_and_the_alarm_keeps_its_beginning() -> None:
    ledger = Ledger()
    ledger.look(wrong())
    ledger.look(wrong("damaged"))

    (alarm,) = ledger.register.open
    assert (alarm.opened_at, alarm.newest.problem, alarm.opened_seq, alarm.newest_seq) == (AT, "damaged", 1, 2)


def test_an_alarm_becomes_grave_once_it_lasted_long_enough() -> None:
    ledger = Ledger()
    first = ledger.look(wrong(grave_after=2 * DAY))
    later = [ledger.look(wrong(grave_after=2 * DAY)) for _day in range(4)]

    assert [one.grave for one in first.opened] == [False]
    assert [[one.grave for one in each.opened] for each in later] == [[], [True], [], []]


def test_what_was_not_found_out_closes_nothing() -> None:
    ledger = Ledger()
    ledger.look(wrong())

    assert ledger.look() == AlarmsChanged()
    assert [each.key for each in ledger.register.open] == [DISK]


def test_what_is_seen_to_be_right_is_closed_with_the_records_that_show_it() -> None:
    ledger = Ledger()
    ledger.look(wrong())

    assert ledger.look(SoundThing(DISK, (40,))).closed == (ClosedAlarm(DISK, AlarmEnd.RIGHT, (40,)),)
    assert ledger.register.open == ()


def test_what_is_wrong_in_one_look_and_right_in_another_is_wrong() -> None:
    ledger = Ledger()
    ledger.look(wrong())

    assert ledger.look(SoundThing(DISK), wrong()) == AlarmsChanged()


def test_what_nobody_looks_at_any_more_is_not_called_right() -> None:
    ledger = Ledger()
    ledger.look(wrong())

    assert ledger.look(expected=()).closed == (ClosedAlarm(DISK, AlarmEnd.NOT_EXPECTED),)


def test_an_acknowledgement_ends_with_its_day_and_with_its_alarm() -> None:
    ledger = Ledger()
    ledger.look(wrong())
    ledger.say(ACKNOWLEDGED, TODAY + 7 * DAY)
    (alarm,) = ledger.register.open
    assert alarm.is_acknowledged(TODAY + 7 * DAY)
    assert not alarm.is_acknowledged(TODAY + 8 * DAY)

    ledger.look(SoundThing(DISK))
    ledger.look(wrong())
    (again,) = ledger.register.open
    assert not again.is_acknowledged(TODAY)
    assert again.opened_at == AT + 2 * DAY


def test_a_silence_holds_before_its_alarm_opens_and_until_it_is_released() -> None:
    ledger = Ledger()
    ledger.say(SILENCED, TODAY + 3 * DAY)
    ledger.look(wrong())
    assert ledger.register.silence_of(DISK, TODAY + 3 * DAY) is not None
    assert ledger.register.silence_of(DISK, TODAY + 4 * DAY) is None

    ledger.say(RELEASED)
    assert ledger.register.silence_of(DISK, TODAY) is None


def test_an_answer_to_an_alarm_that_is_not_open_changes_nothing() -> None:
    ledger = Ledger()
    ledger.say(ACKNOWLEDGED, TODAY + 7 * DAY)

    assert ledger.register == AlarmRegister()


def test_an_alarm_that_a_record_opens_twice_is_one() -> None:
    """Two processes may look around at the same time."""
    opened = AlarmsChanged((OpenedAlarm(DISK, "lacking", msg("x"), msg("y"), grave=True),))

    register = fold_alarms([AlarmStep(1, AT, CHANGED, opened), AlarmStep(2, AT + DAY, CHANGED, opened)])

    assert [each.opened_at for each in register.open] == [AT]


LOOKS = st.lists(st.sampled_from(["wrong", "right", "unknown"]), max_size=30)


@given(LOOKS)
def test_an_alarm_is_open_exactly_if_the_newest_that_was_found_out_was_wrong(looks: list[str]) -> None:
    ledger = Ledger()
    seen: dict[str, tuple[Seen, ...]] = {"wrong": (wrong(),), "right": (SoundThing(DISK),), "unknown": ()}
    for each in looks:
        ledger.look(*seen[each])

    found = [each for each in looks if each != "unknown"]
    assert bool(ledger.register.open) is (found[-1:] == ["wrong"])
