"""Joins the page that verifies a bundle in a browser: its parts, its texts and verify.py's sentences become one file.

    .venv/bin/python scripts/build_verify_html.py [--check]

The content security policy lets the page run exactly its own script and style, by their digests, and connect nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path

from portalops.ledger.bundle import verify as program

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "portalops/ledger/bundle"
PARTS = FOLDER / "browser"
PAGE = FOLDER / "verify.html"
SCRIPTS = (
    "texts",
    "sha256",
    "json",
    "ed25519",
    "signatures",
    "records",
    "files",
    "completeness",
    "figures",
    "check",
    "page",
)
"""In this order: each uses those before it when it is loaded."""


def main(arguments: list[str]) -> int:
    """Write the page, or with --check return 1 if it is not current."""
    page = build()
    if arguments != ["--check"]:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page:
        print(
            "error: verify.html is not current\n"
            "hint: Run '.venv/bin/python scripts/build_verify_html.py' and commit what it writes.",
            file=sys.stderr,
        )
        return 1
    return 0


def build() -> str:
    """Return the page."""
    own = json.loads(_part("page.vi.json"))
    script = "\n".join(
        [
            '"use strict";',
            f"const VI = {json.dumps({**program.VI, **own}, ensure_ascii=False, indent=0)};",
            f'const ZONES = new Set({json.dumps(" ".join(sorted(program.ZONES)))}.split(" "));',
            *(_part(f"{name}.js") for name in SCRIPTS),
        ]
    )
    style = _part("page.css")
    assert "</script" not in script and "</style" not in style
    policy = f"default-src 'none'; script-src {_source(script)}; style-src {_source(style)}; base-uri 'none'; form-action 'none'"
    page = _part("page.html")
    for name, text in {"policy": policy, "style": style, "script": script}.items():
        page = page.replace(f"{{{{{name}}}}}", text)
    return page


def _part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
