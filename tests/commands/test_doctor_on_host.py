"""The doctor on a real Debian with its own systemd: timers that are alive, dead or edited, and what their account may do."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.hosts import Host, Hosts
from tests.installed import installed, portalops, write

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CONFIG = "/etc/portalops/portalops.toml"
TEXT = """
portal   = { id = "kh", name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" } }
state    = { folder = "/var/lib/portalops/state" }
report   = { folder = "/var/lib/portalops/reports" }
signing  = { key = "/var/lib/portalops/keys/signing" }

[backup]
recipients = [
  { name = "operator", file = "/var/lib/portalops/keys/operator.age.pub" },
  { name = "escrow", file = "/var/lib/portalops/keys/escrow.age.pub" },
]

[[backup.source]]
id = "settings"
kind = "files"
class = "configuration"
include = ["/srv/closed"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "/srv/disk-a"

[[ledger.anchor]]
id = "s3"
kind = "s3"
endpoint = "http://192.0.2.1"
bucket = "heads"
retain_days = 1
access_key = { credential = "s3-id" }
secret_key = { file = "/etc/portalops/s3.secret" }

[[job]]
id = "daily-backup"
kind = "backup"
every = "day"

[[job]]
id = "daily-anchor"
kind = "anchor"
every = "day"
"""


@pytest.fixture
def host(hosts: Hosts) -> Iterator[Host]:
    with installed(hosts, name="doctor") as made:
        write(made, CONFIG, TEXT)
        write(made, "/etc/portalops/s3.secret", "secret", owner="portalops:portalops", mode=0o600)
        write(made, "/srv/closed/secret", "only root reads this", owner="root:root", mode=0o600)
        made.sh("chmod 700 /srv/closed; install -d -o portalops /srv/disk-a")
        keys = portalops(made, "--config", CONFIG, "init", "--no-input", "--keys")
        assert keys.returncode == 0, keys.stderr
        yield made


def doctor(host: Host, *subjects: str, user: str = "root") -> dict[str, list[tuple[str, str]]]:
    """Return what the doctor says of subjects: each line's id, with its state and what was seen."""
    asked = [part for subject in subjects for part in ("--only", subject)]
    done = portalops(host, "--config", CONFIG, "--json", "doctor", *asked, user=user)
    found: dict[str, list[tuple[str, str]]] = {}
    for row in json.loads(done.stdout)["data"]:
        found.setdefault(row["id"], []).append((row["state"], row["seen"]))
    return found


def states(found: dict[str, list[tuple[str, str]]]) -> set[str]:
    return {state for lines in found.values() for state, _seen in lines}


def test_what_starts_portalops_is_seen_alive_dead_and_edited(host: Host) -> None:
    nothing = doctor(host, "schedule")
    assert nothing["schedule/schedule"] == [("warning", "no schedule is installed, so no job starts by itself")]
    write(host, "/etc/portalops/credentials/s3-id", "id", owner="root:root", mode=0o600)
    done = portalops(host, "--config", CONFIG, "schedule", "install", "--systemd", user="root")
    assert done.returncode == 0, done.stderr

    alive = doctor(host, "schedule")
    timers = {name: lines for name, lines in alive.items() if name.endswith(".timer")}
    assert timers and states(timers) == {"good"}, alive
    assert "elapses next at" in str(timers)

    name = next(iter(timers)).partition("/")[2]
    host.sh(f"systemctl stop {name}")
    assert "bad" in {state for state, _seen in doctor(host, "schedule")[f"schedule/{name}"]}

    host.sh(f"systemctl start {name}; echo '# mine' >> /etc/systemd/system/{name}; systemctl daemon-reload")
    edited = doctor(host, "schedule")[f"schedule/{name}"]
    assert [state for state, _seen in edited] == ["warning"] and "edited by hand" in str(edited)


def test_what_the_account_of_the_timers_may_do_is_asked_as_that_account(host: Host) -> None:
    absent = doctor(host, "scheduled-user")
    assert "which is not there" in str(absent["scheduled-user/credential s3-id"])
    assert "cannot read a backup source" in str(absent["scheduled-user/settings"])
    write(host, "/etc/portalops/credentials/s3-id", "id", owner="root:root", mode=0o600)
    done = portalops(host, "--config", CONFIG, "schedule", "install", "--systemd", user="root")
    assert done.returncode == 0, done.stderr

    well = doctor(host, "scheduled-user")  # the units give backups the right to read all
    assert states(well) == {"good"}, well
    host.sh("chown root:root /var/lib/portalops/keys/signing /var/lib/portalops")
    ill = doctor(host, "scheduled-user")

    assert "the account portalops cannot read the signing key" in str(ill)
    assert "bad" in states(ill)
