"""A probe: one read-only command on a host, its limits, and the pure parser of what it prints.

Each file in `probes/` holds one. A probe decides nothing: it turns text into a typed value, or says why it can't.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from checks.servers.redaction import LINES, AnswerForm
from portalops.model.message import Message, msg
from portalops.model.text import show_text

_log = logging.getLogger(__name__)

FactT = TypeVar("FactT")

DEFAULT_SECONDS = 10
DEFAULT_BYTES = 256 << 10
COMMAND_MISSING = "command-missing"
"""Of a host that lacks a probe's program."""
WEEK = timedelta(days=7)
"""For so long a look counts that costs the host too much to be made in every round."""
_NEEDED = re.compile(r"\s*command -v (\S+)")


class Unparseable(Exception):
    """What a probe printed can't be made into its fact; the checks that need it are unknown."""

    def __init__(self, seen: Message, *, reason: str = "unparseable") -> None:
        super().__init__(str(seen))
        self.seen = seen
        """What was seen instead, in a sentence."""
        self.reason = reason
        """Coded, such as `unparseable` or `no-systemd`."""


@dataclass(frozen=True, slots=True)
class Output:
    """What one command left behind, as text; bytes that are not UTF-8 are kept as surrogates."""

    exit_code: int
    text: str
    errors: str

    def lines(self) -> tuple[str, ...]:
        """Return the lines without their ends, whichever kind those are; empty lines are left out."""
        return tuple([line for line in self.text.replace("\r\n", "\n").split("\n") if line and not line.isspace()])


@dataclass(frozen=True, slots=True)
class Probe(Generic[FactT]):
    """One look at one aspect of a host."""

    id: str
    """Lower-case words joined by dots and hyphens; it names the section in a host's answer."""
    command: tuple[str, ...]
    """The exact command. It reads, and changes nothing."""
    parse: Callable[[Output], FactT]
    """Pure; raises `Unparseable`."""
    needs_root: bool = False
    """It runs through `sudo -n` where the account is not root."""
    timeout_seconds: int = DEFAULT_SECONDS
    limit_bytes: int = DEFAULT_BYTES
    exit_codes: frozenset[int] = frozenset({0})
    """Exit codes with which the output means something; any other makes the fact missing."""
    form: AnswerForm = LINES
    """How its answer is written, so that redaction changes no word of its grammar."""
    repeated_for: timedelta | None = None
    """How old a look may be that a later answer repeats (see `carried`); None: a look speaks for its own round alone."""

    @property
    def program(self) -> str:
        """The program that it runs, also where a few lines of shell run it: they begin by looking for it."""
        found = _NEEDED.match(self.command[-1]) if self.command[:1] == ("sh",) else None
        return found[1] if found else (self.command or (self.id,))[0]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe's section of a host's answer, as bytes."""

    probe: str
    exit_code: int
    stdout: bytes
    stderr: bytes
    """At most its first 4 KiB."""
    seconds: int
    milliseconds: int | None = None
    """How long it took, to a hundredth of a second; None in answers of before that was measured."""

    def output(self) -> Output:
        """Return it as text."""
        return Output(self.exit_code, _text(self.stdout), _text(self.stderr))


@dataclass(frozen=True, slots=True)
class MissingFact:
    """Why a fact could not be found out."""

    reason: str
    """Coded: `command-missing`, `probe-timeout`, `output-cut`, `sudo-refused`, `command-failed`, `unparseable`, ..."""
    seen: Message


_REFUSAL = re.compile(
    r"^sudo: (?!unable to resolve host)|not allowed to execute|not in the sudoers file|may not run sudo"
    r"|['‘ ]sudo['’]?: (?:No such file|(?:command )?not found)",
    re.MULTILINE,
)


def fact_of(probe: Probe[FactT], result: ProbeResult) -> FactT | MissingFact:
    """Return the fact that a section holds, or the reason why it holds none."""
    hindrance = _hindrance(probe, result)
    if hindrance is not None:
        return hindrance
    try:
        return probe.parse(result.output())
    except Unparseable as error:
        return MissingFact(error.reason, error.seen)
    except Exception as error:  # noqa: BLE001  # a parser that fails on what one host printed must not take others with it
        _log.exception("the parser of %s failed", probe.id)
        return MissingFact(
            "parser-crashed",
            msg(
                "reading the output of {probe} failed with {error}: a fault in portalops",
                probe=probe.id,
                error=type(error).__name__,
            ),
        )


def shown(text: str, limit: int = 120) -> str:
    """Return a host's own words bounded and on one line, with control characters escaped."""
    return show_text(" ".join(text.split()), limit)


SUDO_WAITS = "the host cannot resolve its own name, and sudo waits for it"
"""What the script says instead of calling sudo."""
OTHER_PROBES = "portalops-probe: it is of another version than the portalops that asks"
"""What the probe service says of a probe that is not on its list."""
OWN_COMPLAINTS = {
    str(each): each
    for each in (
        msg("not in the group adm or systemd-journal"),
        msg("more than 64 disks"),
        msg("more than 64 arrays"),
        msg("a server runs, and cannot be asked"),
        msg("a cluster is there, and no server answers"),
        msg("none of the usual accounts of a web server is there"),
        msg("no modules of the running kernel"),
        msg("no socket of HAProxy"),
    )
}
"""What the commands of probes print themselves, in the reader's language; a program's words stay as they are."""


def _hindrance(probe: Probe[FactT], result: ProbeResult) -> MissingFact | None:
    complaint = shown(_text(result.stderr))
    if len(result.stdout) > probe.limit_bytes or result.exit_code == 141:
        return MissingFact("output-cut", msg("{probe} printed more than its limit and was cut", probe=probe.id))
    if result.exit_code in {124, 137}:
        return MissingFact("probe-timeout", msg("{probe} did not finish in time", probe=probe.id))
    if probe.needs_root and result.exit_code != 0 and complaint == SUDO_WAITS:
        return MissingFact(
            "own-name-unresolved",
            msg("the host cannot resolve its own name, so that sudo waits 20 seconds at each call"),
        )
    if probe.needs_root and result.exit_code != 0 and _REFUSAL.search(_text(result.stderr)):
        return MissingFact(
            "sudo-refused", msg("sudo refused {probe}: {complaint}", probe=probe.id, complaint=complaint)
        )
    if result.exit_code == 64 and complaint == OTHER_PROBES:
        return MissingFact(
            "probe-service-outdated",
            msg("the probe service is of another version: run 'portalops schedule install' as root"),
        )
    if probe.needs_root and result.exit_code == 64 and complaint.startswith("portalops-helper: "):
        return MissingFact(
            "helper-outdated",
            msg("the helper on the host did not run {probe}: {complaint}", probe=probe.id, complaint=complaint),
        )
    if result.exit_code in {126, 127} and result.exit_code not in probe.exit_codes:
        return MissingFact(COMMAND_MISSING, msg("the host has no {program}", program=probe.program))
    if result.exit_code not in probe.exit_codes:
        return MissingFact(
            "command-failed",
            msg(
                "{probe} ended with exit code {exit_code}: {complaint}",
                probe=probe.id,
                exit_code=result.exit_code,
                complaint=OWN_COMPLAINTS.get(complaint, complaint) or "-",
            ),
        )
    return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
