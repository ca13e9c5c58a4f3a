"""The shell of another host over SSH: one session, one command, `sh -s ARGUMENT`, fed on its standard input.

The host proves a recorded key before anything of ours goes to it, the login included; so does the host that is jumped over,
which then only passes bytes on and can read none. No agent, no password, no other key than the one that is configured.

Everything is bounded: each step of the way, all of it together, both outputs. Both are read in one loop before the exit
status is asked for: a host that fills the one that nobody reads would wait for ever (paramiko/paramiko#448, #1778).
"""

from __future__ import annotations

import logging
import os
import random
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import paramiko

from portalops.errors import HostAway, HostUnreachable, LegacySsh
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.ports import Completed
from portalops.system.resolving import connect
from portalops.system.ssh import (
    ALGORITHMS,
    MAX_STDERR_BYTES,
    SshTarget,
    host_key_algorithms,
    identity_of,
    no_session,
    other_host_key,
    unreachable,
)

CONNECT_SECONDS = 15.0
"""For looking a host's name up, for each of its addresses, and for each step until it has proven its key."""
LOGIN_SECONDS = 30.0
"""sshd asks its name service for the caller, and PAM may ask further services."""
HUNG_UP_SECONDS = 5.0
"""A host that ends a connection sooner, before it has shown a key, has hung up, and was not merely slow."""
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Before each further try of a host that hung up; about, since those that were refused together must not come together again."""
KEEPALIVE_SECONDS = 15
SCANNED = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("rsa-sha2-512", "rsa-sha2-256"),
)
"""By what a host may prove a key, the best first."""
_ARGUMENT = re.compile(r"[0-9a-zA-Z]{1,64}")
_CHUNK_BYTES = 1 << 16
_FEED_MILLISECONDS = 20
_POLL_MILLISECONDS = 500
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""Asked for before paramiko's own, since they need no other digest of each packet, which costs it more than the cipher."""


class SshShell:
    """A `ports.Shell` on a host that proves a recorded key."""

    def __init__(self, target: SshTarget, *, jump: SshTarget | None = None) -> None:
        """Name the host; nothing is opened yet.

        Args:
            target: the host and its keys.
            jump: the host that it is reached through (ssh(1), `-J`), with its own account and keys.
        """
        self._target = target
        self._jump = jump

    @property
    def address(self) -> str:
        return self._target.address

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        """Do as `ports.Shell` says.

        What was printed until a deadline (exit code 124) or until the connection broke (-1) is kept.

        Raises:
            HostKeyChanged: the host did not prove a recorded key.
            LegacySsh: it offers nothing that is still safe.
            HostUnreachable: no session could be opened for another reason.
            SecretUnavailable: the private key cannot be had.
        """
        if not _ARGUMENT.fullmatch(argument):
            raise ValueError("the argument is a word of letters and digits")
        until = time.monotonic() + deadline_seconds
        with _session(self._target, self._jump, deadline_seconds) as (channel, late):
            try:
                channel.exec_command(f"sh -s {argument}")
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise unreachable(self._target, error, late) from error
            return _carried(channel, script, until, limit_bytes)


def shown_keys(host: str, port: int, *, jump: SshTarget | None = None) -> Iterator[str]:
    """Yield every key that a host shows, as `TYPE BASE64`, the best first. Nobody logs in and nothing is trusted by it.

    Each is asked for by a connection of its own, when it is wanted: an sshd of OpenSSH 9.8 or later shuts out for a while
    a client that comes often and never logs in (PerSourcePenalties of sshd_config(5)).

    Raises:
        LegacySsh: it shows none that is still safe.
        HostUnreachable: it cannot be reached.
    """
    target = SshTarget(host, port, "nobody", Path(os.devnull), ())
    kinds = list(SCANNED)
    found = 0
    while kinds:
        with _Way(CONNECT_SECONDS * 3) as way:
            try:
                key = way.to(target, jump, kinds).get_remote_server_key()
            except LegacySsh:  # it has no key of the kinds that are left
                if not found:
                    raise
                return
            line = f"{key.get_name()} {key.get_base64()}"
        found += 1
        shown = ALGORITHMS.get(key.get_name(), (key.get_name(),))
        kinds = [kind for kind in kinds if kind not in shown]
        yield line


def try_step_by_step(target: SshTarget, jump: SshTarget | None = None) -> Iterator[str]:
    """Connect and log in, naming each step when it is done: `connect`, `key`, `login`, `session`.

    Raises:
        HostUnreachable: a step failed; it is the one after the last that was named.
        SecretUnavailable: the private key cannot be had.
    """
    with _Way(2 * CONNECT_SECONDS + LOGIN_SECONDS) as way:
        transport = way.to(target, jump)
        yield "connect"
        _prove(transport, target)
        yield "key"
        _log_in(transport, target, way.late)
        yield "login"
        _channel(transport, target, way.late)
        yield "session"


@contextmanager
def _session(
    target: SshTarget, jump: SshTarget | None, deadline_seconds: float
) -> Iterator[tuple[paramiko.Channel, threading.Event]]:
    with _Way(deadline_seconds) as way:
        transport = way.to(target, jump)
        _prove(transport, target)
        _log_in(transport, target, way.late)
        yield _channel(transport, target, way.late), way.late


class _Way:
    """The connections to one host; at the deadline all of them are closed under readers that still wait."""

    def __init__(self, deadline_seconds: float) -> None:
        logging.getLogger("paramiko").addHandler(logging.NullHandler())  # its errors come as exceptions, not as lines
        self.late = threading.Event()
        self._until = time.monotonic() + deadline_seconds
        self._transports: list[paramiko.Transport] = []
        self._watchdog = threading.Timer(deadline_seconds, self._stop)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._watchdog.cancel()
        self._close()

    def to(self, target: SshTarget, jump: SshTarget | None, kinds: Sequence[str] | None = None) -> paramiko.Transport:
        """Connect and agree on keys, directly or over a host that is jumped over, which proves its own key first.

        Args:
            target: the host.
            jump: the one in between.
            kinds: by what the host may prove a key; by default what proves a recorded one.
        """
        wanted = host_key_algorithms(target) if kinds is None else kinds
        if jump is None:
            return self._greeted(target, wanted, lambda: self._connected(target))
        try:
            bastion = self._greeted(jump, host_key_algorithms(jump), lambda: self._connected(jump))
            _prove(bastion, jump)
            _log_in(bastion, jump, self.late)
        except (
            HostUnreachable
        ) as error:  # nothing is known of the target by that, least of all that its key was changed
            raise no_session(
                target, msg("the host to jump over: {cause}", cause=error.message), is_away=True
            ) from error
        return self._greeted(target, wanted, lambda: self._passed_on(bastion, jump, target))

    def _greeted(
        self, target: SshTarget, kinds: Sequence[str], link: Callable[[], socket.socket | paramiko.Channel]
    ) -> paramiko.Transport:
        """Agree on keys, with another try for a host that hung up at once: it has too many at its door (MaxStartups)."""
        for pause in (*PAUSES, None):
            begun = time.monotonic()
            transport = paramiko.Transport(link())
            self._transports.append(transport)
            transport.banner_timeout = transport.channel_timeout = CONNECT_SECONDS
            transport.auth_timeout = LOGIN_SECONDS
            options = transport.get_security_options()
            options.key_types = kinds
            options.ciphers = (*_CIPHERS, *(each for each in options.ciphers if each not in _CIPHERS))
            try:
                transport.start_client(timeout=CONNECT_SECONDS)
                if not transport.initial_kex_done:  # it returns in silence when the time is over
                    raise TimeoutError
            except (paramiko.SSHException, OSError, EOFError) as error:
                _close(transport)
                why = unreachable(target, error, self.late)
                has_hung_up = isinstance(why, HostAway) and time.monotonic() - begun < HUNG_UP_SECONDS
                if pause is None or not has_hung_up or self.late.wait(pause * random.uniform(0.5, 1.5)):  # no secret
                    raise why from error
            else:
                return transport
        raise AssertionError("the last try ends it")

    def _connected(self, target: SshTarget) -> socket.socket:
        try:
            return connect(target.host, target.port, seconds=min(CONNECT_SECONDS, self._until - time.monotonic()))
        except (OSError, UnicodeError) as error:
            raise unreachable(target, error, self.late) from error

    def _passed_on(self, bastion: paramiko.Transport, jump: SshTarget, target: SshTarget) -> paramiko.Channel:
        try:
            return bastion.open_channel(
                "direct-tcpip", (target.host, target.port), ("127.0.0.1", 0), timeout=CONNECT_SECONDS
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            cause = verbatim(show_text(str(error) or type(error).__name__))
            passes_not = msg("{jump} cannot connect to it: {cause}", jump=jump.address, cause=cause)
            raise no_session(target, passes_not, is_away=True) from error

    def _stop(self) -> None:
        self.late.set()
        self._close()

    def _close(self) -> None:
        # The target's before the jump's: the other way round its end could not be told.
        for each in reversed(self._transports):
            _close(each)


def _prove(transport: paramiko.Transport, target: SshTarget) -> None:
    shown = transport.get_remote_server_key()
    if f"{shown.get_name()} {shown.get_base64()}" not in target.host_keys:
        raise other_host_key(target, f"{shown.get_name()} {shown.fingerprint}")


def _log_in(transport: paramiko.Transport, target: SshTarget, late: threading.Event) -> None:
    transport.set_keepalive(KEEPALIVE_SECONDS)
    try:
        transport.auth_publickey(target.user, identity_of(target.identity))
        if not transport.is_authenticated():  # the key was one of several things that it asks for
            raise paramiko.AuthenticationException
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise unreachable(target, error, late) from error


def _channel(transport: paramiko.Transport, target: SshTarget, late: threading.Event) -> paramiko.Channel:
    try:
        return transport.open_session(timeout=CONNECT_SECONDS)
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise unreachable(target, error, late) from error


def _carried(channel: paramiko.Channel, script: bytes, until: float, limit_bytes: int) -> Completed:
    """Feed the script and read both outputs in one loop, until their end, the deadline or the limit."""
    stdout, stderr = bytearray(), bytearray()
    complained = 0
    pending = memoryview(script)
    poller = select.poll()
    poller.register(channel.fileno(), select.POLLIN)
    channel.setblocking(0)

    def done(code: int, *, truncated: bool = False) -> Completed:
        return Completed(code, bytes(stdout), bytes(stderr), truncated)

    while True:
        if time.monotonic() >= until:
            return done(124)
        pending = _fed(channel, pending)
        has_ended = (
            channel.eof_received or channel.closed
        )  # asked before reading: what came before it is then all there
        read = False
        while channel.recv_ready() and len(stdout) <= limit_bytes:
            stdout += channel.recv(_CHUNK_BYTES)
            read = True
        while channel.recv_stderr_ready() and complained <= limit_bytes:
            piece = channel.recv_stderr(_CHUNK_BYTES)
            stderr += piece[: MAX_STDERR_BYTES - len(stderr)]
            complained += len(piece)
            read = True
        if len(stdout) > limit_bytes or complained > limit_bytes:
            del stdout[limit_bytes:]
            return done(-1, truncated=True)
        if read:
            continue
        if has_ended:
            channel.status_event.wait(max(0.0, min(until - time.monotonic(), CONNECT_SECONDS)))
            return done(124 if time.monotonic() >= until else channel.exit_status)
        wait = _FEED_MILLISECONDS if pending else _POLL_MILLISECONDS
        poller.poll(max(1, min(wait, int((until - time.monotonic()) * 1000))))


def _fed(channel: paramiko.Channel, pending: memoryview) -> memoryview:
    try:
        while pending and channel.send_ready():
            pending = pending[channel.send(bytes(pending[:_CHUNK_BYTES])) :]
            if not pending:
                channel.shutdown_write()
    except (OSError, EOFError, paramiko.SSHException):
        return pending[:0]  # it reads no more: its answer, or the lack of one, tells
    return pending


def _close(transport: paramiko.Transport) -> None:
    with suppress(paramiko.SSHException, OSError, EOFError):
        transport.close()
