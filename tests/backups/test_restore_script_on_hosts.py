"""`restore.sh` on hosts that never had portalops: Debian's own age, zstd, tar and sh, and root's owners come back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.backups.kit import back_up, disk, keys, odd_tree, sample_database, snapshot, source
from tests.hosts import Extras, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]
RESTORE = Extras("restore", ("age", "zstd", "sqlite3"))


@pytest.mark.parametrize("release", [13, 11])
def test_a_host_without_portalops_restores_a_set(hosts: Hosts, tmp_path: Path, release: int) -> None:
    tree = odd_tree(tmp_path / "portal")
    for number, path in enumerate(sorted(tree.iterdir())):
        os.lchown(path, 1200 + number, 1300)
    sources = [
        source("files", {"include": [str(tree)], "class": "related"}, tmp_path, id="uploads"),
        source("sqlite", {"database": str(sample_database(tmp_path / "portal.sqlite"))}, tmp_path, id="database"),
    ]
    result = back_up(sources, [disk(tmp_path, "disk-a")])
    assert result.set is not None

    with hosts.started(release, name="stranger", more=RESTORE) as host:
        assert "none" in host.sh("command -v portalops python3-portalops || echo none")
        shutil.copytree(tmp_path / "disk-a" / result.set.id, host.disk / "srv/a set")
        keys().file(host.disk / "srv")
        said = host.sh(
            "cd /srv && KEY=operator.age TO='all of it' LC_ALL=vi_VN.UTF-8 sh 'a set/restore.sh' --databases",
            seconds=300,
        )

        assert "Đã khôi phục tất cả: /srv/all of it" in said
        assert snapshot(host.disk / "srv/all of it/uploads" / str(tree).lstrip("/")) == snapshot(tree)
        pack = next((host.disk / "srv/a set/data/related/uploads").glob("files.0003.age"))
        pack.unlink()
        said = host.sh(
            "cd /srv && KEY=operator.age TO=saved sh 'a set/restore.sh' --salvage || echo ended with $?", seconds=300
        )
        assert "ended with 3" in said
        assert (host.disk / "srv/saved/RESTORE-UNFINISHED.txt").read_bytes() != b""

        put_back = host.sh("cd /srv && TO='/srv/all of it' && " + _printed(host.disk / "srv/a set/RESTORE.en.md"))
        assert put_back == ""
        host.sh(f"cp -a '{tree}' /srv/back")  # a host's /tmp is in its memory
        assert snapshot(host.disk / "srv/back") == snapshot(tree)
        assert (host.disk).stat().st_mode & 0o777 == 0o755, "a folder that was there keeps its mode"


def _printed(guide: Path) -> str:
    """Return the command that the guide prints to put the files back."""
    (line,) = [line for line in guide.read_text().splitlines() if "--skip-old-files" in line]
    return line
