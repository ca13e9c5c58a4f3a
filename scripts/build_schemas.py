"""Writes the schemas of what verbs print with `--json` to docs/schemas/commands, and removes those of verbs that are gone.

    .venv/bin/python scripts/build_schemas.py [--check]

With --check it writes nothing, names the first file that is not current, and ends with 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "schemas" / "commands"
sys.path.insert(0, str(ROOT))

from commands.cli.schemas import schema_files  # noqa: E402  # found by the line above


def main() -> int:
    """Return 0 if all are written or current, 1 otherwise."""
    made = dict(schema_files())
    there = {file.name: file.read_bytes() for file in FOLDER.glob("*.schema.json")} if FOLDER.is_dir() else {}
    changed = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    if "--check" in sys.argv[1:]:
        if changed:
            remedy = ".venv/bin/python scripts/build_schemas.py"
            print(
                f"error: docs/schemas/commands/{changed[0]} is not current\n"
                f"hint: Run '{remedy}' and commit what it writes.",
                file=sys.stderr,
            )
        return int(bool(changed))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in made:
            (FOLDER / name).write_bytes(made[name])
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
