"""The script, run by the shells that are here: limits, exit codes, streams."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from checks.servers.catalogue import checks, probes_of
from checks.servers.gather import gather, parse_answer
from checks.servers.probe import SUDO_WAITS, MissingFact, Output, Probe, ProbeResult, fact_of
from checks.servers.script import script_for
from portalops.ports import Completed
from portalops.system.programs import LocalShell

SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]


def text(output: Output) -> str:
    return output.text


class OtherShell:
    """A named shell of this machine, as the one behind the door."""

    address = "local"

    def __init__(self, name: str) -> None:
        self.argv = ["busybox", "sh"] if name == "busybox" else [name]

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        done = subprocess.run([*self.argv, "-s", argument], input=script, capture_output=True, timeout=300, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)


def run(*probes: Probe[str]) -> dict[str, ProbeResult]:
    answer = parse_answer(gather(LocalShell(), probes))
    assert answer.absent.reason == "not-gathered", "the script did not reach its end"
    return dict(answer.sections)


@pytest.mark.parametrize("name", SHELLS)
def test_each_shell_gives_the_same_sections(name: str) -> None:
    probes = (
        Probe("a.ok", ("printf", "no end of line"), text),
        Probe("b.both", ("sh", "-c", "echo out; echo err >&2; exit 3"), text),
        Probe("c.missing", ("no-such-program-here",), text),
        Probe("d.quoting", ("printf", "%s|", "$HOME", "it's", "a  b", '"q"', "\\n"), text),
        Probe("e.empty", ("true",), text),
    )

    sections = parse_answer(gather(OtherShell(name), probes)).sections

    assert {key: (one.exit_code, one.stdout) for key, one in sections.items()} == {
        "a.ok": (0, b"no end of line"),
        "b.both": (3, b"out\n"),
        "c.missing": (127, b""),
        "d.quoting": (0, b'$HOME|it\'s|a  b|"q"|\\n|'),
        "e.empty": (0, b""),
    }
    assert sections["b.both"].stderr == b"err"


def test_probe_that_hangs_is_cut_and_the_others_still_report() -> None:
    sections = run(Probe("a.hangs", ("sleep", "60"), text, timeout_seconds=1), Probe("b.fine", ("echo", "x"), text))

    assert sections["a.hangs"].exit_code == 124
    assert sections["b.fine"].stdout == b"x\n"


@pytest.mark.heavy
def test_probe_that_ignores_being_told_to_stop_is_killed() -> None:
    stubborn = Probe("a.stubborn", ("sh", "-c", "trap '' TERM; while :; do sleep 1; done"), text, timeout_seconds=1)

    sections = run(stubborn, Probe("b.fine", ("echo", "x"), text))

    fact = fact_of(stubborn, sections["a.stubborn"])
    assert isinstance(fact, MissingFact)
    assert sections["b.fine"].stdout == b"x\n"


def test_probe_that_floods_is_cut_at_its_limit() -> None:
    flood = Probe("a.flood", ("yes",), text, limit_bytes=1000)

    section = run(flood)["a.flood"]
    fact = fact_of(flood, section)

    assert isinstance(fact, MissingFact)
    assert fact.reason == "output-cut"


def test_flood_of_complaints_does_not_change_the_exit_code() -> None:
    loud = Probe("a.loud", ("sh", "-c", "yes | head -n 100000 >&2; echo out; exit 4"), text)

    section = run(loud)["a.loud"]

    assert (section.exit_code, section.stdout, len(section.stderr)) == (4, b"out\n", 4096)


@pytest.mark.parametrize(
    ("complaint", "kept"),
    [
        ("printf '\\n  second\\n' >&2", b"\n  second"),
        ("printf 'no end of line' >&2", b"no end of line"),
        ("head -c 9000 /dev/zero | tr '\\0' x >&2", b"x" * 4096),
    ],
)
def test_complaints_are_kept_as_they_are_up_to_their_limit(complaint: str, kept: bytes) -> None:
    section = run(Probe("a.loud", ("sh", "-c", f"{complaint}; exit 5"), text))["a.loud"]

    assert (section.exit_code, section.stdout, section.stderr) == (5, b"", kept)


@pytest.mark.heavy
def test_probes_run_after_everything_else_on_the_host_and_are_timed() -> None:
    sections = run(Probe("a.nice", ("nice",), text), Probe("b.slow", ("sleep", "2"), text))

    assert int(sections["a.nice"].stdout) >= 10
    assert 1 <= sections["b.slow"].seconds <= 30


def test_output_of_exactly_the_limit_is_whole() -> None:
    exact = Probe("a.exact", ("printf", "12345"), text, limit_bytes=5)

    fact = fact_of(exact, run(exact)["a.exact"])

    assert fact == "12345"


def test_probe_cannot_eat_the_rest_of_the_script() -> None:
    sections = run(Probe("a.reads", ("cat",), text), Probe("b.fine", ("echo", "x"), text))

    assert sections["a.reads"].stdout == b""
    assert sections["b.fine"].stdout == b"x\n"


def test_environment_is_neutral_whatever_the_hosts_locale_is() -> None:
    asked = ("sh", "-c", 'echo "$LC_ALL|$LANGUAGE|$TZ"; cat; case $PATH in */sbin*) echo sbin;; esac')

    assert run(Probe("a.environment", asked, text))["a.environment"].stdout == b"C||UTC\nsbin\n"


def test_root_probes_go_through_sudo_without_a_question(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    script = script_for([Probe("a.root", ("nft", "-j", "list", "ruleset"), text, needs_root=True, timeout_seconds=7)])
    pretend = f'id() {{ echo 1000; }}\ncommand() {{ echo "/usr/sbin/$2"; }}\nsudo() {{ printf "%s\\n" "$*" >{calls}; }}\n'.encode()

    subprocess.run(["sh", "-s", "0" * 16], input=pretend + script, capture_output=True, timeout=300, check=True)

    assert calls.read_text() == "-n /usr/sbin/timeout -k 2 7 /usr/sbin/nft -j list ruleset\n"


def test_nothing_is_started_for_a_probe_whose_program_the_host_lacks() -> None:
    lacking = (
        Probe("a.plain", ("no-such-program", "-v"), text),
        Probe("a.lines", ("sh", "-c", "command -v no-such-program >/dev/null || exit 127\necho here"), text),
        Probe("a.root", ("no-such-program",), text, needs_root=True),
    )
    there = Probe(
        "a.there", ("sh", "-c", "command -v cat >/dev/null && command -v ls >/dev/null || exit 127\necho here"), text
    )
    script = script_for([*lacking, there]).replace(b"E=$(", b"echo started >&2; E=$(")

    done = subprocess.run(["sh", "-s", "0" * 16], input=script, capture_output=True, check=True)

    assert done.stderr.splitlines() == [b"started"]
    sections = parse_answer(b"portalops-answer 1 nonce=" + b"0" * 16 + b" rc=0 cut=0\n" + done.stdout).sections
    found = [sections[probe.id] for probe in (*lacking, there)]
    assert [(each.exit_code, each.stdout.strip()) for each in found] == [(127, b"")] * 3 + [(0, b"here")]
    for probe, section in zip(lacking, found, strict=False):
        fact = fact_of(probe, section)
        assert isinstance(fact, MissingFact)
        assert fact.reason == "command-missing"


def test_sudo_that_waits_for_the_hosts_name_is_called_once_and_each_probe_says_why() -> None:
    probe = Probe("a.root", ("nft", "list", "ruleset"), text, needs_root=True)
    pretend = (
        b"id() { echo 1000; }\ncommand() { case $2 in timeout) echo limit;; *) echo /usr/sbin/nft;; esac; }\n"
        b"limit() { return 124; }\nsudo() { echo called >&6; sleep 4; }\nexec 6>&1\n"
    )

    done = subprocess.run(
        ["sh", "-s", "0" * 16], input=pretend + script_for([probe] * 3), capture_output=True, check=True
    )

    assert done.stdout.count(b"called") == 1
    assert done.stdout.count(SUDO_WAITS.encode()) == 3
    fact = fact_of(probe, ProbeResult("a.root", 1, b"", SUDO_WAITS.encode() + b"\n", 0))
    assert isinstance(fact, MissingFact)
    assert fact.reason == "own-name-unresolved"


def test_script_is_clean_for_the_checker_of_shell_scripts() -> None:
    script = script_for([probe for probe in probes_of(checks()).values() if probe.command])

    assert subprocess.run(["sh", "-n"], input=script, capture_output=True, check=False).returncode == 0
    assert len(script) < 272 << 10


def test_probes_write_nothing() -> None:
    forbidden = re.compile(
        r"(?<![0-9&-])>(?!&|/dev/null)\s*[^\s&|]|(?<![\w-])(?:rm|mv|cp|tee|touch|install|mkdir|dd)(?![\w-])|-delete|-exec(?! (?:cat|find|ls|\$G|sed 's/#\.\*//') )"
    )
    for probe in probes_of(checks()).values():
        shell = probe.command[2] if probe.command[:2] == ("sh", "-c") else ""
        shell = re.sub(r'QUIET = "[^"]*"(?: \\\n +"[^"]*")*', "", shell)  # names of programs that scripts of a host run
        assert not forbidden.search(shell.replace("2>/dev/null", "")), probe.id
