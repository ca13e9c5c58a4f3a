"""Why a host was not reached speaks the reader's language, and records of before it did stay readable."""

from __future__ import annotations

import errno
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portalops.bodies import decode, read, write
from portalops.locale import render
from portalops.model.checks import CheckScan, HostScan
from portalops.model.message import Message, msg
from portalops.model.organisation import HostId
from portalops.system.openssh import explain_no_session
from portalops.system.ssh import SshTarget, unreachable

AT = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
TARGET = SshTarget("192.0.2.7", 22, "portalops", Path("/nowhere"), ("ssh-ed25519 AAAA",))


def kept(problem: Message | str) -> HostScan:
    round_ = CheckScan((HostScan(HostId("web1"), AT, False, problem, ()),))
    (host,) = decode(CheckScan, read(write({"check": round_}))["check"]).hosts
    return host


def test_sentence_is_kept_with_its_values_and_text_as_it_was() -> None:
    sentence = msg("cannot open a session on {host}: {cause}", host="192.0.2.7", cause=msg("Connection refused"))

    assert kept(sentence).problem == sentence
    assert kept("connection refused by 192.0.2.7").problem == "connection refused by 192.0.2.7"


@pytest.mark.parametrize(
    ("error", "vietnamese"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "kết nối bị từ chối"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "không có đường đến máy chủ"),
        (EOFError(), "máy đã kết thúc kết nối"),
    ],
)
def test_common_causes_of_ssh_are_translated(error: Exception, vietnamese: str) -> None:
    assert vietnamese in render(unreachable(TARGET, error, threading.Event()).message, "vi")


def test_common_causes_that_ssh_itself_tells_are_translated() -> None:
    said = "ssh: connect to host 192.0.2.7 port 22: Connection refused"

    assert "kết nối bị từ chối" in render(explain_no_session(TARGET, said).message, "vi")
