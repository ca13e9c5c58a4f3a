"""Servers as any stranger on the network sees them: `ports.Network` over sockets.

Every call has one deadline for all that it does, since a server may accept and hang, or send a byte a minute. Nothing is
followed, nothing is believed, and no more than the limit is held. Certificates are taken as they are: to judge them is
the checks' work, and a server with a bad one must still be seen.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, cast

from portalops.ports import Talk
from portalops.system.resolving import resolve

_log = logging.getLogger(__name__)
_CHUNK_BYTES = 1 << 14
_NOBODY = "portalops-check"
"""The account that is asked for; it need not exist, since no login is tried."""
RESOLVE_SECONDS = 10.0


class SocketNetwork:
    """The network that this machine is on."""

    def __init__(self, *, resolve_seconds: float = RESOLVE_SECONDS) -> None:
        """Take for how long a name may be looked up."""
        self._resolve_seconds = resolve_seconds

    def addresses(self, name: str) -> tuple[str, ...]:
        try:
            found = resolve(name, None, seconds=self._resolve_seconds)
        except (OSError, UnicodeError):
            return ()
        return tuple(sorted({str(ipaddress.ip_address(str(each[0]).partition("%")[0])) for _family, each in found}))

    def talk(
        self,
        address: str,
        port: int,
        say: bytes,
        *,
        until: Callable[[bytes], bool],
        seconds: float,
        limit_bytes: int,
        tls_name: str | None = None,
    ) -> Talk:
        deadline = time.monotonic() + seconds
        try:
            plain = socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            return Talk(_state_of(error), _local_towards(address))
        with closing(plain):
            local = str(plain.getsockname()[0])
            if tls_name is None:
                heard, ended = _conversation(plain, say, until, deadline, limit_bytes)
                return Talk("open", local, heard, ended)
            try:
                plain.settimeout(_left(deadline))
                secure = _context().wrap_socket(plain, server_hostname=tls_name)
            except (OSError, ValueError) as error:
                return Talk("open", local, ended="late" if isinstance(error, TimeoutError) else "no-tls")
            with closing(secure):
                chain = _chain(secure)
                heard, ended = _conversation(secure, say, until, deadline, limit_bytes)
                return Talk("open", local, heard, ended, chain)

    def login_methods(self, address: str, port: int, *, seconds: float) -> tuple[str, ...]:
        import paramiko  # noqa: PLC0415  # 100 ms, for everybody who asks for a web page

        try:
            sock = socket.create_connection((address, port), timeout=seconds)
        except OSError:
            return ()
        with closing(sock):
            transport = paramiko.Transport(sock)
            transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = seconds
            try:
                transport.start_client(timeout=seconds)
                transport.auth_none(_NOBODY)
            except paramiko.BadAuthenticationType as answer:
                return tuple(sorted({str(each) for each in answer.allowed_types}))
            except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
                _log.debug("no login methods from %s port %s: %s", address, port, type(error).__name__)
                return ()
            finally:
                with suppress(OSError, EOFError):
                    transport.close()
        return ("none",)


def _local_towards(address: str) -> str:
    """Return the address that this machine has towards another one; empty if there is no way. No packet is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:  # which fails where the kernel has no IPv6
            trial.connect((address, 9))
            return str(trial.getsockname()[0])
    except OSError:
        return ""


def _state_of(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "closed"
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return "filtered"
    return "unreachable"


def _left(deadline: float) -> float:
    """Return the seconds that are left.

    Raises:
        TimeoutError: none are.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _conversation(
    sock: socket.socket, say: bytes, until: Callable[[bytes], bool], deadline: float, limit_bytes: int
) -> tuple[bytes, str]:
    heard = bytearray()
    try:
        if say:
            sock.settimeout(_left(deadline))
            sock.sendall(say)
        while not until(bytes(heard)):
            if len(heard) >= limit_bytes:
                return bytes(heard), "full"
            sock.settimeout(_left(deadline))
            part = sock.recv(min(_CHUNK_BYTES, limit_bytes - len(heard)))
            if not part:
                return bytes(heard), "closed"
            heard += part
    except TimeoutError:
        return bytes(heard), "late"
    except OSError:
        return bytes(heard), "reset"
    return bytes(heard), "enough"


def _context() -> ssl.SSLContext:
    """Return a client that talks with any server, however old or badly certified: it is only inspected."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def _chain(secure: ssl.SSLSocket) -> tuple[bytes, ...]:
    """Return what the server sent; the method is public since Python 3.13, and is the same object's before."""
    public = getattr(secure, "get_unverified_chain", None)
    if public is not None:
        return tuple(cast("list[bytes]", public()))
    inner = cast("Any", secure)._sslobj
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain() or ())
