"""The commands of a written page, run one box after the other as a reader does: in a POSIX shell, in a copy of the bundle."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.verifier.scene import VERIFY_PY

HOW_TO = {language: VERIFY_PY.with_name(f"HOW-TO-VERIFY.{language}.md") for language in ("vi", "en")}
GUIDE = {language: Path(__file__).parents[2] / "docs" / f"auditors-guide.{language}.md" for language in ("vi", "en")}


@dataclass(frozen=True)
class Printed:
    """What a box did."""

    status: int
    out: str
    err: str


def boxes(page: Path) -> list[str]:
    """Return the boxes of commands."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(box: str, folder: Path, home: Path) -> Printed:
    """Run a box in a folder."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati"}
    done = subprocess.run(
        ["sh"], input=box.encode(), check=False, capture_output=True, cwd=folder, env=environment, timeout=60
    )
    return Printed(done.returncode, done.stdout.decode(), done.stderr.decode())
