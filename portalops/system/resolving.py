"""Names looked up and connections opened within a time, also where a name server is silent.

getaddrinfo(3) knows no deadline: asked of a name server that never answers it takes as long as resolv.conf(5) lets it. So it is
left behind in a thread of its own when the time is over, which holds nothing up, the end of the program neither.
"""

from __future__ import annotations

import queue
import socket
import threading
from typing import TypeAlias

MOST_ADDRESSES = 8
"""So many addresses of one name are tried."""
Found: TypeAlias = (
    "tuple[tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]], ...]"
)


def resolve(name: str, port: int | None, *, seconds: float) -> Found:
    """Return the addresses of a name or address, each with its family, as getaddrinfo(3) orders them.

    Raises:
        TimeoutError: nobody answered in time.
        OSError: it has no address, or nobody could be asked.
        UnicodeError: it is no name.
    """
    if seconds <= 0:
        raise TimeoutError("the time is over")
    answer: queue.SimpleQueue[Found | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answer.put(error)
        else:
            answer.put(tuple((row[0], row[4]) for row in rows))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answer.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no name server answered in {seconds:.0f} s") from None
    if isinstance(found, (OSError, UnicodeError)):
        raise found
    return found


def connect(host: str, port: int, *, seconds: float) -> socket.socket:
    """Connect to the first address of a host that takes the connection.

    Args:
        host: name or address.
        port: of TCP.
        seconds: for looking the name up, and again for each address.

    Raises:
        OSError: of the last address that was tried, or as `resolve` does.
        UnicodeError: it is no name.
    """
    problem = OSError("it has no address")
    for family, address in resolve(host, port, seconds=seconds)[:MOST_ADDRESSES]:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(seconds)
            sock.connect(address)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem
