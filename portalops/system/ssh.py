"""Other hosts over SSH, after their host key was found to be the pinned one: one bounded command, or a subsystem."""

from __future__ import annotations

import errno
import logging
import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import paramiko

from portalops.config.secrets import check_private_file
from portalops.config.ssh import SshPlace
from portalops.errors import HostAway, HostKeyChanged, HostUnreachable, LegacySsh, SecretUnavailable
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.ports import Completed
from portalops.system.resolving import connect
from portalops.system.sftp import LinkBroken

MAX_STDERR_BYTES = 8192
WORN_BYTES = 32 << 30
"""How much a session carries before another takes its place: a cipher of 128-bit blocks is safe for 64 GiB (RFC 4344)."""
_CHUNK_BYTES = 1 << 16
_SPARE_BYTES = 1 << 30
_WAIT_SECONDS = 0.5
_AWAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EPIPE})
"""What connect(2) says of a host that may be reached again by itself, besides refusals and time-outs."""
_AUTH_TIMEOUT = "Authentication timeout."
"""What paramiko says, as a failed login, of a host that never answered it."""
ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""What a host proves a key of a type with, where that has another name."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where to, as whom, and which host it must be."""

    host: str
    port: int
    user: str
    identity: Path
    """Private key without a passphrase, that only its owner can read."""
    host_keys: Sequence[str]
    """`TYPE BASE64` each; no command is given to a host that proves none of them."""

    @property
    def address(self) -> str:
        """Who and where, for people."""
        return f"{self.user}@{self.host}:{self.port}"


def target_of(place: SshPlace) -> SshTarget:
    """Return the host that a table names, with its pinned keys.

    Raises:
        HostUnreachable: the known_hosts file cannot be read, or has no key of the host.
    """
    if place.host_key is not None:
        keys: tuple[str, ...] = (" ".join(place.host_key.split()[:2]),)
    else:
        assert place.known_hosts is not None
        keys = known_host_keys(place.known_hosts, place.host, place.port)
        if not keys:
            raise HostUnreachable(
                msg("{path} has no key of {host}", path=str(place.known_hosts), host=place.host),
                msg("Copy the line of /etc/ssh/ssh_host_ed25519_key.pub at that host itself, not over the network."),
            )
    return SshTarget(place.host, place.port, place.user, place.identity_file, keys)


def known_host_keys(path: Path, host: str, port: int) -> tuple[str, ...]:
    """Return what a known_hosts file (sshd(8)) says of a host; nothing if it says nothing.

    Raises:
        HostUnreachable: the file cannot be read.
    """
    try:
        known = paramiko.HostKeys(str(path))
    except (OSError, paramiko.SSHException, ValueError) as error:
        raise HostUnreachable(
            msg("cannot read the host keys in {path}: {cause}", path=str(path), cause=show_text(str(error))),
            msg("Check the path of known_hosts, or give the key itself as host_key."),
        ) from error
    found: Mapping[str, paramiko.PKey] = known.lookup(host if port == 22 else f"[{host}]:{port}") or {}
    return tuple(f"{key.get_name()} {key.get_base64()}" for key in found.values())


def run_over_ssh(
    target: SshTarget, command: str, *, stdin: bytes = b"", deadline_seconds: float, limit_bytes: int
) -> Completed:
    """Run a command on a host and return what it printed.

    Args:
        target: the host and its pinned keys.
        command: as the host's shell, or its forced command, reads it.
        stdin: what the command is fed with.
        deadline_seconds: for everything, from connecting to the exit status; the exit code is 124 after it.
        limit_bytes: of standard output; the answer is cut there and `truncated`.

    Raises:
        HostUnreachable: no session could be opened, or the host is not the pinned one.
        SecretUnavailable: the private key cannot be had.
    """
    identity = identity_of(target.identity)
    with _connected(target, identity, deadline_seconds) as (channel, late):
        channel.exec_command(command)
        if stdin:
            channel.sendall(stdin)
        channel.shutdown_write()
        done = _drained(channel, limit_bytes)
        return Completed(124, done.stdout, done.stderr) if late.is_set() else done


class ChannelLink:
    """A subsystem of a host, such as `sftp`, through paramiko: a `sftp.Link`."""

    def __init__(self, target: SshTarget, *, timeout_seconds: float, subsystem: str = "sftp") -> None:
        """Open it.

        Raises:
            HostUnreachable: no session could be opened, or the host is not the pinned one.
            SecretUnavailable: the private key cannot be had.
        """
        self._moved_bytes = 0
        self._timeout_seconds = timeout_seconds
        self._transport, self._channel = _opened(target, timeout_seconds)
        try:
            self._channel.settimeout(timeout_seconds)
            self._channel.invoke_subsystem(subsystem)
        except (paramiko.SSHException, OSError, EOFError) as error:
            self._transport.close()
            raise unreachable(target, error, threading.Event()) from error

    @property
    def is_worn(self) -> bool:
        return self._moved_bytes > WORN_BYTES

    def send(self, *parts: bytes | memoryview) -> None:
        data = b"".join(parts)
        with self._reported():
            self._channel.sendall(data)
        self._moved_bytes += len(data)

    def receive(self, size: int) -> bytes:
        parts = []
        missing = size
        while missing:
            with self._reported():
                part = self._channel.recv(missing)
            if not part:
                raise LinkBroken("the connection ended")
            parts.append(part)
            missing -= len(part)
        self._moved_bytes += size
        return b"".join(parts)

    def close(self) -> None:
        with suppress(paramiko.SSHException, OSError, EOFError):
            self._transport.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise LinkBroken(f"nothing moved for {self._timeout_seconds:.0f} s") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise LinkBroken(str(error) or type(error).__name__) from error


class Command:
    """A command on a host through paramiko, whose outputs are read by two threads and whose input is written by a third."""

    Reading = Callable[[int], bytes]

    def __init__(self, target: SshTarget, command: str, *, timeout_seconds: float) -> None:
        """Start it.

        Raises:
            HostUnreachable: no session could be opened, or the host is not the pinned one.
            SecretUnavailable: the private key cannot be had.
        """
        self._target = target
        self._transport, self._channel = _opened(target, timeout_seconds)
        self._moved_bytes = 0
        try:
            self._channel.exec_command(os.fsencode(command))
            self._channel.settimeout(None)
        except (paramiko.SSHException, OSError, EOFError) as error:
            self._transport.close()
            raise unreachable(target, error, threading.Event()) from error

    @property
    def broke(self) -> bool:
        """Say whether the connection ended, and not the command."""
        return self._channel.exit_status < 0

    def stdout(self, size: int) -> bytes:
        """Return at most so many bytes of what it prints; none at the end.

        Raises:
            HostUnreachable: the connection broke, or has carried all that one cipher key is safe for.
        """
        self._moved_bytes += size
        if self._moved_bytes > 2 * WORN_BYTES - _SPARE_BYTES:
            # The keys would have to be changed now, with data under way: there paramiko stalls, and then fails.
            self._transport.close()
            raise HostUnreachable(
                msg(
                    "cannot open a session on {host}: {cause}",
                    host=self._target.address,
                    cause=msg("a stream of more than {size} bytes is too long for paramiko", size=self._moved_bytes),
                ),
                msg("Install openssh-client on this machine: its ssh transfers streams of any length."),
            )
        with self._reported():
            piece = self._channel.recv(size)
            self._moved_bytes += len(piece) - size
            return piece

    def stderr(self, size: int) -> bytes:
        """Return at most so many bytes of what it says; none at the end."""
        with self._reported():
            return self._channel.recv_stderr(size)

    def send(self, data: bytes) -> None:
        """Write to its input."""
        self._channel.sendall(data)

    def end_input(self) -> None:
        """Let it find the end of its input."""
        self._channel.shutdown_write()

    def exit_code(self, timeout_seconds: float) -> int | None:
        """Return its exit code, 255 if the connection or a signal ended it, or None if it runs on."""
        if not self._channel.status_event.wait(timeout_seconds):
            return None
        return self._channel.exit_status if self._channel.exit_status >= 0 else 255

    def close(self) -> None:
        with suppress(paramiko.SSHException, OSError, EOFError):
            self._transport.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise unreachable(self._target, error, threading.Event()) from error


def _opened(target: SshTarget, timeout_seconds: float) -> tuple[paramiko.Transport, paramiko.Channel]:
    """Open a session that does not change its keys before its time."""
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    identity = identity_of(target.identity)
    try:
        link = connect(target.host, target.port, seconds=timeout_seconds)
    except (OSError, UnicodeError) as error:
        raise unreachable(target, error, threading.Event()) from error
    transport = paramiko.Transport(link)
    # paramiko stalls or fails when keys are changed in the midst of much data, which it would do each 512 MiB; so a
    # session is used for `WORN_BYTES` and then replaced, before its limits are reached.
    packets = transport.packetizer
    packets.REKEY_BYTES = packets.REKEY_BYTES_OVERFLOW_MAX = 2 * WORN_BYTES
    packets.REKEY_PACKETS = packets.REKEY_PACKETS_OVERFLOW_MAX = 1 << 31
    try:
        return transport, _session(transport, target, identity, timeout_seconds)
    except (paramiko.SSHException, OSError, EOFError) as error:
        transport.close()
        raise unreachable(target, error, threading.Event()) from error
    except BaseException:  # an interrupt too: its thread would stay
        transport.close()
        raise


@contextmanager
def _connected(
    target: SshTarget, identity: paramiko.PKey, deadline_seconds: float
) -> Iterator[tuple[paramiko.Channel, threading.Event]]:
    """Open a session, and close everything under a reader that still waits at the deadline."""
    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # its errors come as exceptions, not as lines
    late = threading.Event()
    try:
        link = connect(target.host, target.port, seconds=deadline_seconds)
    except (OSError, UnicodeError) as error:
        raise unreachable(target, error, late) from error
    transport = paramiko.Transport(link)

    def stop() -> None:
        late.set()
        transport.close()

    watchdog = threading.Timer(deadline_seconds, stop)
    watchdog.daemon = True
    watchdog.start()
    try:
        yield _session(transport, target, identity, deadline_seconds), late
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise unreachable(target, error, late) from error
    finally:
        watchdog.cancel()
        transport.close()


def _session(
    transport: paramiko.Transport, target: SshTarget, identity: paramiko.PKey, deadline_seconds: float
) -> paramiko.Channel:
    transport.banner_timeout = transport.auth_timeout = deadline_seconds
    transport.get_security_options().key_types = host_key_algorithms(target)
    transport.start_client(timeout=deadline_seconds)
    shown = transport.get_remote_server_key()
    if f"{shown.get_name()} {shown.get_base64()}" not in target.host_keys:
        raise other_host_key(target, f"{shown.get_name()} {shown.fingerprint}")
    transport.auth_publickey(target.user, identity)
    return transport.open_session(timeout=deadline_seconds)


def _drained(channel: paramiko.Channel, limit_bytes: int) -> Completed:
    """Read both outputs to their end, or to the limit."""
    stdout, stderr = bytearray(), bytearray()
    channel.settimeout(_WAIT_SECONDS)
    while True:
        while channel.recv_stderr_ready():
            stderr += channel.recv_stderr(_CHUNK_BYTES)[: MAX_STDERR_BYTES - len(stderr)]
        try:
            chunk = channel.recv(_CHUNK_BYTES)
        except TimeoutError:
            continue
        if not chunk:
            break
        stdout += chunk
        if len(stdout) > limit_bytes:
            return Completed(-1, bytes(stdout[:limit_bytes]), bytes(stderr), truncated=True)
    code = channel.recv_exit_status()
    while channel.recv_stderr_ready() and len(stderr) < MAX_STDERR_BYTES:
        stderr += channel.recv_stderr(_CHUNK_BYTES)[: MAX_STDERR_BYTES - len(stderr)]
    return Completed(code, bytes(stdout), bytes(stderr))


def identity_of(path: Path) -> paramiko.PKey:
    """Return a private key.

    Raises:
        SecretUnavailable: it cannot be had, or others may read it.
    """
    check_private_file(path)
    try:
        return paramiko.PKey.from_path(path)
    except (paramiko.SSHException, ValueError, TypeError, OSError) as error:
        raise SecretUnavailable(
            msg("{path} is not a private key without a passphrase", path=str(path)),
            msg('Make a key for this purpose only: ssh-keygen -t ed25519 -N "".'),
        ) from error


def public_key_of(path: Path) -> str:
    """Return the public half of a private key as `TYPE BASE64`; raises as `identity_of` does."""
    key = identity_of(path)
    return f"{key.get_name()} {key.get_base64()}"


def unreachable(target: SshTarget, error: Exception, late: threading.Event) -> HostUnreachable:
    """Return why no session came about, by what paramiko or the system raised; `late` is set once the deadline is over."""
    cause = _cause(error)
    if late.is_set() or isinstance(error, TimeoutError) or str(error) == _AUTH_TIMEOUT:
        return no_session(target, msg("it did not answer in time"), is_away=True)
    if isinstance(error, paramiko.AuthenticationException):
        cause = msg("it refuses this key")
    elif isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return _incompatible(target, show_text(str(error)))
    return no_session(target, cause, is_away=_is_away(error))


def _cause(error: Exception) -> Message:
    """Return why, as a sentence where the reason is a common one, and else in the library's or the system's own words."""
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return msg("no DNS server answered for its name")
        return msg("its name has no address in DNS")
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        causes = [each for each in error.errors.values() if isinstance(each, OSError)]
        return cause_of(causes[0]) if causes else verbatim(show_text(str(error)))
    if isinstance(error, OSError):
        return cause_of(error)
    if isinstance(error, EOFError):
        return msg("it closed the connection")
    text = str(error)
    if text.startswith("Error reading SSH protocol banner"):
        return msg("it does not answer like an SSH server")
    return verbatim(show_text(text or type(error).__name__))


def _incompatible(target: SshTarget, cause: str) -> HostUnreachable:
    """Tell a host without a key of the pinned type, which is not the one that was pinned, from one that is too old."""
    if "host key" not in cause:
        return LegacySsh(
            msg("{host} offers no SSH algorithm that is still secure: {cause}", host=target.address, cause=cause),
            msg(
                "Upgrade its SSH server, or supply its facts by hand: 'portalops host script HOST' prints what "
                "to run on it."
            ),
        )
    # An RSA key that can only be proven with SHA-1 looks the same as none: nothing is said against that host.
    is_legacy = all(key.startswith("ssh-rsa ") for key in target.host_keys)
    missing = msg("it has no host key of the recorded type: {cause}", cause=cause)
    return (LegacySsh if is_legacy else HostKeyChanged)(
        msg("cannot open a session on {host}: {cause}", host=target.address, cause=missing),
        msg("Ask the administrator of the host whether its key was replaced. Nothing was sent to the host."),
    )


def _is_away(error: Exception) -> bool:
    """Say whether a host is out of reach, and has refused nothing."""
    if isinstance(error, (TimeoutError, ConnectionError, EOFError, socket.gaierror)):
        return True
    if isinstance(error, OSError):
        return error.errno in _AWAY
    return type(error) is paramiko.SSHException  # what refuses has a class of its own; this one ended in mid-talk


def host_key_algorithms(target: SshTarget) -> list[str]:
    """Return by which algorithms a host may prove one of its pinned keys."""
    kinds = {key.partition(" ")[0] for key in target.host_keys}
    return [algorithm for kind in sorted(kinds) for algorithm in ALGORITHMS.get(kind, (kind,))]


def other_host_key(target: SshTarget, shown: str) -> HostKeyChanged:
    """Return the error of a host that shows a key which is not pinned."""
    return HostKeyChanged(
        msg("{host} has another host key than the recorded one: {key}", host=target.address, key=shown),
        msg("Ask the administrator of the host whether its key was replaced. Nothing was sent to the host."),
    )


def no_session(target: SshTarget, cause: Message, *, is_away: bool = False) -> HostUnreachable:
    """Return the error of a host on which no session can be opened; `HostAway` if it did not refuse one."""
    return (HostAway if is_away else HostUnreachable)(
        msg("cannot open a session on {host}: {cause}", host=target.address, cause=cause),
        msg(
            "Try it by hand: ssh -p {port} -i KEY {host}",
            port=target.port,
            host=shlex.quote(f"{target.user}@{target.host}"),
        ),
    )
