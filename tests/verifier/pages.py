"""The commands of a written page, run one box after the other as a reader does: in a POSIX shell, in a copy of the bundle."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.verifier.scene import VERIFY_PY

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class Page:
    """A page with boxes of commands, each under a name that tests know it by."""

    text: str
    boxes: Mapping[str, str]


@dataclass(frozen=True)
class Printed:
    """What a box did."""

    status: int
    out: str
    err: str


def read_page(path: Path, names: Sequence[str]) -> Page:
    """Read a page whose boxes are as many as there are names, in this order."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return Page(text, dict(zip(names, found, strict=True)))


SHARED = (
    "sums",
    "listed",
    "key",
    "sums-signature",
    "chain",
    "times",
    "blobs",
    "details",
    "left-out",
    "heads",
    "heads-lines",
    "my-head",
    "my-code",
)
"""Boxes that both pages have, word for word."""

HOW_TO = {
    language: read_page(
        VERIFY_PY.with_name(f"HOW-TO-VERIFY.{language}.md"),
        ("python", "python-mine", *SHARED, "tokens", "crashed", "missing", "sign-offs"),
    )
    for language in ("vi", "en")
}
GUIDE = {
    language: read_page(
        DOCS / f"auditors-guide.{language}.md",
        (
            *("short", "short-mine", *SHARED, "my-signature", "my-tokens", "crashed", "missing", "sign-offs", "set"),
            *("weeks", "item", "papers", "incidents", "registers"),
        ),
    )
    for language in ("vi", "en")
}


def run(box: str, folder: Path, home: Path) -> Printed:
    """Run a box in a folder."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "Pacific/Kiritimati"}
    done = subprocess.run(
        ["sh"], input=box.encode(), check=False, capture_output=True, cwd=folder, env=environment, timeout=300
    )
    return Printed(done.returncode, done.stdout.decode(), done.stderr.decode())
