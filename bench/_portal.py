"""A portal of one source of files, with disks for media, driven by the command line; and what the stock programs need beside it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench._runs import PORTALOPS, Measured, measured

_CONFIGURATION = """
[portal]
id = "bench"
name = {{ vi = "Cổng", en = "Portal" }}
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[backup]
recipients = [{{ name = "operator", key = "{operator}" }}, {{ name = "escrow", key = "{escrow}" }}]
full_every = "month"

[[job]]
id = "backup"
kind = "backup"
every = "day"

[[backup.source]]
id = "corpus"
kind = "files"
class = "related"
include = ["{corpus}"]
"""
_MEDIUM = """
[[backup.medium]]
id = "{name}"
kind = "disk"
folder = "{name}"
create = true
allow_same_filesystem = true
"""


class Portal:
    """A folder with a configuration, its state and its media."""

    def __init__(self, folder: Path, corpus: Path, *, media: Sequence[str] = ("disk-a",)) -> None:
        folder.mkdir()
        self.folder = folder
        self.media = media
        self.recipient = _new_key(folder / "operator")
        self.identity = folder / "operator"
        escrow = _new_key(folder / "escrow")
        text = _CONFIGURATION.format(operator=self.recipient, escrow=escrow, corpus=corpus)
        (folder / "portalops.toml").write_text(text + "".join(_MEDIUM.format(name=name) for name in media))

    def command(self, *arguments: str) -> Measured:
        """Run portalops as a process of its own."""
        return measured([PORTALOPS, "--config", str(self.folder / "portalops.toml"), *arguments])

    def sealed(self, *, media: int) -> Measured:
        """Make a full set on the first of the media, and do not read it back."""
        return measured([sys.executable, "-m", "bench._seal", str(self.folder / "portalops.toml"), str(media)])

    def forget(self) -> None:
        """Remove all sets, and all that is known of them."""
        for name in (*self.media, "state"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def packs(self, pattern: str) -> list[Path]:
        """Return the packs of the one set on the first medium, in order, as its own guide names them."""
        (found,) = (each for each in (self.folder / self.media[0]).iterdir() if not each.name.startswith("."))
        return sorted((found / "data" / "related" / "corpus").glob(pattern))


class Restic:
    """A repository of restic's, with its defaults."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            "RESTIC_REPOSITORY": str(folder / "repository"),
            "RESTIC_PASSWORD": "bench",
            "RESTIC_CACHE_DIR": str(folder / "cache"),
        }

    def init(self) -> None:
        """Make the repository anew."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self.command("init")

    def command(self, *arguments: str) -> Measured:
        """Run restic as a process of its own."""
        return measured(["restic", "-q", *arguments], environment=self._environment)


def stock_backup(corpus: Path, recipient: str, out: Path) -> str:
    """Return the pipeline that a set is measured beside."""
    return f"tar -cf - -C {shlex.quote(str(corpus))} . | zstd -q -T0 -3 | age -r {recipient} > {shlex.quote(str(out))}"


def _new_key(path: Path) -> str:
    """Write a private key and return its public one."""
    subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
    return subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True, text=True).stdout.strip()
