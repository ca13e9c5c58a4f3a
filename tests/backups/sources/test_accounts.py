from __future__ import annotations

from pathlib import Path

import pytest

from backups.contents import index_members
from portalops.model.backups import BackupResult
from tests.backups.kit import back_up, keys, source
from tests.backups.memory import MemoryMedium

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
lan:x:1000:1000:Lê Lan,,,:/home/lan:/bin/bash
bot:x:1001:1001::/home/bot:/bin/false
malformed
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name, text in {
        "etc/passwd": PASSWD,
        "etc/group": "root:x:0:\n",
        "etc/shadow": "root:$y$secret:1::::::\n",
        "etc/sudoers": "root ALL=(ALL) ALL\n",
        "etc/sudoers.d/portal": "lan ALL=(ALL) ALL\n",
        "root/.ssh/authorized_keys": "ssh-ed25519 AAAA root\n",
        "home/lan/.ssh/authorized_keys": "ssh-ed25519 AAAA lan\n",
        "home/lan/.ssh/id_ed25519": "private\n",
        "home/bot/.ssh/authorized_keys": "ssh-ed25519 AAAA bot\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def run(root: Path, **values: object) -> tuple[BackupResult, list[str]]:
    medium = MemoryMedium("memory-1")
    result = back_up([source("accounts", {"root": str(root), **values}, root, id="accounts")], [medium])
    if result.set is None:
        return result, []
    members = index_members(medium.open_set(result.set.id), result.set.streams[0], [keys().identity])
    return result, [member.path for member in members]


def test_accounts_rights_and_keys_are_kept_and_no_hashes(root: Path) -> None:
    result, names = run(root)

    assert names == [
        "etc/passwd",
        "etc/group",
        "etc/sudoers",
        "etc/sudoers.d",
        "etc/sudoers.d/portal",
        "root/.ssh/authorized_keys",
        "home/lan/.ssh/authorized_keys",
    ]
    assert result.set is not None
    assert (result.set.streams[0].unread, result.set.streams[0].skipped) == ((), ())


def test_hashes_only_if_asked_for(root: Path) -> None:
    result, names = run(root, shadow=True)

    assert "etc/shadow" in names
    assert result.set is not None
    assert result.set.streams[0].skipped == ("etc/gshadow: not there",)


def test_what_is_not_there_is_named(root: Path) -> None:
    (root / "etc/sudoers").unlink()

    result, names = run(root)

    assert "etc/sudoers" not in names
    assert result.set is not None
    assert result.set.streams[0].skipped == ("etc/sudoers: not there",)


@pytest.mark.parametrize("name", ["passwd", "group"])
def test_without_the_account_files_it_fails(root: Path, name: str) -> None:
    (root / "etc" / name).unlink()

    result, _names = run(root)

    assert result.set is None
    assert f"etc/{name}" in result.failed_sources[0]
