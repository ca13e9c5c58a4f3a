"""Many servers at once: from the known_hosts of OpenSSH or a CSV table, all or none, and no key is believed by it."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from commands.jobs.host_lists import csv_hosts, known_hosts
from portalops.errors import ExitCode, UsageError
from portalops.signatures.sshsig import fingerprint
from tests.commands.test_host import HERE
from tests.servers import new_key
from tests.shapes import run_validated

PORTAL = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(PORTAL + HERE, encoding="utf-8")
    return tmp_path


def portalops(home: Path, *arguments: str) -> int:
    return run_validated("--config", str(home / "portalops.toml"), "--lang", "en", *arguments)


def written_by_openssh(folder: Path, *names: str) -> tuple[Path, str]:
    key = new_key(folder / "host")
    path = folder / "known_hosts"
    path.write_text("".join(f"{name} {' '.join(key.split()[:2])}\n" for name in names), encoding="utf-8")
    return path, key


def test_known_hosts_are_added_with_their_keys_proposed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, key = written_by_openssh(home, "web1.example,192.0.2.1", "[db1.example]:2222", "192.0.2.9", "*.example")

    assert portalops(home, "host", "add", "--from", str(path), "--user", "portalops", "--json") == ExitCode.OK

    out = capsys.readouterr().out
    text = (home / "portalops.toml").read_text(encoding="utf-8")
    assert '\nid = "web1.example"\naddress = "web1.example"\n' in text
    assert '\nid = "db1.example-2222"\naddress = "db1.example"\nport = 2222\n' in text
    assert '\nid = "192.0.2.9"\n' in text and text.startswith(PORTAL)
    assert fingerprint(" ".join(key.split()[:2])) in out
    assert '"line": 4' in out
    assert not (home / "state").exists(), "no key is known by it"


def test_hashed_names_are_told_as_such(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _key = written_by_openssh(home, "web1.example", "web2.example")
    subprocess.run(["ssh-keygen", "-H", "-f", str(path)], check=True, capture_output=True)

    assert portalops(home, "host", "add", "--from", str(path)) == ExitCode.USAGE

    assert "HashKnownHosts" in capsys.readouterr().err
    assert (home / "portalops.toml").read_text(encoding="utf-8") == PORTAL + HERE


def test_authorities_revoked_keys_and_damaged_lines_make_no_host() -> None:
    hosts, left = known_hosts(
        "@revoked a ssh-ed25519 AAAA\n@cert-authority *.b ssh-ed25519 AAAA\nc\nd ssh-ed25519 !!\n"
    )

    assert (hosts, [each.line for each in left]) == ([], [1, 2, 3, 4])


def test_table_is_added_whole_or_not_at_all(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = home / "servers.csv"
    head = "\ufeffid;address;port;user;role;custodian\n"
    table.write_text(
        head + "web1;web1.example;2222;ops;web virtual;Nguyễn Văn An\nhere;db1.example;;;;\n", encoding="utf-8"
    )

    assert portalops(home, "host", "add", "--csv", str(table)) == ExitCode.USAGE
    assert "here is there twice" in capsys.readouterr().err
    assert (home / "portalops.toml").read_text(encoding="utf-8") == PORTAL + HERE

    table.write_text(
        head + "web1;web1.example;2222;ops;web virtual;Nguyễn Văn An\ndb1;db1.example;;;;\n", encoding="utf-8"
    )
    assert portalops(home, "host", "add", "--csv", str(table), "--dry-run") == ExitCode.OK
    assert (home / "portalops.toml").read_text(encoding="utf-8") == PORTAL + HERE
    assert portalops(home, "host", "add", "--csv", str(table)) == ExitCode.OK
    text = (home / "portalops.toml").read_text(encoding="utf-8")
    assert 'roles = ["web", "virtual"]\ncustodian = "Nguyễn Văn An"\n' in text
    assert portalops(home, "config", "check") == ExitCode.OK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,addres\n", "line 1: there is no column addres"),
        ("id,port\n", "line 1: the column address is missing"),
        ("id,address\nweb1,\n", "line 2: the column address is empty"),
        ("id,address\nweb1,a,b\n", "line 2: the line has more columns"),
        ("id,address,port\nweb1,a,99999\n", "line 2: 99999 is not a port"),
        pytest.param(f"id,address\nweb1,a\nweb2,{'x' * 200_000}\n", "line 3: the line cannot be read", id="huge field"),
    ],
)
def test_mistake_in_a_table_names_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        csv_hosts(text)


def test_line_ends_of_old_programs_are_line_ends() -> None:
    assert [each.id for each in csv_hosts("id,address\rweb1,a\rweb2,b\r")] == ["web1", "web2"]


def test_port_of_the_list_wins_over_that_of_all(home: Path) -> None:
    table = home / "servers.csv"
    table.write_text("id,address,port\nweb1,web1.example,22\nweb2,web2.example,\n", encoding="utf-8")

    assert portalops(home, "host", "add", "--csv", str(table), "--port", "2222") == ExitCode.OK

    ports = {
        each["id"]: each.get("port") for each in tomllib.loads((home / "portalops.toml").read_text("utf-8"))["host"]
    }
    assert (ports["web1"], ports["web2"]) == (22, 2222)


@pytest.mark.parametrize("address", ["-oProxyCommand=id", "$(id)", "file:///etc", "a b"])
def test_address_that_is_none_is_refused(home: Path, address: str) -> None:
    table = home / "servers.csv"
    table.write_text(f"id,address\nweb1,{address}\n", encoding="utf-8")

    assert portalops(home, "host", "add", "--csv", str(table)) == ExitCode.CONFIGURATION
    assert (home / "portalops.toml").read_text(encoding="utf-8") == PORTAL + HERE


def test_list_and_single_host_exclude_each_other(home: Path) -> None:
    assert portalops(home, "host", "add") == ExitCode.USAGE
    assert portalops(home, "host", "add", "web1", "--csv", "x.csv") == ExitCode.USAGE
