"""Makes the site of the documentation: `.venv/bin/python scripts/build_site.py [FOLDER]`, `build/site` without a folder.

Sphinx and myst-parser do it, from the extra `docs`; a warning is an error. The site opens from a folder, without a server
and without a network: begin with `index.html`. The same pages give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "site"
START = "docs/index.html"
FIRST = f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={START}">
<title>portalops</title>
<a href="{START}">portalops</a>
</html>
"""


def main(arguments: list[str]) -> int:
    """Build into a folder, which is emptied first if it holds an earlier site; return Sphinx's exit code."""
    parser = argparse.ArgumentParser(prog="build_site.py", description="Make the site of the documentation.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="where it goes (build/site)")
    folder: Path = parser.parse_args(arguments).folder.resolve()
    if find_spec("sphinx") is None or find_spec("myst_parser") is None:
        print("error: Sphinx or myst-parser is not installed", file=sys.stderr)
        print("hint: Run 'make docs', or install the extra: .venv/bin/pip install '.[docs]'", file=sys.stderr)
        return 1
    if folder.exists() and any(folder.iterdir()):
        if not (folder / START).is_file():
            print(f"error: {folder} holds something other than a site", file=sys.stderr)
            print("hint: Name a folder that is empty or not there yet.", file=sys.stderr)
            return 1
        shutil.rmtree(folder)
    with tempfile.TemporaryDirectory() as scratch:
        call = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-E"]
        call += ["-c", str(ROOT / "docs" / "_site"), "-d", scratch, str(ROOT), str(folder)]
        surroundings = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(call, check=False, cwd=ROOT, env=surroundings)
    if done.returncode == 0:
        (folder / "index.html").write_text(FIRST, encoding="utf-8")
        for name in (".buildinfo", "objects.inv"):
            (folder / name).unlink(missing_ok=True)
        (folder / "_sources").rmdir()
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
