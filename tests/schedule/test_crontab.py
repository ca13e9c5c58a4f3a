"""The cron file: each line one call, as the right account, with standard error left to cron's mail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portalops.errors import ConfigurationError
from portalops.schedule.crontab import cron_file
from portalops.schedule.marks import FileOwner, origin_of
from portalops.schedule.plan import Demands
from tests.schedule.plans import SMALL, WHOLE


def lines_of(demands: Demands) -> list[str]:
    file = cron_file(demands)
    assert file is not None and origin_of(file.data) is FileOwner.OWN and file.data.endswith(b"\n")
    return [line for line in file.data.decode().splitlines() if line[0] in "*0"]


def test_every_job_is_one_call() -> None:
    called = "/usr/local/bin/portalops --config /etc/portalops/portalops.toml --quiet --no-input"

    assert lines_of(WHOLE) == [
        f"*/15 * * * *  portalops  {called} run --due >/dev/null",
        f"*/15 * * * *  portalops  {called} watch-remote >/dev/null",
    ]


@pytest.mark.parametrize(("minutes", "field"), [(1, "*/1"), (20, "*/20"), (60, "0")])
def test_it_is_called_as_often_as_planned(minutes: int, field: str) -> None:
    assert lines_of(replace(SMALL, every_minutes=minutes))[0].startswith(f"{field} * * * *  ")


def test_a_percent_sign_ends_no_line_and_a_space_no_word() -> None:
    [line] = lines_of(replace(SMALL, config="/etc/a b/100%.toml"))

    assert "--config '/etc/a b/100\\%.toml' --quiet" in line


def test_whose_mail_it_is_is_left_to_the_administrator() -> None:
    file = cron_file(SMALL)

    assert file is not None and b"MAILTO=" not in file.data


def test_what_could_begin_another_line_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        cron_file(replace(SMALL, config="/etc/x\n* * * * * root reboot"))


def test_nothing_planned_is_no_file() -> None:
    assert cron_file(replace(SMALL, jobs=())) is None
