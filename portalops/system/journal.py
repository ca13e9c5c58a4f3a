"""The journal's own protocol: entries with fields, sent to journald through its socket, without its library.

Each entry is one datagram of `NAME=value` lines. A value that holds a line break goes with its length before it, so no text can
begin another field. What does not fit into a datagram goes in a sealed file in memory. A journal that takes nothing holds nobody up:
after `SECONDS` the entry is given up.

Source: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ and systemd.exec(5), $JOURNAL_STREAM.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
SECONDS = 1.0
MAX_ENTRY_BYTES = 1 << 20
"""Longer ones are cut at their values: journald itself drops fields of a service that are much longer."""

_FIELD = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_TOO_LARGE = frozenset({errno.EMSGSIZE, errno.ENOBUFS})


class Journal:
    """A way to journald."""

    def __init__(self, path: Path = SOCKET) -> None:
        """Open it.

        Raises:
            OSError: nobody listens there.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.settimeout(SECONDS)
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def send(self, fields: Mapping[str, str]) -> None:
        """Send one entry.

        Args:
            fields: names in capitals, digits and underscores; one with an empty value is left out.

        Raises:
            OSError: the journal did not take it.
            ValueError: a name is not valid.
        """
        entry = encoded(fields)
        try:
            self._socket.send(entry)
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            self._send_file(entry)

    def _send_file(self, entry: bytes) -> None:
        descriptor = os.memfd_create("portalops-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            view = memoryview(entry)
            while view:
                view = view[os.write(descriptor, view) :]
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
            socket.send_fds(self._socket, [b""], [descriptor])
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def encoded(fields: Mapping[str, str]) -> bytes:
    """Return an entry as it goes over the socket; its values are cut where it would be longer than `MAX_ENTRY_BYTES`.

    >>> encoded({"MESSAGE": "one", "PRIORITY": "6", "PORTALOPS_JOB": ""})
    b'MESSAGE=one\\nPRIORITY=6\\n'

    Raises:
        ValueError: a name is not valid.
    """
    entry = bytearray()
    for name, value in fields.items():
        if not _FIELD.fullmatch(name):
            raise ValueError(f"not a journal field: {name[:80]!r}")
        data = value.encode("utf-8", "replace")[: max(0, MAX_ENTRY_BYTES - len(entry))]
        if not data:
            continue
        if b"\n" in data:
            entry += name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
        else:
            entry += name.encode() + b"=" + data + b"\n"
    return bytes(entry)


def is_journal(environment: Mapping[str, str], descriptor: int = 2) -> bool:
    """Say whether what is written to a descriptor goes to the journal: its device and inode are those that systemd told."""
    device, colon, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    if not colon or not (device + inode).isascii() or not device.isdigit() or not inode.isdigit():
        return False
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (int(device), int(inode))
