"""Says whether what is generated and committed is current: the Vietnamese catalogue, the published schemas, the time zones and the page that verifies bundles.

    .venv/bin/python scripts/check_generated.py

Ends with 1 and says how to make it anew if something is not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = {"config": Path("docs/schemas/portalops.schema.json"), "report": Path("docs/schemas/document.schema.json")}
"""Published schemas by the command whose verb `schema` writes them."""


def main() -> int:
    """Return 0 if everything is current, 1 otherwise."""
    return max(
        _check_catalogue(),
        _check_command_schemas(),
        _check_zones(),
        _check_page(),
        *(_check_schema(command, schema) for command, schema in SCHEMAS.items()),
    )


def _check_catalogue() -> int:
    done = subprocess.run([sys.executable, "-m", "portalops.locale.build", "--check"], check=False, cwd=ROOT)
    if done.returncode == 0:
        return 0
    return _complain("the Vietnamese catalogue is not whole and current", ".venv/bin/python -m portalops.locale.build")


def _check_command_schemas() -> int:
    return subprocess.run([sys.executable, "scripts/build_schemas.py", "--check"], check=False, cwd=ROOT).returncode


def _check_zones() -> int:
    return subprocess.run([sys.executable, "scripts/build_zones.py", "--check"], check=False, cwd=ROOT).returncode


def _check_page() -> int:
    return subprocess.run([sys.executable, "scripts/build_verify_html.py", "--check"], check=False, cwd=ROOT).returncode


def _check_schema(command: str, schema: Path) -> int:
    portalops = Path(sys.executable).with_name("portalops")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / schema.name
        call = [str(portalops), "--quiet", command, "schema", "--output", str(made)]
        done = subprocess.run(call, check=False, cwd=ROOT, stdout=subprocess.DEVNULL)
        if done.returncode == 0 and (ROOT / schema).is_file() and made.read_bytes() == (ROOT / schema).read_bytes():
            return 0
    return _complain(f"{schema} is not current", f".venv/bin/portalops {command} schema --output {schema}")


def _complain(what: str, remedy: str) -> int:
    print(f"error: {what}\nhint: Run '{remedy}' and commit what it writes.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
