"""A link that is cut: a port that passes bytes on to another one, up to a number of them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Link:
    """Stands before a server on this machine."""

    def __init__(self, port: int) -> None:
        self.passes: int | None = None
        """How many bytes clients may still send, over all connections; None for any number."""
        self.heals = False
        """After a cut it carries everything again."""
        self.sent = 0
        """Bytes that clients have sent."""
        self._upstream = port
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_stopped = False
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def cut_once_after(self, count: int) -> None:
        """Cut everything when clients have sent so much more, and carry what comes after that."""
        self.heals = True
        self.passes = count

    def heal(self) -> None:
        """Carry everything."""
        self.heals, self.passes = False, None

    def cut(self) -> None:
        """Cut what is open; what is opened later is carried."""
        self._cut()

    def stop(self) -> None:
        """Cut everything."""
        self._listener.close()
        with self._lock:
            self._is_stopped = True
        self._cut()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if self.passes == 0:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
                is_late = self._is_stopped
            if is_late:
                self._cut()
                return
            for start, end, is_counted in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(start, end, is_counted), daemon=True).start()

    def _pump(self, start: socket.socket, end: socket.socket, is_counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := start.recv(4096):
                end.sendall(self._let_through(data) if is_counted else data)
                if self.passes == 0:
                    if self.heals:
                        self.heal()
                    self._cut()
                    return
            end.shutdown(socket.SHUT_WR)

    def _let_through(self, data: bytes) -> bytes:
        with self._lock:
            if self.passes is not None:
                data = data[: self.passes]
                self.passes -= len(data)
            self.sent += len(data)
            return data

    def _cut(self) -> None:
        with self._lock:
            ends, self._open = self._open, set()  # what is opened meanwhile is in the next set, and forgotten by none
        for each in ends:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextlib.contextmanager
def link_to(port: int) -> Iterator[Link]:
    """Open a link to a port of this machine."""
    link = Link(port)
    try:
        yield link
    finally:
        link.stop()
