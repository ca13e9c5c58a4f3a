"""What may be done as root: the file for sudo holds what the script calls, word by word, and the helper does nothing else."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from checks.servers.catalogue import checks, probes_of
from checks.servers.privileges import HELPER, helper_program, needs_helper, root_probes, subcommand, sudoers_text
from checks.servers.probe import MissingFact, Output, Probe, ProbeResult, fact_of
from checks.servers.script import script_for

PROBES = tuple(probe for probe in probes_of(checks()).values() if probe.command)
DIGEST = hashlib.sha256(helper_program(PROBES)).hexdigest()
PATHS = {one.command[0]: f"/usr/sbin/{one.command[0]}" for one in PROBES} | {"timeout": "/usr/bin/timeout"}


def text(output: Output) -> str:
    return output.text


def listed(sudoers: str) -> set[str]:
    """The commands of the file, without what only sudo reads: digests and backslashes."""
    body = re.search(r"^Cmnd_Alias PORTALOPS = \\\n(.*?[^\\])\n", sudoers, re.DOTALL | re.MULTILINE)
    assert body
    lines = (line.strip().removesuffix("\\").strip().removesuffix(",") for line in body[1].split("\n"))
    return {re.sub(r"\\(.)", r"\1", re.sub(r"^sha256:\S+ ", "", line)) for line in lines}


def called(probes: tuple[Probe[str], ...], tmp_path: Path, timeout: Path) -> set[str]:
    """What the script hands to `sudo -n` on a host that has every program, where it logs in as somebody else than root.

    What it would run by itself is not run, where `timeout` does nothing: some of it takes half a minute on a busy machine.
    """
    calls = tmp_path / "calls"
    pretend = (
        f'id() {{ echo 1000; }}\ncommand() {{ case $2 in timeout) echo {timeout};; *) echo "/usr/sbin/$2";; esac; }}\n'
        f'sudo() {{ printf "%s\\n" "$*" >>{calls}; }}\n'
    )
    subprocess.run(
        ["sh", "-s", "0" * 16],
        input=pretend.encode() + script_for(probes),
        capture_output=True,
        timeout=300,
        check=True,
    )
    lines = calls.read_text().splitlines()
    assert all(line.startswith("-n ") for line in lines)
    return {line.removeprefix("-n ") for line in lines}


def test_sudoers_file_holds_what_the_script_calls_and_nothing_else(tmp_path: Path) -> None:
    idle = tmp_path / "timeout"
    idle.write_text("#!/bin/sh\n")
    idle.chmod(0o755)

    found = called(PROBES, tmp_path, idle)

    paths = PATHS | {"timeout": str(idle)}
    assert found == listed(sudoers_text(PROBES, "portalops", paths=paths, helper_sha256=DIGEST))
    assert len(found) == len(root_probes(PROBES))


def test_sudoers_file_has_no_wildcard_shell_or_relative_path() -> None:
    for command in listed(sudoers_text(PROBES, "portalops", helper_sha256=DIGEST)):
        assert re.fullmatch(r"/[A-Za-z0-9@%+=:,./_ -]+", command), command
        assert not {"sh", "bash", "env", "less", "vi"} & {word.rsplit("/")[-1] for word in command.split()}, command


@pytest.mark.parametrize("paths", [None, PATHS, {"timeout": "/usr/bin/timeout", "nft": "/usr/sbin/nft"}, {}])
@pytest.mark.needs("visudo")
def test_sudo_itself_takes_the_file(tmp_path: Path, paths: dict[str, str] | None) -> None:
    file = tmp_path / "portalops"
    file.write_text(sudoers_text(PROBES, "portalops", paths=paths, helper_sha256=DIGEST))

    done = subprocess.run(["/usr/sbin/visudo", "-cf", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr + done.stdout


def test_command_that_the_host_lacks_is_left_out() -> None:
    nft = Probe("a.nft", ("nft", "-j", "list", "ruleset"), text, needs_root=True)
    auditctl = Probe("b.audit", ("auditctl", "-s"), text, needs_root=True)

    file = sudoers_text([nft, auditctl], "portalops", paths={"nft": "/usr/sbin/nft"}, helper_sha256=DIGEST)

    assert listed(file) == {"/usr/sbin/nft -j list ruleset"}


def test_command_without_arguments_takes_none() -> None:
    file = sudoers_text([Probe("a.x", ("x",), text, needs_root=True)], "p", paths={"x": "/bin/x"}, helper_sha256=DIGEST)

    assert '/bin/x ""' in file


def test_command_that_is_missing_is_not_asked_of_sudo(tmp_path: Path) -> None:
    probe = Probe("a.x", ("no-such-program-here", "-x"), text, needs_root=True)
    pretend = b"id() { echo 1000; }\n"

    done = subprocess.run(["sh", "-s", "0" * 16], input=pretend + script_for([probe]), capture_output=True, check=True)

    assert b" rc=127 " in done.stdout
    assert b"sudo" not in done.stdout


def test_program_that_is_closed_to_the_account_is_asked_of_sudo(tmp_path: Path) -> None:
    """Its shell finds none that it may not run."""
    lines = Probe("a.lines", ("sh", "-c", "command -v ls >/dev/null || exit 127\nls"), text, needs_root=True)
    plain = Probe("a.plain", ("ls", "-d"), text, needs_root=True)
    pretend = f'id() {{ echo 1000; }}\ncommand() {{ return 1; }}\nsudo() {{ echo "$*" >>{tmp_path}/calls; }}\n'

    subprocess.run(
        ["sh", "-s", "0" * 16], input=pretend.encode() + script_for([lines, plain]), capture_output=True, check=True
    )

    place = next(folder for folder in ("/usr/bin", "/bin") if Path(folder, "ls").exists())
    assert (tmp_path / "calls").read_text() == f"-n {HELPER} {subcommand(lines)}\n-n {place}/ls -d\n"


def helper(
    tmp_path: Path, *arguments: str, probes: tuple[Probe[str], ...] = PROBES
) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "helper"
    file.write_bytes(helper_program(probes))
    return subprocess.run(["sh", str(file), *arguments], capture_output=True, text=True, timeout=300, check=False)


def test_helper_is_clean_and_does_a_probe_as_the_script_would(tmp_path: Path) -> None:
    probe = Probe("a.two", ("sh", "-c", "echo 'one\ntwo'; exit 3"), text, needs_root=True)

    done = helper(tmp_path, subcommand(probe), probes=(probe,))

    assert (done.returncode, done.stdout) == (3, "one\ntwo\n")
    assert subprocess.run(["sh", "-n", str(tmp_path / "helper")], check=False).returncode == 0


def test_helper_keeps_the_limit_of_a_probe(tmp_path: Path) -> None:
    probe = Probe("a.slow", ("sh", "-c", "sleep 60"), text, needs_root=True, timeout_seconds=1)

    assert helper(tmp_path, subcommand(probe), probes=(probe,)).returncode == 124


@pytest.mark.parametrize(
    "arguments", [(), ("acct.shadow",), ("../etc/shadow",), ("acct.shadow@0123456789ab",), ("a", "b")]
)
def test_helper_does_nothing_that_it_does_not_know(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = helper(tmp_path, *arguments)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("portalops-helper: ")


def test_helper_of_another_version_makes_the_fact_missing_and_says_why(tmp_path: Path) -> None:
    new = Probe("a.two", ("sh", "-c", "echo new"), text, needs_root=True)
    old = Probe("a.two", ("sh", "-c", "echo old"), text, needs_root=True)

    done = helper(tmp_path, subcommand(new), probes=(old,))
    fact = fact_of(new, ProbeResult("a.two", done.returncode, done.stdout.encode(), done.stderr.encode(), 0))

    assert isinstance(fact, MissingFact)
    assert fact.reason == "helper-outdated"


def test_helper_knows_every_probe_that_sudoers_cannot_hold() -> None:
    program = helper_program(PROBES).decode()

    assert HELPER.startswith("/usr/local/")
    assert [one.id for one in root_probes(PROBES) if needs_helper(one) != (f"\n{subcommand(one)})\n" in program)] == []
