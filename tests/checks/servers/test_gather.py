"""A host's answer is taken apart without trusting it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from checks.servers.gather import AnswerRejected, HostSilent, appended, gather, is_whole, joined_with_slow, parse_answer
from checks.servers.probe import MissingFact, Output, Probe, ProbeResult, fact_of
from checks.servers.script import HOST_SECONDS
from portalops.model.message import msg
from portalops.ports import Completed

NONCE = "a1b2c3d4e5f60718"
HEADER = f"portalops-answer 1 nonce={NONCE} rc=0 cut=0\n".encode()
DONE = f"<<<{NONCE} done>>>\n".encode()


def section(name: str, stdout: bytes = b"", stderr: bytes = b"", exit_code: int = 0) -> bytes:
    mark = NONCE.encode()
    return b"<<<%b %b>>>\n%b\n<<<%b %b stderr>>>\n%b\n<<<%b %b rc=%d s=1>>>\n" % (
        mark,
        name.encode(),
        stdout,
        mark,
        name.encode(),
        stderr,
        mark,
        name.encode(),
        exit_code,
    )


def text(output: Output) -> str:
    return output.text


class ScriptedShell:
    """Gives one answer to whatever it is asked."""

    address = "192.0.2.1"

    def __init__(self, answer: Completed) -> None:
        self.answer = answer
        self.script = b""
        self.argument = ""

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        self.script, self.argument = script, argument
        assert deadline_seconds == HOST_SECONDS
        assert limit_bytes == 8 << 20
        return self.answer


def test_sections_carry_exit_code_output_and_complaints() -> None:
    raw = HEADER + section("os.release", b"ID=debian\n", b"careful", 3) + DONE

    answer = parse_answer(raw)

    assert answer.sections == {"os.release": ProbeResult("os.release", 3, b"ID=debian\n", b"careful", 1)}


def test_banner_before_the_first_section_is_ignored() -> None:
    raw = HEADER + "Chào mừng! Máy chủ của Sở.\r\n\x1b[31mred\x1b[0m\n".encode() + section("a.b", b"x") + DONE

    assert parse_answer(raw).sections["a.b"].stdout == b"x"


def test_output_that_imitates_a_section_is_text() -> None:
    forged = b"<<<0000000000000000 acct.passwd>>>\nroot:x:0\n<<<done>>>\n<<<0000000000000000 done>>>"
    raw = HEADER + section("a.b", forged) + DONE

    answer = parse_answer(raw)

    assert list(answer.sections) == ["a.b"]
    assert answer.sections["a.b"].stdout == forged


def test_mark_inside_a_line_is_text() -> None:
    raw = HEADER + section("a.b", f"x <<<{NONCE} c.d>>>\n".encode()) + DONE

    assert list(parse_answer(raw).sections) == ["a.b"]


def test_duplicate_section_rejects_the_whole_answer() -> None:
    with pytest.raises(AnswerRejected):
        parse_answer(HEADER + section("a.b", b"1") + section("a.b", b"2") + DONE)


@pytest.mark.parametrize(
    "body",
    [
        f"<<<{NONCE} a.b>>>\nx\n<<<{NONCE} c.d>>>\n",
        f"<<<{NONCE} a.b>>>\nx\n<<<{NONCE} done>>>\n",
        f"<<<{NONCE} a.b>>>\nx\n<<<{NONCE} a.b rc=0 s=0>>>\n",
        f"<<<{NONCE} a.b>>>\nx\n<<<{NONCE} c.d stderr>>>\n",
        f"<<<{NONCE} a.b rc=0 s=0>>>\n",
        f"<<<{NONCE} done>>>\n<<<{NONCE} done>>>\n",
    ],
)
def test_marks_out_of_place_reject_the_whole_answer(body: str) -> None:
    with pytest.raises(AnswerRejected):
        parse_answer(HEADER + body.encode())


def test_missing_done_makes_what_is_absent_unknown() -> None:
    answer = parse_answer(HEADER + section("a.b", b"x") + f"<<<{NONCE} c.d>>>\nhalf".encode())

    assert list(answer.sections) == ["a.b"]
    assert answer.absent.reason == "answer-incomplete"


@pytest.mark.parametrize(
    ("header", "reason"),
    [("rc=124 cut=0", "host-deadline"), ("rc=0 cut=1", "answer-cut"), ("rc=0 cut=0", "answer-incomplete")],
)
def test_why_the_rest_is_missing_is_told_apart(header: str, reason: str) -> None:
    raw = f"portalops-answer 1 nonce={NONCE} {header}\n".encode()

    assert parse_answer(raw).absent.reason == reason


@pytest.mark.parametrize("raw", [b"", b"<<<x done>>>\n", b"portalops-answer 2 nonce=00\n"])
def test_bytes_that_are_no_answer_are_rejected(raw: bytes) -> None:
    with pytest.raises(AnswerRejected):
        parse_answer(raw)


@pytest.mark.parametrize(
    ("exit_code", "stderr", "needs_root", "reason"),
    [
        (127, b"timeout: failed to run command 'nft': No such file or directory", True, "command-missing"),
        (127, b"timeout: failed to run command 'cvtsudoers': No such file or directory", True, "command-missing"),
        (127, b"nice: 'sudo': No such file or directory", True, "sudo-refused"),
        (127, b"sh: 35: sudo: not found", True, "sudo-refused"),
        (127, b"sh: line 35: sudo: command not found", True, "sudo-refused"),
        (124, b"", False, "probe-timeout"),
        (137, b"", False, "probe-timeout"),
        (141, b"", False, "output-cut"),
        (1, b"sudo: a password is required", True, "sudo-refused"),
        (
            1,
            b"Sorry, user audit is not allowed to execute '/usr/sbin/nft -j list ruleset' as root on web1.",
            True,
            "sudo-refused",
        ),
        (1, b"audit is not in the sudoers file.", True, "sudo-refused"),
        (1, b"sudo: unable to resolve host web1: Name or service not known\nnft: denied", True, "command-failed"),
        (1, b"sudo: a password is required", False, "command-failed"),
        (2, b"ls: cannot access", False, "command-failed"),
    ],
)
def test_each_hindrance_has_its_own_reason(exit_code: int, stderr: bytes, needs_root: bool, reason: str) -> None:
    probe = Probe("a.b", ("x",), text, needs_root=needs_root)

    fact = fact_of(probe, ProbeResult("a.b", exit_code, b"plausible output\n", stderr, 0))

    assert isinstance(fact, MissingFact)
    assert fact.reason == reason


def test_output_over_its_limit_is_cut_even_with_exit_code_0() -> None:
    probe = Probe("a.b", ("x",), text, limit_bytes=4)

    over = fact_of(probe, ProbeResult("a.b", 0, b"12345", b"", 0))
    exact = fact_of(probe, ProbeResult("a.b", 0, b"1234", b"", 0))

    assert isinstance(over, MissingFact)
    assert exact == "1234"


def test_bytes_that_are_not_utf8_survive() -> None:
    probe = Probe("a.b", ("x",), text)

    fact = fact_of(probe, ProbeResult("a.b", 0, b"caf\xe9", b"", 0))

    assert isinstance(fact, str)
    assert fact.encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_hostile_complaint_is_bounded_and_on_one_line() -> None:
    probe = Probe("a.b", ("x",), text)

    fact = fact_of(probe, ProbeResult("a.b", 2, b"", b"\x1b[2J\xff\n" + b"A" * 5000, 0))

    assert isinstance(fact, MissingFact)
    shown = str(fact.seen)
    assert "\x1b" not in shown and "\n" not in shown
    assert len(shown) < 250


def test_answer_is_kept_with_how_it_was_gathered() -> None:
    said = f"<<<{NONCE} os.release>>>\n".encode()
    shell = ScriptedShell(Completed(-1, said, b"", truncated=True))

    raw = gather(shell, [], nonce=NONCE)

    assert raw == f"portalops-answer 1 nonce={NONCE} rc=-1 cut=1\n".encode() + said
    assert shell.argument == NONCE


def test_answer_that_was_stopped_tells_how_long_it_was_waited_for() -> None:
    said = f"<<<{NONCE} os.release>>>\n".encode()

    raw = gather(ScriptedShell(Completed(124, said, b"")), [], nonce=NONCE)

    assert raw == f"portalops-answer 1 nonce={NONCE} rc=124 cut=0 waited=60\n".encode() + said
    absent = parse_answer(raw).absent
    assert (absent.reason, absent.seen.values["seconds"]) == ("host-deadline", 60)


def test_host_that_sends_nothing_is_not_reached_and_the_time_is_told() -> None:
    with pytest.raises(HostSilent, match="sent no answer within 60 s"):
        gather(ScriptedShell(Completed(124, b"Welcome!\n", b"")), [])


def test_section_that_broke_off_takes_nothing_from_those_before_it_and_those_added() -> None:
    broken = (
        HEADER.replace(b"rc=0", b"rc=-1")
        + section("os.release", b"ID=debian")
        + f"<<<{NONCE} net.list>>>\nhalf".encode()
    )

    found = parse_answer(appended(broken, ProbeResult("carried", 0, b"{}", b"", 0)))

    assert set(found.sections) == {"os.release", "carried"}
    assert found.absent.reason == "answer-incomplete"


def test_slow_trip_joins_the_answer_or_says_why_it_did_not() -> None:
    raw = gather(ScriptedShell(Completed(0, f"<<<{NONCE} done>>>\n".encode(), b"")), [], nonce=NONCE)
    assert is_whole(raw)

    late = joined_with_slow(raw, Late(), [SLOW], seconds=60)

    assert parse_answer(late).sections[SLOW.id].exit_code == 124
    assert fact_of(SLOW, parse_answer(late).sections[SLOW.id]) == MissingFact(
        "probe-timeout", msg("{probe} did not finish in time", probe=SLOW.id)
    )


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Completed(0, b"", b"", truncated=True), b"was too long and was cut"),
        (Completed(255, b"", b""), b"was cut short"),
    ],
)
def test_slow_trip_that_broke_off_is_not_called_late_and_costs_nothing(done: Completed, said: bytes) -> None:
    raw = gather(ScriptedShell(Completed(0, f"<<<{NONCE} done>>>\n".encode(), b"")), [], nonce=NONCE)

    section_ = parse_answer(joined_with_slow(raw, ScriptedShell(done), [SLOW], seconds=HOST_SECONDS - 300)).sections[
        SLOW.id
    ]

    assert (section_.exit_code, section_.seconds) == (255, 0)
    assert said in section_.stderr


SLOW = Probe("slow.look", ("true",), lambda output: output.text, timeout_seconds=300, repeated_for=timedelta(days=7))


class Late:
    """Logs in, and does not end the slow look."""

    address = "192.0.2.1"

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        assert deadline_seconds == 360
        return Completed(124, f"<<<{argument} slow.look>>>\n".encode(), b"")


def test_nonce_is_fresh_each_time() -> None:
    shell = ScriptedShell(Completed(0, b"", b""))

    gather(shell, [])
    first = shell.argument
    gather(shell, [])

    assert len(first) == 32
    assert first != shell.argument


def test_section_of_another_view_joins_the_answer() -> None:
    raw = appended(HEADER + section("a.b", b"x") + DONE, ProbeResult("machine", 0, b"{}", b"", 0))

    assert parse_answer(raw).sections["machine"].stdout == b"{}"
    assert parse_answer(raw).absent.reason == "not-gathered"


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (("sshd", "-T"), "sshd"),
        (("sh", "-c", "\ncommand -v apt-config >/dev/null || exit 127\napt-config dump"), "apt-config"),
        (("sh", "-c", "cat /proc/mdstat"), "sh"),
    ],
)
def test_a_missing_program_is_named(command: tuple[str, ...], program: str) -> None:
    found = fact_of(Probe("a.b", command, text), ProbeResult("a.b", 127, b"", b"not found", 0))

    assert isinstance(found, MissingFact)
    assert str(found.seen) == f"the host has no {program}"
