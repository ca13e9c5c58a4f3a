"""Writes requirements/run.txt, dev.txt and portal.txt anew: every version with the digests of its files, for all platforms.

    python3 scripts/lock.py

uv does the resolving, out of a virtual environment that is thrown away. The files name no package index: which one is used
stays the business of each machine's own configuration. A version is pinned with its extras, such as `coverage[toml]`: of a
name without them pip takes the newest version there is, and refuses it since it is not pinned.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORTAL_EXTRAS = ("postgresql", "timestamp", "pdf", "apprise", "cluster")
OUTPUTS = {
    "run": ["requirements/install.in"],
    "dev": ["requirements/install.in", "--extra", "dev", "--constraint", "requirements/run.txt"],
    # What goes to portals is what the tests ran with.
    "portal": [
        *("requirements/portal.in", "--constraint", "requirements/dev.txt"),
        *(part for extra in PORTAL_EXTRAS for part in ("--extra", extra)),
    ],
}
"""What each lock file is made of, beside pyproject.toml."""


def main() -> int:
    """Return the exit code of the first step that failed, or 0."""
    with tempfile.TemporaryDirectory() as scratch:
        venv.EnvBuilder(with_pip=True).create(scratch)
        programs = Path(scratch) / "bin"
        print("lock: installing uv for this once", file=sys.stderr)
        code = subprocess.run([str(programs / "pip"), "install", "--quiet", "uv"], check=False).returncode
        for name, inputs in OUTPUTS.items():
            if code == 0:
                print(f"lock: resolving requirements/{name}.txt", file=sys.stderr)
                code = subprocess.run(
                    [
                        str(programs / "uv"), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11",
                        "--generate-hashes", "--no-strip-extras", "--no-header", "--no-emit-index-url",
                        "--no-emit-find-links", "--upgrade",
                        "--output-file", f"requirements/{name}.txt", "pyproject.toml", *inputs,
                    ],
                    check=False,
                    cwd=ROOT,
                ).returncode  # fmt: skip
        return code


if __name__ == "__main__":
    sys.exit(main())
