"""The system's own ssh as a way to another host, for what is too much for a library: several times as fast as paramiko.

The same host key is pinned and the same private key used, and nothing of the user's own ssh configuration is read. No
shell, no terminal, no agent, no forwarding; arguments are built purely and hold no secret.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from portalops.config.secrets import check_private_file
from portalops.errors import HostUnreachable
from portalops.model.causes import cause_of
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.system.scratch import scratch_folder
from portalops.system.sftp import LinkBroken
from portalops.system.ssh import SshTarget, host_key_algorithms, no_session, other_host_key

ALIAS = "pinned"
"""The only name in the known_hosts file that ssh is given."""
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}
MAX_STDERR_BYTES = 8192
_NETWORK = (errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH)
_AWAY = (
    *("connection refused", "connection reset", "connection closed", "closed by remote host", "broken pipe"),
    *("no route to host", "network is unreachable", "host is down", "could not resolve hostname"),
)
"""What ssh says, in small letters, of a host that is out of reach and has refused nothing (OpenSSH's sshconnect.c, packet.c)."""
_PIPE_BYTES = 1 << 20
_GRACE_SECONDS = 5.0


def find_ssh() -> Path | None:
    """Return the system's ssh; None if it has none."""
    found = shutil.which("ssh", path=ENVIRONMENT["PATH"])
    return Path(found) if found else None


def ssh_arguments(
    target: SshTarget, program: Path, known_hosts: Path, *, timeout_seconds: int, log: Path, subsystem: str
) -> tuple[str, ...]:
    """Return the command line that opens a subsystem on a host (ssh(1), ssh_config(5)).

    Args:
        target: the host and its pinned keys.
        program: the system's ssh.
        known_hosts: a file with those keys under the name `ALIAS`.
        timeout_seconds: for connecting, and for a host that does not show that it is alive.
        log: where ssh says what it has to say itself; a banner of the host is not there.
        subsystem: such as `sftp`.
    """
    place = ("-E", str(log), "-p", str(target.port), "-l", target.user, "-s", "--", target.host, subsystem)
    return (*_settings(target, program, known_hosts, timeout_seconds), *place)


def ssh_command_arguments(
    target: SshTarget, program: Path, known_hosts: Path, *, timeout_seconds: int, log: Path, command: str
) -> tuple[str, ...]:
    """Return the command line that runs a command on a host (ssh(1)).

    Args:
        target: the host and its pinned keys.
        program: the system's ssh.
        known_hosts: a file with those keys under the name `ALIAS`.
        timeout_seconds: for connecting, and for a host that does not show that it is alive.
        log: where ssh says what it has to say itself; standard error is the command's alone.
        command: as the shell there reads it; never a secret.
    """
    place = ("-E", str(log), "-p", str(target.port), "-l", target.user, "--", target.host, command)
    return (*_settings(target, program, known_hosts, timeout_seconds), *place)


def _settings(target: SshTarget, program: Path, known_hosts: Path, timeout_seconds: int) -> tuple[str, ...]:
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": _quoted(target.identity),
        "PreferredAuthentications": "publickey",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _quoted(known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": ALIAS,
        "HostKeyAlgorithms": ",".join(host_key_algorithms(target)),
        "UpdateHostKeys": "no",
        "CheckHostIP": "no",
        "ClearAllForwardings": "yes",
        "ControlPath": "none",
        "Compression": "no",
        "Ciphers": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
        "ConnectTimeout": str(timeout_seconds),
        "ServerAliveInterval": str(max(1, timeout_seconds // 4)),
        "ServerAliveCountMax": "4",
        "LogLevel": "INFO",  # ERROR says nothing of a host without a key of the pinned type
    }
    settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return (str(program), "-F", "none", "-T", "-x", "-a", *settings)


def known_hosts_text(target: SshTarget) -> str:
    """Return the known_hosts file (sshd(8)) with a host's pinned keys and nothing else."""
    return "".join(f"{ALIAS} {key}\n" for key in target.host_keys)


def explain_no_session(target: SshTarget, said: str) -> HostUnreachable:
    """Return why no session came about, by what ssh said on one line."""
    lowered = said.lower()
    if "host key verification failed" in lowered or "identification has changed" in lowered:
        shown = re.search(r"(\S+) key sent by the remote host is\s+(\S+?)\.?\s", said)
        return other_host_key(target, show_text(" ".join(shown.groups()), 200) if shown else "-")
    if "no matching host key type" in lowered:
        return no_session(target, msg("it has no host key of the recorded type: {cause}", cause=show_text(said)))
    if "permission denied" in lowered:
        return no_session(target, msg("it refuses this key"))
    if "timed out" in lowered:
        return no_session(target, msg("it did not answer in time"), is_away=True)
    is_away = any(words in lowered for words in _AWAY)
    if "temporary failure in name resolution" in lowered:
        return no_session(target, msg("no DNS server answered for its name"), is_away=is_away)
    if "could not resolve" in lowered:
        return no_session(target, msg("its name has no address in DNS"), is_away=is_away)
    known = (cause_of(OSError(number, "")) for number in _NETWORK)
    cause = next((each for each in known if str(each).lower() in lowered), verbatim(show_text(said, 300)))
    return no_session(target, cause, is_away=is_away)


def _quoted(path: Path) -> str:
    """Return a path as ssh_config(5) reads it: quoted, and with no pattern or variable in it."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


class ProgramLink:
    """A `sftp.Link` over a running ssh."""

    is_worn = False  # ssh takes new keys by itself

    def __init__(self, target: SshTarget, program: Path, *, timeout_seconds: int, subsystem: str = "sftp") -> None:
        """Start ssh.

        Raises:
            HostUnreachable: it cannot be started, or there is no place for its temporary files.
            SecretUnavailable: the private key cannot be had.
        """
        check_private_file(target.identity)
        self._target = target
        self._timeout_seconds = timeout_seconds
        try:
            self._folder = scratch_folder()
            self._said = tempfile.TemporaryFile(dir=self._folder.name)  # noqa: SIM115  # lives as long as the link
            self._log = Path(self._folder.name) / "log"
            known_hosts = Path(self._folder.name) / "known_hosts"
            known_hosts.write_text(known_hosts_text(target), encoding="ascii")
        except OSError as error:
            raise no_session(target, verbatim(show_text(str(error), 200))) from error
        argv = ssh_arguments(
            target, program, known_hosts, timeout_seconds=timeout_seconds, log=self._log, subsystem=subsystem
        )
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env={**ENVIRONMENT, "HOME": self._folder.name},
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            self._said.close()
            self._folder.cleanup()
            raise no_session(target, verbatim(show_text(f"{program}: {error.strerror}", 200))) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._to, self._from):
            os.set_blocking(pipe, False)
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._buffer = bytearray()

    def send(self, *parts: bytes | memoryview) -> None:
        rest = [memoryview(part) for part in parts if part]
        while rest:
            try:
                count = os.writev(self._to, rest)
            except BlockingIOError:
                self._wait(self._to, for_writing=True)
                continue
            except OSError as error:
                raise LinkBroken(self._last_words()) from error
            while rest and count >= len(rest[0]):
                count -= len(rest.pop(0))
            if count:
                rest[0] = rest[0][count:]

    def receive(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                got = os.read(self._from, _PIPE_BYTES)
            except BlockingIOError:
                self._wait(self._from, for_writing=False)
                continue
            except OSError as error:
                raise LinkBroken(self._last_words()) from error
            if not got:
                raise LinkBroken(self._last_words())
            self._buffer += got
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def explain_failure(self) -> HostUnreachable:
        """Return why no session came about, by what ssh said; by what the host said, if ssh said nothing."""
        words, said = self._last_words(), self._log_words()
        if said:
            return explain_no_session(self._target, said)
        return no_session(self._target, verbatim(show_text(words[-300:], 300)))

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._said.close()
        self._folder.cleanup()

    def _wait(self, pipe: int, *, for_writing: bool) -> None:
        poller = select.poll()
        poller.register(pipe, select.POLLOUT if for_writing else select.POLLIN)
        if not poller.poll(self._timeout_seconds * 1000):
            raise LinkBroken(f"nothing moved for {self._timeout_seconds} s")

    def _last_words(self) -> str:
        """Return what ssh said before it went, or else the host, on one line."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_SECONDS)
        return self._log_words() or _end_of(self._said) or "the connection ended"

    def _log_words(self) -> str:
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            return _end_of(log)
        return ""


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_STDERR_BYTES))
    return " ".join(file.read(MAX_STDERR_BYTES).decode("utf-8", "replace").split())
