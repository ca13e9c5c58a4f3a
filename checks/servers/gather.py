"""One trip to one host: the script goes in, the answer comes back, and is taken apart without trusting it.

The answer's bytes are evidence. They are kept with one line before them that says how they were gathered, so that they
can be judged again later by whoever holds them:

    portalops-answer 1 nonce=NONCE rc=N cut=0|1 [waited=SECONDS]

Where the host was stopped at its deadline (`rc=124`), the line ends with how long it was waited for.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from checks.servers.probe import MissingFact, Probe, ProbeResult
from checks.servers.redaction import JSON, LINES, AnswerForm, redacted, redacted_as
from checks.servers.script import HOST_BYTES, HOST_SECONDS, script_for
from portalops.errors import HostUnreachable, PortalOpsError
from portalops.model.message import msg
from portalops.ports import Shell

_LATE = 124
"""The exit code of what was stopped at its deadline, as of timeout(1)."""
_FAILED = 255
"""The exit code of a trip that failed, as of ssh(1)."""
_DEADLINE = "host-deadline"
_BY_TURNS = threading.Lock()
"""One answer is redacted at a time, since that needs the memory of several, and is no sooner done beside others."""
_HEADER = re.compile(rb"portalops-answer 1 nonce=([0-9a-f]{16,64}) rc=(-?\d{1,4}) cut=([01])(?: waited=(\d{1,5}))?\n")


class AnswerRejected(Exception):
    """A host's answer breaks the form that only the script can give it, so nothing in it is believed."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.missing = MissingFact("answer-rejected", msg("the host's answer cannot be parsed at {where}", where=where))


class HostSilent(HostUnreachable):
    """A host let the caller in and answered nothing."""


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What one host said, by probe."""

    sections: Mapping[str, ProbeResult]
    """The sections that ended properly, by probe id."""
    absent: MissingFact
    """Why a probe that has no section has none."""


def gather(
    shell: Shell, probes: Sequence[Probe[Any]], *, seconds: float = HOST_SECONDS, nonce: str | None = None
) -> bytes:
    """Run the probes on a host in one trip and return the answer as it is kept.

    Args:
        shell: the way to the host.
        probes: what it is asked; those without a command are left out.
        seconds: how long it is waited for in all.
        nonce: of the marks; a fresh one by default.

    Raises:
        HostSilent: nothing that was asked for came in time.
        HostUnreachable: no session could be opened.
    """
    mark = nonce or secrets.token_hex(16)
    asked = [probe for probe in probes if probe.command]
    done = shell.run_script(script_for(asked), argument=mark, deadline_seconds=seconds, limit_bytes=HOST_BYTES)
    if done.exit_code == _LATE and f"<<<{mark} ".encode() not in done.stdout:
        raise HostSilent(
            msg("{host} sent no answer within {seconds} s", host=shell.address[:80], seconds=round(seconds)),
            msg("Run 'portalops host test HOST' to see what hangs; [checks] host_timeout is the limit."),
        )
    waited = f" waited={round(seconds)}" if done.exit_code == _LATE else ""
    header = f"portalops-answer 1 nonce={mark} rc={done.exit_code} cut={int(done.truncated)}{waited}\n"
    with _BY_TURNS:
        return header.encode() + redacted_answer(mark, done.stdout, {probe.id: probe.form for probe in asked})


def redacted_answer(nonce: str, body: bytes, forms: Mapping[str, AnswerForm]) -> bytes:
    """Blot out the secrets in what a script printed: in each section by the form of its probe, and never in a mark.

    Args:
        nonce: of the script.
        body: all that it printed.
        forms: by probe id; what is of none is lines of text.
    """
    done: list[bytes] = []
    form, at = LINES, 0
    for start, match in _marks(nonce.encode(), body):
        done += (redacted_as(form, body[at:start]), body[start : match.end()])
        is_answer = match["id"] and match["stderr"] is None and match["rc"] is None
        form, at = forms.get(match["id"].decode(), LINES) if is_answer else LINES, match.end()
    return b"".join((*done, redacted(body[at:])))


def is_slow(probe: Probe[Any]) -> bool:
    """Say whether a probe has a trip of its own, behind the usual ones: it may take minutes, and is not asked for in every scan."""
    return bool(probe.command) and probe.repeated_for is not None


def is_whole(raw: bytes) -> bool:
    """Say whether the host sent its answer to the end, in the form that it must have."""
    try:
        return parse_answer(raw).absent == _NOT_ASKED
    except AnswerRejected:
        return False


def joined_with_slow(raw: bytes, shell: Shell, slow: Sequence[Probe[Any]], *, seconds: float) -> bytes:
    """Ask a host that answered for its slow probes, and return its answer with what came of them.

    What does not come is a section that says why, so that the first answer counts as it stands.

    Args:
        raw: the host's answer.
        shell: the way to the host.
        slow: what it is asked; see `is_slow`.
        seconds: how long it is waited for beside the time of the slowest probe.
    """
    there = parse_answer(raw).sections
    limit = seconds + max(probe.timeout_seconds for probe in slow)
    found: Mapping[str, ProbeResult] = {}
    try:
        answer = parse_answer(gather(shell, slow, seconds=limit))
        found, reason, why = answer.sections, answer.absent.reason, answer.absent.seen
    except AnswerRejected as error:
        reason, why = error.missing.reason, error.missing.seen
    except PortalOpsError as error:
        reason, why = "", error.message
    # How long a trip took that failed is not known here: no seconds are told for it.
    is_late = reason == _DEADLINE
    code, said, waited = (_LATE, b"", round(limit)) if is_late else (_FAILED, str(why).encode(), 0)
    left = [
        probe.id for probe in slow if probe.id not in there
    ]  # a section that comes twice would reject the whole answer
    missing = (ProbeResult(name, code, b"", said, waited) for name in left if name not in found)
    return appended(raw, *missing, kept=[found[name] for name in left if name in found])


def no_answer() -> bytes:
    """Return the answer of a host that said nothing, for sections of what is looked at without it."""
    return f"portalops-answer 1 nonce={secrets.token_hex(16)} rc=255 cut=0\n".encode()


def appended(raw: bytes, *results: ProbeResult, kept: Sequence[ProbeResult] = ()) -> bytes:
    """Return an answer with more sections.

    Args:
        raw: the answer.
        results: what was looked at without the shell; it is JSON, or lines of text.
        kept: sections of other answers, which stand before the results. Nothing of them is blotted out again: that was done in
            the form of each when its answer was received.
    """
    header = _header(raw)
    mark = header.group(1)
    is_whole_line = raw.endswith(b"\n") or header.end() == len(raw)
    return b"".join(
        (
            raw,
            b"" if is_whole_line else b"\n",
            *(_section(mark, each) for each in kept),
            *(
                _section(mark, replace(each, stdout=redacted_as(JSON, each.stdout), stderr=redacted(each.stderr)))
                for each in results
            ),
        )
    )


def _section(mark: bytes, result: ProbeResult) -> bytes:
    name = result.probe.encode()
    return (
        b"<<<%b %b>>>\n%b\n" % (mark, name, result.stdout)
        + b"<<<%b %b stderr>>>\n%b\n" % (mark, name, result.stderr)
        + b"<<<%b %b rc=%d s=%d%b>>>\n" % (mark, name, result.exit_code, result.seconds, _measured(result))
    )


def _measured(result: ProbeResult) -> bytes:
    return b"" if result.milliseconds is None else b" ms=%d" % result.milliseconds


def parse_answer(raw: bytes) -> HostAnswer:
    """Take a kept answer apart.

    A section counts once its end mark was seen. Text before the first mark, such as a login banner, is ignored; lines
    that only look like marks are text, since they lack the nonce.

    Raises:
        AnswerRejected: a section comes twice, or marks stand where the script never puts them.
    """
    header = _header(raw)
    mark, exit_code, cut = header.group(1), int(header.group(2)), header.group(3) == b"1"
    waited = int(header.group(4)) if header.group(4) else None
    is_broken = exit_code != 0 or cut
    body = raw[header.end() :]
    sections: dict[str, ProbeResult] = {}
    done = False
    at: _Open | None = None
    for start, match in _marks(mark, body):
        name, ending, code, seconds = match.group("id"), match.group("stderr"), match.group("rc"), match.group("s")
        if name is None:
            if at is not None or done:
                raise AnswerRejected("done")
            done = True
        elif ending is not None:
            if at is None or at.id != name or at.stderr_from is not None:
                raise AnswerRejected(name.decode())
            at = _Open(at.id, at.stdout_from, start, match.end())
        elif code is not None:
            if at is None or at.id != name or at.stdout_to is None or at.stderr_from is None:
                raise AnswerRejected(name.decode())
            stdout, stderr = body[at.stdout_from : at.stdout_to], body[at.stderr_from : start]
            key = name.decode()
            measured = match.group("ms")
            milliseconds = int(measured) if measured else None
            sections[key] = ProbeResult(key, int(code), _unglued(stdout), _unglued(stderr), int(seconds), milliseconds)
            at = None
        else:
            # Behind an answer that broke off stands what the portal's own station added: the open section is given up.
            if (at is not None and not is_broken) or name.decode() in sections:
                raise AnswerRejected(name.decode())
            at = _Open(name, match.end())
    return HostAnswer(sections, _absence(done=done, exit_code=exit_code, cut=cut, waited=waited))


@dataclass(frozen=True, slots=True)
class _Open:
    """A section whose end has not been seen."""

    id: bytes
    stdout_from: int
    stdout_to: int | None = None
    stderr_from: int | None = None


def _header(raw: bytes) -> re.Match[bytes]:
    header = _HEADER.match(raw)
    if header is None:
        raise AnswerRejected("header")
    return header


def _marks(mark: bytes, body: bytes) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield where each mark begins, and what it says: a search for the nonce passes over an answer's text far quicker than a pattern."""
    opening = b"<<<%b " % mark
    start = body.find(opening)
    while start >= 0:
        is_line = start == 0 or body[start - 1 : start] == b"\n"
        match = _MARK.match(body, start + len(opening)) if is_line else None
        if match is not None:
            yield start, match
        start = body.find(opening, start + 1 if match is None else match.end())


_MARK = re.compile(
    rb"(?:done|(?P<id>[a-z0-9][a-z0-9.-]{0,60})(?:(?P<stderr> stderr)| rc=(?P<rc>\d{1,3}) s=(?P<s>-?\d{1,9})(?: ms=(?P<ms>-?\d{1,12}))?)?)"
    rb">>>\r?(?:\n|\Z)"
)
"""What stands behind the nonce."""


def _unglued(text: bytes) -> bytes:
    """Take off the one line feed that the script puts before each mark."""
    return text[:-2] if text.endswith(b"\r\n") else text.removesuffix(b"\n")


_NOT_ASKED = MissingFact("not-gathered", msg("the host was not asked for this"))


def _absence(*, done: bool, exit_code: int, cut: bool, waited: int | None) -> MissingFact:
    if cut:
        return MissingFact("answer-cut", msg("the host's answer was too long and was cut before this was reached"))
    if exit_code == _LATE and waited is not None:
        seen = msg("the host's answer was not complete after {seconds} s, and this was not reached", seconds=waited)
        return MissingFact(_DEADLINE, seen)
    if exit_code == _LATE:  # answers of before their limit was told
        return MissingFact(_DEADLINE, msg("the host did not answer in time, and this was not reached"))
    if done:
        return _NOT_ASKED
    return MissingFact("answer-incomplete", msg("the host's answer was cut short before this was reached"))
