"""Builds the example portal: content, feeds, register, media and settings, with a history that ends yesterday.

    python3 examples/build_portal.py --into var/example [--today 2026-11-25]

Needs nothing but Python. The same day gives the same items; built again on a later day, the history is longer and otherwise
the same. What the units are made to do is in portal/items.py, one function a habit. All of it is invented.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from datetime import date, datetime
from pathlib import Path

from portal.database import write_database
from portal.days import TABLE, ZONE
from portal.files import files, write_files

STAMP = ".built"


def main() -> int:
    """Build what is not built for the day yet, and say what was done."""
    parser = argparse.ArgumentParser(description="Build the example portal.")
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="where to build it")
    parser.add_argument("--today", type=date.fromisoformat, metavar="DAY", help="as if built on this day (2026-11-25)")
    arguments = parser.parse_args()
    today: date = arguments.today or datetime.now(ZONE).date()
    folder: Path = arguments.into
    try:
        print(_build(folder, today))
    except OSError as error:
        print(f"error: cannot build the example in {folder}: {error.strerror or error}", file=sys.stderr)
        return 4
    return 0


def _build(folder: Path, today: date) -> str:
    state = f"{today.isoformat()} {_recipe()}\n"
    stamp = folder / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == state:
        return f"The example portal in {folder} is already the one of {today}."
    folder.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    items = write_database(folder / "portal.sqlite", today)
    made = files(today)
    write_files(folder, made)
    stamp.write_text(state, encoding="utf-8")
    return f"Built the example portal of {today} in {folder}: {items} items, {len(made)} files."


def _recipe() -> str:
    """Return a digest of everything that the example is made from."""
    digest = hashlib.sha256()
    for path in sorted([Path(__file__), TABLE, *(Path(__file__).parent / "portal").glob("*.*")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
