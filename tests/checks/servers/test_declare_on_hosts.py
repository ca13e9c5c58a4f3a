"""A whole Debian host from its first scan through `check declare` to the next: how many checks are unknown before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.model.checks import is_for_want
from tests.checks.servers.test_on_hosts import ACCOUNT, configure, data, enrol, portalops, set_up
from tests.hosts import Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]


def unknown_in(found: list[dict[str, str]]) -> dict[str, str]:
    return {f"{one['host']} {one['check']}": one["reason"] for one in found if one["verdict"] == "unknown"}


def test_nothing_is_unknown_for_want_of_a_declaration_once_the_drafts_are_accepted(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        host.sh(f"usermod -aG systemd-journal {ACCOUNT}")
        host.sh("systemd-run --unit=web python3 -m http.server 80")
        configure(tmp_path, host, more='roles = ["web"]\n')
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)

        before = unknown_in(data(capsys, tmp_path, "check", "run"))
        for _again in range(2):  # what is asked from outside shows what more can be declared
            names = [each["id"] for each in data(capsys, tmp_path, "check", "declare")["declarations"]]
            chosen = [word for name in names for word in ("--yes-to", name)]
            assert portalops(tmp_path, "check", "declare", *chosen, "--by", "Nguyễn Văn An") == ExitCode.OK
            after = unknown_in(data(capsys, tmp_path, "check", "run"))

    print("MEASURED", len(before), len(after), after)
    assert len(before) > 60
    assert len(after) < len(before) / 2
    assert not {name for name, reason in after.items() if is_for_want(reason)}, after
