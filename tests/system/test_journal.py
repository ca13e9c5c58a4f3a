"""The journal's own protocol, read back from a real datagram socket by a reader written from its description."""

from __future__ import annotations

import array
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portalops.system.journal import MAX_ENTRY_BYTES, Journal, encoded, is_journal


def fields_in(entry: bytes) -> list[tuple[str, str]]:
    """Read an entry as journald does: `NAME=value`, or `NAME` and 64 bits of length before the value."""
    found = []
    while entry:
        line, _end, rest = entry.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if equals:
            found.append((name.decode("ascii"), value.decode()))
            entry = rest
            continue
        (length,) = struct.unpack("<Q", rest[:8])
        assert rest[8 + length : 9 + length] == b"\n"
        found.append((name.decode("ascii"), rest[8 : 8 + length].decode()))
        entry = rest[9 + length :]
    return found


class Daemon:
    """Listens where journald would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(5)

    def entry(self) -> list[tuple[str, str]]:
        """Return the next entry, whichever way it came."""
        data, extra, flags, _address = self._socket.recvmsg(2 << 20, socket.CMSG_SPACE(4))
        assert not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
        if not extra:
            return fields_in(data)
        assert data == b"", "an entry comes one way, not both"
        descriptors = array.array("i", extra[0][2])
        with os.fdopen(descriptors[0], "rb") as file:
            assert stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            with pytest.raises(PermissionError):
                os.pwrite(file.fileno(), b"x", 0)
            file.seek(0)
            return fields_in(file.read())

    def close(self) -> None:
        self._socket.close()


def sent(daemon: Daemon, fields: dict[str, str]) -> None:
    with closing(Journal(daemon.path)) as journal:
        journal.send(fields)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    found = Daemon(tmp_path / "socket")
    yield found
    found.close()


def test_an_entry_arrives_with_its_fields(daemon: Daemon) -> None:
    sent(daemon, {"MESSAGE": "Sao lưu xong", "PRIORITY": "6", "PORTALOPS_RUN": ""})

    assert daemon.entry() == [("MESSAGE", "Sao lưu xong"), ("PRIORITY", "6")]


def test_no_text_can_begin_another_field(daemon: Daemon) -> None:
    hostile = "x\nPRIORITY=0\nPORTALOPS_RUN=forged"

    sent(daemon, {"MESSAGE": hostile, "PRIORITY": "6"})

    assert daemon.entry() == [("MESSAGE", hostile), ("PRIORITY", "6")]


def test_what_no_datagram_holds_goes_in_a_sealed_file(daemon: Daemon) -> None:
    long = "Đ" * 400_000

    sent(daemon, {"MESSAGE": long, "PRIORITY": "6"})

    assert daemon.entry() == [("MESSAGE", long), ("PRIORITY", "6")]


def test_what_is_longer_still_is_cut(daemon: Daemon) -> None:
    entry = encoded({"PRIORITY": "6", "MESSAGE": "x" * (2 * MAX_ENTRY_BYTES), "CODE_MODULE": "m"})

    assert MAX_ENTRY_BYTES <= len(entry) < MAX_ENTRY_BYTES + 100
    assert fields_in(entry)[0] == ("PRIORITY", "6")


def test_a_journal_that_is_not_there_or_takes_nothing_is_an_error_and_no_wait(daemon: Daemon, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Journal(tmp_path / "nothing")
    with pytest.raises(TimeoutError):
        fill(daemon)


def fill(daemon: Daemon) -> None:
    with closing(Journal(daemon.path)) as journal:
        for _each in range(100_000):
            journal.send({"MESSAGE": "x" * 1000})


@given(
    st.dictionaries(
        st.from_regex("[A-Z][A-Z0-9_]{0,20}", fullmatch=True),
        st.text(alphabet=st.characters(codec="utf-8")),
    )
)
def test_whatever_values_hold_they_are_read_back(fields: dict[str, str]) -> None:
    assert fields_in(encoded(fields)) == [(name, value) for name, value in fields.items() if value]


@pytest.mark.parametrize("name", ["", "message", "_PID", "A=B", "A\nB", "1A"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a journal field"):
        encoded({name: "x"})


def test_standard_error_is_the_journal_only_if_systemd_says_so_of_this_very_file(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        status = os.fstat(file.fileno())
        here = f"{status.st_dev}:{status.st_ino}"

        assert is_journal({"JOURNAL_STREAM": here}, file.fileno())
        for other in ("", "1:2", f"{here}0", "a:b", ":", f"{here}:1", "٣:٤"):
            assert not is_journal({"JOURNAL_STREAM": other}, file.fileno())
        assert not is_journal({}, file.fileno())
    assert not is_journal({"JOURNAL_STREAM": here}, 987)
