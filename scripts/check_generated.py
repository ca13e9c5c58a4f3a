"""Says whether what is generated and committed is current: the Vietnamese catalogue and the published schemas.

    .venv/bin/python scripts/check_generated.py

Ends with 1 and says how to make it anew if something is not.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATORS = ("portalops.locale.build", "portalops.config.schema")
"""Modules that take --check; each prints what is out of date and ends with a code that is not 0."""


def main() -> int:
    """Return 0 if everything is current."""
    failed = [module for module in GENERATORS if not _is_current(module)]
    for module in failed:
        print(f"error: what {module} makes is not current", file=sys.stderr)
        print(f"hint: Run '.venv/bin/python -m {module}' and commit what it writes.", file=sys.stderr)
    return 1 if failed else 0


def _is_current(module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        print(f"error: there is no module {module}", file=sys.stderr)
        return False
    return subprocess.run([sys.executable, "-m", module, "--check"], check=False, cwd=ROOT).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
