"""The way to the machine that portalops runs on: its probe service where that may be asked, or a shell of its own.

A service of the schedule has walls: a shell within sees mounts and folders of its own, and gains no root. Such a service is named
the socket of the probe service (`portalops.schedule.probe.VARIABLE`), and has no other way. By hand the probe service is asked
where it lets the caller in; otherwise the caller's shell and sudo answer.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from checks.servers.catalogue import checks, probes_of
from checks.servers.gather import AnswerRejected, parse_answer
from checks.servers.machine import PROBE_ID, Machine, PsutilMachine, listeners_here
from checks.servers.privileges import subcommand
from checks.servers.probe import MissingFact, Probe, ProbeResult, fact_of
from checks.servers.probe_service import REFUSAL, listed_names, local_probes, request_text
from checks.servers.probes import mounted
from portalops.errors import HostUnreachable
from portalops.model.causes import cause_of
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Completed, Shell
from portalops.schedule.probe import PATH, VARIABLE
from portalops.system.programs import LocalShell
from portalops.system.unix_socket import ask_socket

_SECONDS = 30.0
"""The disks must be there after this time."""
_LIMIT_BYTES = 1 << 20


def shell_here(environment: Mapping[str, str] = os.environ) -> Shell:
    """Return what answers for this machine.

    Args:
        environment: of this process.
    """
    path = _socket(environment)
    return ProbeServiceShell(path) if path else LocalShell()


def machine_here(environment: Mapping[str, str] = os.environ) -> Machine:
    """Return the second view of this machine, by the same way."""
    path = _socket(environment)
    return ProbeServiceMachine(path) if path else PsutilMachine()


def _socket(environment: Mapping[str, str]) -> str:
    """Return the socket that is to be asked; empty where none is."""
    return environment.get(VARIABLE) or (PATH if os.access(PATH, os.W_OK) else "")


def _local_probes() -> Mapping[str, Probe[Any]]:
    return {one.id: one for one in local_probes(probes_of(checks()).values())}


class ProbeServiceShell:
    """Answers for probes by the probe service; whatever else it is given runs in a shell of this process."""

    address = "local"

    def __init__(
        self, path: str, *, probes: Callable[[], Mapping[str, Probe[Any]]] = _local_probes, shell: Shell | None = None
    ) -> None:
        """Make one.

        Args:
            path: of the socket.
            probes: those on its list, by id.
            shell: for scripts that do anything else, such as the questions of `portalops host test`.
        """
        self._path = path
        self._probes = probes
        self._shell = shell or LocalShell()

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        """Have a script's probes answered; see `portalops.ports.Shell`.

        Raises:
            HostUnreachable: the service cannot be asked, or does not take the request.
        """
        names = listed_names(script, self._probes())
        if names is None:
            return self._shell.run_script(
                script, argument=argument, deadline_seconds=deadline_seconds, limit_bytes=limit_bytes
            )
        return _asked(
            self._path, request_text(argument, names), deadline_seconds=deadline_seconds, limit_bytes=limit_bytes
        )


class ProbeServiceMachine:
    """The disks as the probe service shows them: within the walls of a service they are not the machine's."""

    def __init__(self, path: str) -> None:
        self._path = path

    def snapshot(self) -> ProbeResult:
        """Return disks and sockets that listen, as `PsutilMachine` does."""
        nonce = secrets.token_hex(16)
        request = request_text(nonce, [subcommand(mounted.PROBE)])
        try:
            done = _asked(self._path, request, deadline_seconds=_SECONDS, limit_bytes=_LIMIT_BYTES)
            header = f"portalops-answer 1 nonce={nonce} rc={done.exit_code} cut={int(done.truncated)}\n"
            answer = parse_answer(header.encode() + done.stdout)
        except HostUnreachable as error:
            return _without(str(error.message))
        except AnswerRejected as error:
            return _without(str(error.missing.seen))
        section = answer.sections.get(mounted.PROBE.id)
        if section is None:
            return _without(str(answer.absent.seen))
        found = fact_of(mounted.PROBE, section)
        if isinstance(found, MissingFact):
            return _without(str(found.seen))
        disks = [
            {
                "mount": one.mount,
                "type": one.type,
                "total_bytes": one.total_bytes,
                "free_bytes": one.free_bytes,
                "used_bytes": one.used_bytes,
                "read_only": one.read_only,
            }
            for one in found
        ]
        document = {"disks": disks, "listeners": listeners_here()}
        return ProbeResult(PROBE_ID, 0, json.dumps(document, sort_keys=True).encode(), b"", 0)


def _without(cause: str) -> ProbeResult:
    return ProbeResult(PROBE_ID, 1, b"", cause.encode("utf-8", "surrogateescape"), 0)


def _asked(path: str, request: bytes, *, deadline_seconds: float, limit_bytes: int) -> Completed:
    cure = msg("Run 'portalops schedule install' as root; 'systemctl status portalops-probe.socket' says what hinders.")
    try:
        done = ask_socket(path, request, deadline_seconds=deadline_seconds, limit_bytes=limit_bytes)
    except OSError as error:
        raise HostUnreachable(
            msg(
                "the probe service of this machine at {path} cannot be asked: {cause}", path=path, cause=cause_of(error)
            ),
            cure,
        ) from error
    if not done.stdout and done.exit_code == 0:
        raise HostUnreachable(
            msg("the probe service of this machine at {path} closed the connection without an answer", path=path), cure
        )
    if done.stdout.startswith(REFUSAL):
        said = show_text(done.stdout.removeprefix(REFUSAL).decode("utf-8", "replace").strip(), 120)
        raise HostUnreachable(
            msg("the probe service of this machine at {path} refuses the request: {said}", path=path, said=said), cure
        )
    return done
