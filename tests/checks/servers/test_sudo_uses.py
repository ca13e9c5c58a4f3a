"""What the probe of sudo's uses makes of the journal: lines as sudo 1.9.16 and 1.9.5 wrote them on Debian 13 and 11, and forged ones."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.servers.accounts._sudo import unseen_uses
from checks.servers.declared import HostDeclared
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, Output, ProbeResult, fact_of
from checks.servers.probes import sudo_uses, sudoers
from checks.servers.probes.sudo_uses import SudoUses, Use
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId

AT = datetime(2026, 11, 26, 14, 1, 47, tzinfo=UTC)
PASSWD = "root:x:0:0::/root:/bin/bash\nan:x:1000:1000::/home/an:/bin/bash\nbinh:x:1001:1001::/home/binh:/bin/bash\n"
SECRET = "-pMat-khau-2026"


def line(said: object, uid: int = 1000) -> str:
    """Return an entry as journalctl prints it by `-o json`."""
    fields = {"_UID": str(uid), "MESSAGE": said, "__REALTIME_TIMESTAMP": f"{int(AT.timestamp())}246196"}
    return json.dumps(fields, separators=(",", ":"))


def used(
    folder: Path, *lines: str, ends: int = 0, has_sudo: bool = True, has_awk: bool = True
) -> SudoUses | MissingFact:
    """Run the probe's script where journalctl and getent say this."""
    (folder / "lines").write_text("".join(f"{each}\n" for each in lines))
    (folder / "passwd").write_text(PASSWD)
    says = f'case $* in *json*) cat {folder}/lines; exit {ends} ;; *) echo "1780000000.123456 portal systemd[1]: x" ;; esac'
    commands = {"journalctl": says, "getent": f"cat {folder}/passwd"} | ({"sudo": "exit 1"} if has_sudo else {})
    for name, text in commands.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    for name in ("sh", "cat", "cut", "head", "sort", *(("awk",) if has_awk else ())):
        path = next(each for each in ("/usr/bin", "/bin") if Path(each, name).exists())
        (folder / name).symlink_to(Path(path, name))
    probe = sudo_uses.PROBE
    done = subprocess.run(
        probe.command, env={"PATH": str(folder), "LC_ALL": "C"}, capture_output=True, timeout=60, check=False
    )
    assert SECRET.encode() not in done.stdout + done.stderr
    return fact_of(probe, ProbeResult(probe.id, done.returncode, done.stdout, done.stderr, 0))


def uses(folder: Path, *lines: str) -> tuple[Use, ...]:
    found = used(folder, *lines)
    assert isinstance(found, SudoUses)
    return found.uses


def test_account_target_time_and_terminal_are_kept_and_the_command_is_not(tmp_path: Path) -> None:
    terminal = line(f"      an : TTY=pts/1 ; PWD=/home/an ; USER=root ; COMMAND=/usr/bin/mysql {SECRET}")
    program = line(f"      an : PWD=/ ; USER=binh ; ENV=TOKEN={SECRET} ; COMMAND=/usr/bin/id")
    older = line("      an : TTY=unknown ; PWD=/ ; USER=binh ; COMMAND=/usr/bin/id")

    found = uses(tmp_path, terminal, terminal, program, older)

    assert set(found) == {Use("an", "root", "pts/1", AT, 2), Use("an", "binh", "", AT, 2)}


def test_line_in_another_name_counts_for_who_wrote_it(tmp_path: Path) -> None:
    forged = line("      an : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/x", uid=1001)

    assert uses(tmp_path, forged) == (Use("binh", "root", "pts/0", AT, 1),)


def test_account_that_is_gone_keeps_its_name(tmp_path: Path) -> None:
    gone = line("   khach : PWD=/ ; USER=root ; COMMAND=/bin/x", uid=1007)

    assert uses(tmp_path, gone) == (Use("khach", "root", "", AT, 1),)


@pytest.mark.parametrize(
    "said",
    [
        "      an : PWD=/srv/a ; USER=binh ; COMMAND=/bin/x ; USER=root ; COMMAND=/usr/bin/id",
        "      an : PWD=/ ; USER=root ; COMMAND=/usr/bin/echo ; USER=binh",
        f"      an : PWD=/{'a' * 950}",
        f"      an : PWD=/srv/a ; USER=binh ; COMMAND={'a' * 950}",
    ],
)
def test_target_that_a_folder_or_a_command_may_have_written_is_not_named(tmp_path: Path, said: str) -> None:
    assert uses(tmp_path, line(said)) == (Use("an", "?", "", AT, 1),)


@pytest.mark.parametrize(
    "said",
    [
        '      an : PWD=/home/an ; USER=root ; COMMAND=/bin/sh -c echo "a\nb"',
        '      an : PWD=/home/an ; USER=root ; COMMAND=/bin/sh -c "_UID":"0" \\" \\\\',
        [*b"      an : PWD=/home/an ; USER=root ; COMMAND=/bin/sh -c true \x1b[2J\x00\xff"],
    ],
)
def test_command_of_any_bytes_hides_no_use(tmp_path: Path, said: object) -> None:
    """An entry with control characters is a list of numbers in journalctl's JSON; sudo before 1.9.13 escapes none."""
    assert uses(tmp_path, line(said)) == (Use("an", "root", "", AT, 1),)


@pytest.mark.parametrize(
    "said",
    [
        "   khach : command not allowed ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id",
        "   khach : user NOT in sudoers ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id",
        "      an : problem with defaults entries ; PWD=/ ; USER=root ;",
        "      an : (command continued) 247 248 ; USER=root",
        "      an : unable to resolve host portal: Temporary failure in name resolution",
        "pam_unix(sudo:session): session opened for user root(uid=0) by an(uid=1000)",
        None,
    ],
)
def test_what_was_refused_or_only_said_is_no_use(tmp_path: Path, said: object) -> None:
    assert uses(tmp_path, line(said)) == ()


def test_journal_that_breaks_off_is_no_list(tmp_path: Path) -> None:
    found = used(tmp_path, line("      an : PWD=/ ; USER=root ; COMMAND=/usr/bin/id"), ends=1)

    assert isinstance(found, MissingFact)
    assert "is cut short" in str(found.seen)


def test_lines_that_nothing_could_read_are_not_taken_for_no_use(tmp_path: Path) -> None:
    found = used(tmp_path, line("      an : PWD=/ ; USER=root ; COMMAND=/usr/bin/id"), has_awk=False)

    assert isinstance(found, MissingFact)


def test_more_pairs_than_are_kept_are_not_passed_over(tmp_path: Path) -> None:
    many = (line(f"u{n} : PWD=/ ; USER=root ; COMMAND=/usr/bin/id", uid=2000 + n) for n in range(1001))

    found = used(tmp_path, *many)

    assert isinstance(found, MissingFact)
    assert "more than 1000" in str(found.seen)


@pytest.mark.parametrize(
    "row",
    [
        "closed",
        "use|1|1|an|root",
        "use||1|an|root|-",
        "use|x|1|an|root|-",
        "use|999999999999|1|an|root|-",
        "other|1|1|a|b|-",
    ],
)
def test_row_of_another_form_is_no_fact(row: str) -> None:
    fact = fact_of(sudo_uses.PROBE, ProbeResult("", 0, f"oldest 1780000000\n{row}\nend\n".encode(), b"", 0))

    assert isinstance(fact, MissingFact)


def test_without_sudo_nobody_has_to_know_its_rules(tmp_path: Path) -> None:
    none = used(tmp_path, has_sudo=False)
    refused = MissingFact("command-missing", msg("the host has no {program}", program="cvtsudoers"))
    facts = Facts(
        Host(HostId("web1"), "192.0.2.1"), HostDeclared(), AT, {"acct.sudo-uses": none, "acct.sudoers": refused}
    )

    assert isinstance(none, SudoUses)
    assert not none.is_installed
    assert unseen_uses(facts) is None


@pytest.mark.parametrize(
    ("option", "setting"),
    [
        ({"syslog": False}, "!syslog"),
        ({"log_allowed": False}, "!log_allowed"),
        ({"syslog_goodpri": "none"}, "syslog_goodpri=none"),
        ({"log_format": "json"}, "log_format=json"),
        ({"syslog": "local2"}, ""),
        ({"log_format": "sudo"}, ""),
    ],
)
def test_setting_that_leaves_uses_out_of_the_log_is_named(option: dict[str, object], setting: str) -> None:
    """As cvtsudoers 1.9.16 prints them, for everyone or for one account."""
    document = {"Defaults": [{"Binding": [{"username": "an"}], "Options": [option]}], "User_Specs": []}

    assert sudoers.parse(Output(0, json.dumps(document), "")).unlogged_by == setting
