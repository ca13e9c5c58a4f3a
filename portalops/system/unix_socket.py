"""One request to a service of this machine by its socket, and all that it answers, within a deadline and an output limit."""

from __future__ import annotations

import socket
import time

from portalops.ports import Completed

_CHUNK_BYTES = 1 << 16
_LATE = 124
"""The exit code of what was stopped at its deadline, as of timeout(1)."""


def ask_socket(path: str, request: bytes, *, deadline_seconds: float, limit_bytes: int) -> Completed:
    """Send a request and return what came until the service closed the connection.

    Args:
        path: of the socket.
        request: sent whole; then nothing more is sent.
        deadline_seconds: for all of it; what came until then is returned, with exit code 124.
        limit_bytes: of the answer; what is behind is not read.

    Raises:
        OSError: it cannot be connected to, or it broke off the connection.
    """
    until = time.monotonic() + deadline_seconds
    answer = bytearray()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(deadline_seconds)
            connection.connect(path)
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while len(answer) <= limit_bytes:
                connection.settimeout(max(0.001, until - time.monotonic()))
                chunk = connection.recv(_CHUNK_BYTES)
                if not chunk:
                    return Completed(0, bytes(answer), b"")
                answer += chunk
        except TimeoutError:
            return Completed(_LATE, bytes(answer), b"")
    return Completed(0, bytes(answer[:limit_bytes]), b"", truncated=True)
