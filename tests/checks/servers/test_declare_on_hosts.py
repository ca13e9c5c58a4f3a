"""A whole Debian host from its first scan through `check declare` to the next: how many checks are unknown before and after."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.model.checks import is_for_want
from tests.checks.servers.test_on_hosts import ACCOUNT, configure, data, enrol, portalops, set_up
from tests.hosts import Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]


PAGE = '<!DOCTYPE html><html lang="vi"><title>Cổng</title><body>Cổng thông tin điện tử</body></html>\n'
WEB = """
import functools, http.server, ssl
serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/var/www/html")
server = http.server.ThreadingHTTPServer(("", 443), serve)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/web.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


OF_THE_TEST = frozenset(
    ["lists-empty", "no-package-lists", "log-empty", "log-too-short", "host-young", "not-sampled", "no-bundle"]
)
"""Reasons that a host has which is a minute old, with no archive in reach and no bundle of vulnerabilities beside it."""


def unknown_in(found: list[dict[str, str]]) -> dict[str, str]:
    return {f"{one['host']} {one['check']}": one["reason"] for one in found if one["verdict"] == "unknown"}


def test_nothing_is_unknown_for_want_of_a_declaration_once_the_drafts_are_accepted(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started() as host:
        host.add_account(ACCOUNT)
        host.sh(f"usermod -aG systemd-journal {ACCOUNT}")
        certificate = subprocess.run(
            (
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=portal"),
                *("-addext", f"subjectAltName=IP:{host.address}", "-keyout", "-", "-out", "-"),
            ),
            capture_output=True,
            check=True,
        ).stdout
        host.sh("install -m 600 /dev/stdin /srv/web.pem; mkdir -p /var/www/html", stdin=certificate)
        host.sh("cat >/var/www/html/index.html", stdin=PAGE.encode())
        host.sh("cat >/srv/web.py; systemd-run --unit=web python3 /srv/web.py", stdin=WEB.encode())
        configure(tmp_path, host, more='roles = ["web"]\n')
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)

        before = unknown_in(data(capsys, tmp_path, "check", "run"))
        for _again in range(2):  # what is asked from outside shows what more can be declared
            names = [each["id"] for each in data(capsys, tmp_path, "check", "declare")["declarations"]]
            chosen = [word for name in names for word in ("--yes-to", name)]
            assert portalops(tmp_path, "check", "declare", *chosen, "--by", "Nguyễn Văn An") == ExitCode.OK
            after = unknown_in(data(capsys, tmp_path, "check", "run"))

    assert len(before) > 60
    assert len(after) < len(before) / 2
    assert len([reason for reason in after.values() if reason not in OF_THE_TEST]) < 15, after
    assert not {name for name, reason in after.items() if is_for_want(reason)}, after
