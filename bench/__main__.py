"""Runs every measurement of this folder, one after the other, or those that are named: `python -m bench [NAME...]`.

A measurement is a file here that can be run by itself and prints what it measured as ratios in one run, since absolute times
of two machines say nothing about each other. It ends with a code that is not 0 where portalops is slower than it promises. Files whose names begin with `_` or `fabricate_` make material for others.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent


def main(names: Sequence[str]) -> int:
    """Return 0 if every measurement held."""
    known = sorted(
        module.name for module in pkgutil.iter_modules([str(HERE)]) if not module.name.startswith(("_", "fabricate_"))
    )
    for name in names:
        if name not in known:
            print(f"error: there is no measurement {name}\nhint: There are: {', '.join(known)}.", file=sys.stderr)
            return 2
    failed = []
    for name in names or known:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False, cwd=HERE.parent).returncode != 0:
            failed.append(name)
    if failed:
        print(f"\nnot as promised: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
