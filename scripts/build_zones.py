"""Writes the names of IANA's time zones, as the pinned tzdata has them, to where they are looked up: portalops and verify.py.

    .venv/bin/python scripts/build_zones.py [--check]

verify.html takes them from verify.py: run scripts/build_verify_html.py behind this.
"""

from __future__ import annotations

import re
import sys
import textwrap
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("portalops/model/zones.py", "portalops/ledger/bundle/verify.py")
NO_ZONE = "Factory"
"""IANA's own word for a clock that nobody has set."""
LIST = re.compile(r'(?<=NAMES = """\n)[^"]*(?=""")')


def main(arguments: list[str]) -> int:
    """Write the names, or with --check return 1 if they are not current."""
    names = sorted(set(resources.files("tzdata").joinpath("zones").read_text("ascii").split()) - {NO_ZONE})
    block = textwrap.fill(" ".join(names), 120, break_on_hyphens=False)
    for place in PLACES:
        path = ROOT / place
        text = path.read_text("utf-8")
        current = LIST.sub(f"{block}\n", text, count=1)
        assert LIST.search(text), place
        if arguments != ["--check"]:
            path.write_text(current, encoding="utf-8")
        elif text != current:
            print(
                f"error: the time zones in {place} are not those of tzdata\n"
                "hint: Run '.venv/bin/python scripts/build_zones.py' and commit what it writes.",
                file=sys.stderr,
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
