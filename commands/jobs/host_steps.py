"""Tries step by step whether a host can be checked."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks.servers.gather import AnswerRejected, gather, parse_answer
from checks.servers.privileges import HELPER, KILL_SECONDS, helper_program, needs_helper, root_probes, subcommand
from checks.servers.probe import MissingFact, Output, Probe, fact_of
from checks.servers.probes import clock
from checks.servers.shells import shells, targets_of
from checks.servers.this_machine import ProbeServiceShell
from commands.jobs.servers import all_probes, enrolments_of
from portalops.errors import HostUnreachable, PortalOpsError
from portalops.model.hosts import LOCAL, Enrolment, HostWay
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Host, HostId
from portalops.model.text import show_text
from portalops.ports import LedgerReader, Shell
from portalops.system.ssh_shell import try_step_by_step

if TYPE_CHECKING:
    from checks.servers.gather import HostAnswer

_STEPS = {
    "connect": msg("Connection"),
    "key": msg("Host key"),
    "login": msg("Login"),
    "session": msg("Session"),
}
_HINTS_SHOWN = 12
_ABSENT = 3
"""What the question after the helper ends with where there is none."""

_NO_PROGRAM = 127
_WAITS = 125
"""What a question ends with that was not put to sudo, since it waits for the host's own name."""
_TIMED_OUT = frozenset({124, 137})


@dataclass(frozen=True, slots=True)
class HostTestStep:
    """One step of the way to a host, and whether it works."""

    id: str
    what: Message
    works: bool
    reported: Message
    hint: Message | None = None
    """Of a step that does not work: what to do."""


def steps_to(host: Host, ways: Mapping[HostId, HostWay], ledger: LedgerReader) -> tuple[list[HostTestStep], bool]:
    """Return each step of the way to a host, up to the first that does not work, and whether the host is reached."""
    enrolled = {each: one.enrolment for each, one in enrolments_of(ledger).items()}
    steps = list(_way_steps(host, ways, enrolled))
    is_reached = all(step.works for step in steps)
    if is_reached:
        try:
            steps += _host_steps(host, shells(ways, enrolled)(host))
        except PortalOpsError as error:
            steps.append(HostTestStep("script", msg("Script"), False, error.message, error.hint))
            is_reached = False
    return steps, is_reached


def install_hint(host: Host) -> Message:
    """Say what to install on a host that is reached, where something on it is missing or refused."""
    return msg(
        "Checks that need a step that does not work are unknown. Install what 'portalops host sudoers {host}' and"
        " 'portalops host helper' print.",
        host=host.id,
    )


def _way_steps(
    host: Host, ways: Mapping[HostId, HostWay], enrolled: Mapping[HostId, Enrolment]
) -> Iterator[HostTestStep]:
    """Yield the steps up to a session; the first that does not work is the last."""
    if host.address == LOCAL:
        return
    rest = list(_STEPS)
    try:
        target, jump = targets_of(host.id, ways, enrolled)
        for step in try_step_by_step(target, jump):
            rest.remove(step)
            yield HostTestStep(step, _STEPS[step], True, msg("to {address}", address=show_text(target.address)))
    except PortalOpsError as error:
        yield HostTestStep(rest[0], _STEPS[rest[0]], False, error.message, error.hint)


def _host_steps(host: Host, shell: Shell) -> list[HostTestStep]:
    """Return what works on the host, from one trip.

    Raises:
        HostUnreachable: no session could be opened.
    """
    probes = {name: probe for name, probe in all_probes().items() if probe.command}
    rooted = root_probes(probes.values())
    asked = _questions(probes, rooted)
    raw = gather(shell, asked)
    try:
        answer = parse_answer(raw)
    except AnswerRejected as error:
        return [HostTestStep("script", msg("Script"), False, error.missing.seen)]
    if not answer.sections:
        said = show_text(raw.partition(b"\n")[2].decode("utf-8", "replace").strip(), 200)
        return [
            HostTestStep(
                "script", msg("Script"), False, msg("no shell answers; the host says: {said}", said=said or "-")
            )
        ]
    account = _text(answer, "test.account")
    steps = [
        HostTestStep("script", msg("Script"), True, msg("runs as {account}", account=show_text(account or "-", 60)))
    ]
    if isinstance(shell, ProbeServiceShell):
        steps.append(_service_step(shell))
    elif account != "root":
        steps += [_sudo_step(answer, rooted), _helper_step(answer, probes)]
    return [*steps, _program_step(answer, host)]


def _questions(probes: Mapping[str, Probe[Any]], rooted: tuple[Probe[Any], ...]) -> list[Probe[str]]:
    def text(output: Output) -> str:
        return output.text

    names = sorted({"sudo", *(probe.program for probe in probes.values())})
    find = 'for p in "$@"; do command -v "$p" >/dev/null || printf "%s " "$p"; done'
    asked = [
        Probe("test.account", ("id", "-un"), text),
        Probe("test.helper", ("sh", "-c", f"[ -e {HELPER} ] || exit {_ABSENT}; exec sha256sum {HELPER}"), text),
        Probe("test.programs", ("sh", "-c", find, "sh", *names), text),
    ]
    waits = f'[ -z "$SUDO_WAITS" ] || exit {_WAITS}; '
    for probe in rooted:
        if needs_helper(probe):
            question = f"{waits}exec sudo -n -l {HELPER} {shlex.quote(subcommand(probe))}"
        else:
            limit = f'${{T:+"$T" -k {KILL_SECONDS} {probe.timeout_seconds}}}'
            question = (
                f"{waits}P=$(command -v {shlex.quote(probe.command[0])}) || exit 127; T=$(command -v timeout); "
                f'exec sudo -n -l {limit} "$P" {shlex.join(probe.command[1:])}'
            )
        asked.append(Probe(f"sudo.{probe.id}", ("sh", "-c", question), text))
    return asked


def _sudo_step(answer: HostAnswer, rooted: tuple[Probe[Any], ...]) -> HostTestStep:
    what = msg("Commands as root")
    if "sudo" in _text(answer, "test.programs").split():  # every question ends with 127 then, as where a program lacks
        return HostTestStep("sudo", what, False, msg("{path} is not there", path="sudo"))
    refused, silent, allowed = [], [], 0
    for probe in rooted:
        section = answer.sections.get(f"sudo.{probe.id}")
        if section is not None and section.exit_code == _WAITS:
            said = msg("the host cannot resolve its own name, so that sudo waits 20 seconds at each call")
            return HostTestStep("sudo", what, False, said, msg("Put the host's name into its /etc/hosts."))
        if section is None or section.exit_code in _TIMED_OUT:
            silent.append(probe.id)
        elif section.exit_code not in {0, 127}:
            refused.append(probe.id)
        else:
            allowed += section.exit_code == 0
    if refused:
        said = msg("sudo refuses {n} of {all}: {names}", n=len(refused), all=len(rooted), names=_some(refused))
        return HostTestStep("sudo", what, False, said)
    if silent:
        said = msg(
            "sudo did not answer {n} of {all} in time: {names}", n=len(silent), all=len(rooted), names=_some(silent)
        )
        return HostTestStep("sudo", what, False, said)
    return HostTestStep("sudo", what, True, nmsg("sudo allows {n} command", "sudo allows {n} commands", allowed))


def _helper_step(answer: HostAnswer, probes: Mapping[str, Probe[Any]]) -> HostTestStep:
    section = answer.sections.get("test.helper")
    if section is not None and section.exit_code == _ABSENT:
        return HostTestStep("helper", msg("Helper"), False, msg("{path} is not there", path=HELPER))
    if section is not None and section.exit_code == _NO_PROGRAM:
        said = msg("the version of {path} is unknown: the host has no sha256sum", path=HELPER)
        return HostTestStep("helper", msg("Helper"), False, said)
    if section is None or section.exit_code != 0:
        complaint = show_text(section.output().errors.strip(), 200) if section else ""
        said = msg("the version of {path} is unknown: {said}", path=HELPER, said=complaint or "-")
        return HostTestStep("helper", msg("Helper"), False, said)
    found = _text(answer, "test.helper").partition(" ")[0]
    wanted = hashlib.sha256(helper_program(probes.values())).hexdigest()
    if found != wanted:
        return HostTestStep("helper", msg("Helper"), False, msg("{path} has another version", path=HELPER))
    return HostTestStep("helper", msg("Helper"), True, msg("{path} has the right version", path=HELPER))


def _service_step(shell: Shell) -> HostTestStep:
    """Say whether the probe service answers, which runs what needs root on this machine."""
    what, probe = msg("Probe service"), clock.PROBE
    try:
        answer = parse_answer(gather(shell, [probe]))
    except HostUnreachable as error:
        return HostTestStep("probe", what, False, error.message, error.hint)
    except AnswerRejected as error:
        return HostTestStep("probe", what, False, error.missing.seen)
    section = answer.sections.get(probe.id)
    if section is None:
        return HostTestStep("probe", what, False, answer.absent.seen)
    found = fact_of(probe, section)
    if isinstance(found, MissingFact):
        return HostTestStep("probe", what, False, found.seen)
    return HostTestStep("probe", what, True, msg("it answers; no sudo is needed for checks of this machine"))


def _program_step(answer: HostAnswer, host: Host) -> HostTestStep:
    section = answer.sections.get("test.programs")
    if section is None or section.exit_code != 0:
        silent = msg("{host} gave no answer about where its programs are", host=host.id)
        return HostTestStep("programs", msg("Programs"), False, silent)
    missing = [show_text(name, 60) for name in _text(answer, "test.programs").split()]
    # Most hosts lack what other systems have; whether that matters is for the checks to say.
    said = msg("missing: {names}", names=_some(missing)) if missing else msg("none is missing")
    return HostTestStep("programs", msg("Programs"), True, said)


def _text(answer: HostAnswer, name: str) -> str:
    section = answer.sections.get(name)
    return section.output().text.strip() if section is not None and section.exit_code == 0 else ""


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_HINTS_SHOWN])
    return shown if len(names) <= _HINTS_SHOWN else f"{shown}, ..."
