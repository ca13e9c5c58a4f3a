"""Somebody wants nobody to hear of it; or wants to hear more than is told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from tests.anchors.parts import Mailbox, line_server, mail_server
from tests.commands.test_notify import AT, CANARY, DAY, FAILED, HOUR, Home, channel, mails, subjects


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


def test_who_breaks_the_configuration_silences_nobody(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    home.configure("# nothing is planned any more\n[state]\nfolder = 'state'\n")

    assert home.call("run", "--due", at=AT + HOUR) == ExitCode.CONFIGURATION
    home.call("run", "--due", at=AT + 7 * DAY)

    told = subjects(box)
    assert told[0] == "FAILURE: runs as a whole"
    assert "summary of the week to 1 Dec 2026" in told


def test_who_carries_letters_learns_no_word_of_what_failed(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines:
            lines.write(b"220 mx\r\n")
            lines.flush()
            in_data = False
            for line in lines:
                heard.append(line)
                in_data = line.strip().lower() == b"data" or (in_data and line != b".\r\n")
                if line.strip().lower() == b"data":
                    lines.write(b"354 go on\r\n")
                elif not in_data:
                    lines.write(b"250 OK\r\n")
                lines.flush()

    with line_server(listen) as port:
        home = Home(tmp_path, channel(port, extra='levels = ["failure"]'))
        assert home.call("run", "--due") == ExitCode.FAILED

    said = b"".join(heard).decode()
    assert FAILED in said
    assert CANARY not in said  # a path of the configuration, which the job's own error names
    assert str(tmp_path) not in said
