"""The hosts with portalops that other tests need have it installed as on a real host, and can send mail."""

from __future__ import annotations

import pytest

from tests.hosts import Hosts
from tests.installed import installed, mail_sink, portalops, write

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CONFIGURATION = """
portal = { id = "cong", name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" } }
state  = { folder = "/var/lib/portalops/state" }
"""


def test_a_host_has_portalops_installed_for_a_user_of_its_own(hosts: Hosts) -> None:
    with installed(hosts, name="cong-1") as host:
        write(host, "/etc/portalops/portalops.toml", CONFIGURATION)

        done = portalops(host, "--config", "/etc/portalops/portalops.toml", "--json", "run")

        assert '"ok": true' in done.stdout, done.stderr
        assert host.sh("python3 -c 'import sys; print(sys.version_info[:2])'") == "(3, 13)\n"
        assert host.sh("runuser -u portalops -- touch /opt/portalops/x 2>&1 || true").endswith("Permission denied\n")
        host.down()
        host.up()
        assert portalops(host, "--version").returncode == 0


def test_a_host_sends_mail_to_the_sink_while_that_listens(hosts: Hosts) -> None:
    with installed(hosts) as host, mail_sink(hosts) as sink:
        send = f"sendmail --host={sink.host} --port={sink.port} --from=root@portal.example"
        letter = "Subject: gửi thử\n\nxin chào\n".encode()

        host.sh(f"{send} truc@portal.example", stdin=letter)
        assert str(sink.wait_for(1)[0]["Subject"])
        assert sink.recipients == [("truc@portal.example",)]

        sink.stop()
        assert "refused" in host.sh(f"{send} truc@portal.example 2>&1 || true", stdin=letter)
        sink.start()
        host.sh(f"{send} truc@portal.example", stdin=letter)
        sink.wait_for(2)
