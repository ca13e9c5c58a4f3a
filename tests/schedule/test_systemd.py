"""What systemctl says is read as it is, and an answer that is none is not taken for a good one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from portalops.model.message import Message
from portalops.ports import Completed
from portalops.schedule.systemd import parse_units, read_units

# systemd 257.13 of Debian 13: systemctl show, TZ=UTC
ANSWER = """Id=portalops.timer
LoadState=loaded
ActiveState=active
SubState=waiting
FragmentPath=/etc/systemd/system/portalops.timer
UnitFileState=enabled
NeedDaemonReload=no
LastTriggerUSec=Thu 2026-11-26 17:22:00 UTC
Result=success
NextElapseUSecRealtime=Thu 2026-11-26 17:23:00 UTC
DropInPaths=/etc/systemd/system/portalops.timer.d/local.conf

Result=exit-code
ExecMainExitTimestamp=Thu 2026-11-26 17:22:12 UTC
ExecMainStatus=78
Id=portalops.service
LoadState=loaded
ActiveState=failed
SubState=failed
FragmentPath=/etc/systemd/system/portalops.service
UnitFileState=static
NeedDaemonReload=yes

Id=portalops-check.timer
LoadState=not-found
ActiveState=inactive
SubState=dead
LastTriggerUSec=
NextElapseUSecRealtime=
Result=success
NeedDaemonReload=no
"""


class Answers:
    """Gives one answer, whatever is asked."""

    def __init__(self, answer: Completed) -> None:
        self.answer = answer

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        return self.answer


def test_each_unit_is_read_with_its_moments() -> None:
    timer, service, absent = parse_units(ANSWER)

    assert timer.next_at == datetime(2026, 11, 26, 17, 23, tzinfo=UTC)
    assert timer.last_at == datetime(2026, 11, 26, 17, 22, tzinfo=UTC)
    assert timer.drop_ins == ("/etc/systemd/system/portalops.timer.d/local.conf",)
    assert (service.result, service.exit_code, service.is_stale) == ("exit-code", 78, True)
    assert service.last_at == datetime(2026, 11, 26, 17, 22, 12, tzinfo=UTC)
    assert not absent.is_loaded and absent.next_at is None and absent.last_at is None


def test_a_service_that_never_ran_has_no_exit_code() -> None:
    [service] = parse_units("Id=a.service\nLoadState=loaded\nExecMainStatus=0\nExecMainExitTimestamp=n/a\n")

    assert service.exit_code is None and service.last_at is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Completed(127, b"", b""), "this machine has no systemctl"),
        (Completed(124, b"", b""), "does not answer"),
        (
            Completed(1, b"", b"System has not been booted with systemd as init system (PID 1). Can't operate.\n"),
            "PID 1",
        ),
        (Completed(1, b"", b""), "ended with 1"),
        (Completed(0, b"", b""), "gave no answer for some units"),
        (Completed(0, b"Id=other.timer\n", b""), "gave no answer for some units"),
    ],
)
def test_no_answer_is_told_as_one(answer: Completed, said: str) -> None:
    found = read_units(Answers(answer), ["portalops.timer"])

    assert isinstance(found, Message) and said in str(found)


def test_a_host_s_words_cannot_leave_their_line() -> None:
    found = read_units(Answers(Completed(1, b"", b"\x1b[31mred\nerror[PO1]: forged")), ["portalops.timer"])

    assert isinstance(found, Message) and "\n" not in str(found) and "\x1b" not in str(found)
