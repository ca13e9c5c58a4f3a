"""An SFTP server that lies: it stands before OpenSSH's own, and what it does is read from a file when a session begins.

    python lying_sftp.py SFTP-SERVER LIE

LIE is a JSON object, or is not there: then everything is carried as it is. `how` is one of

    drops    what is written to the file is answered with OK, and left out, from a number of bytes on
    zeroes   the same, with zero bytes in its place, as after a crash of a host that had not written its cache
    tail     the file loses its last bytes when it is closed, after its size was told
    stalls   no answer comes any more, from a request on

`of` is the end of the file's name for all but the last, which has `type`: the number of the request's type in the
protocol (draft-ietf-secsh-filexfer-02), and `after`: how many of them are answered.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

OPEN, CLOSE, WRITE = 3, 4, 6
STATUS, HANDLE = 101, 102
TAIL_BYTES = 7


class Server:
    """One session."""

    def __init__(self, program: str, lie: dict[str, Any]) -> None:
        self._lie = lie
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answering = threading.Lock()
        self._opening: dict[bytes, bytes] = {}
        self._closing: dict[bytes, bytes] = {}
        self._paths: dict[bytes, bytes] = {}
        self._seen = 0
        self._is_silent = False

    def serve(self) -> None:
        """Carry requests and answers until the client is gone."""
        assert self._process.stdin is not None and self._process.stdout is not None
        threading.Thread(target=self._answers, args=(self._process.stdout,), daemon=True).start()
        while packet := read_packet(sys.stdin.buffer):
            if (request := self._changed(packet)) is not None and not self._is_silent:
                self._process.stdin.write(framed(request))
                self._process.stdin.flush()
        self._process.stdin.close()
        self._process.wait()

    def _answers(self, answers: BinaryIO) -> None:
        while packet := read_packet(answers):
            request = packet[1:5]
            if packet[0] == HANDLE and request in self._opening:
                self._paths[packet[9:]] = self._opening.pop(request)
            if packet[0] == STATUS and request in self._closing:
                path = self._closing.pop(request)
                os.truncate(path, max(0, os.stat(path).st_size - TAIL_BYTES))
            self._answer(packet)

    def _answer(self, packet: bytes) -> None:
        if not self._is_silent:
            with self._answering:
                sys.stdout.buffer.write(framed(packet))
                sys.stdout.buffer.flush()

    def _changed(self, packet: bytes) -> bytes | None:
        """Return what the server is asked in place of a request; None if it is not asked at all."""
        how = self._lie.get("how")
        if how == "stalls" and packet[0] == self._lie["type"]:
            self._seen += 1
            self._is_silent = self._is_silent or self._seen > self._lie["after"]
        if packet[0] == OPEN:
            self._opening[packet[1:5]] = string_at(packet, 5)
        if packet[0] == CLOSE and how == "tail" and self._is_meant(packet):
            self._closing[packet[1:5]] = self._paths[string_at(packet, 5)]
        if packet[0] != WRITE or how not in {"drops", "zeroes"} or not self._is_meant(packet):
            return packet
        start = 9 + len(string_at(packet, 5))
        (offset,) = struct.unpack(">Q", packet[start : start + 8])
        data = string_at(packet, start + 8)
        kept = max(0, self._lie["after"] - offset)
        data = data[:kept] if how == "drops" else data[:kept] + bytes(len(data[kept:]))
        if not data:
            self._answer(bytes([STATUS]) + packet[1:5] + struct.pack(">III", 0, 0, 0))
            return None
        return packet[: start + 8] + struct.pack(">I", len(data)) + data

    def _is_meant(self, packet: bytes) -> bool:
        path = self._paths.get(string_at(packet, 5), b"")
        return path.endswith(self._lie["of"].encode())


def string_at(packet: bytes, start: int) -> bytes:
    """Return the string that a packet has at a position."""
    (length,) = struct.unpack(">I", packet[start : start + 4])
    return packet[start + 4 : start + 4 + length]


def framed(packet: bytes) -> bytes:
    """Return a packet with its length before it."""
    return struct.pack(">I", len(packet)) + packet


def read_packet(file: BinaryIO) -> bytes:
    """Return the next packet; empty at the end."""
    head = file.read(4)
    return file.read(struct.unpack(">I", head)[0]) if len(head) == 4 else b""


def main() -> None:
    """Serve one session."""
    program, lie = sys.argv[1:]
    Server(program, json.loads(Path(lie).read_text("ascii")) if Path(lie).exists() else {}).serve()


if __name__ == "__main__":
    main()
