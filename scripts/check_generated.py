"""Says whether what is generated and committed is current: the Vietnamese catalogue and the published schema.

    .venv/bin/python scripts/check_generated.py

Ends with 1 and says how to make it anew if something is not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = Path("docs/schemas/portalops.schema.json")


def main() -> int:
    """Return 0 if everything is current, 1 otherwise."""
    return max(_check_catalogue(), _check_schema())


def _check_catalogue() -> int:
    done = subprocess.run([sys.executable, "-m", "portalops.locale.build", "--check"], check=False, cwd=ROOT)
    if done.returncode == 0:
        return 0
    return _complain("the Vietnamese catalogue is not whole and current", ".venv/bin/python -m portalops.locale.build")


def _check_schema() -> int:
    portalops = Path(sys.executable).with_name("portalops")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / SCHEMA.name
        command = [str(portalops), "--quiet", "config", "schema", "--output", str(made)]
        done = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.DEVNULL)
        if done.returncode == 0 and (ROOT / SCHEMA).is_file() and made.read_bytes() == (ROOT / SCHEMA).read_bytes():
            return 0
    return _complain(f"{SCHEMA} is not current", f".venv/bin/portalops config schema --output {SCHEMA}")


def _complain(what: str, remedy: str) -> int:
    print(f"error: {what}\nhint: Run '{remedy}' and commit what it writes.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
