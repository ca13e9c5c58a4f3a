"""Makes the virtual environment and installs the locked requirements and portalops into it.

    python3 scripts/set_up.py run|dev

Needs Python 3.11 or newer and nothing else: where the machine has neither ensurepip nor pip, as a bare Debian or Ubuntu has
not, pip is taken out of the distribution's own package without installing that package. Does nothing when the lock and the
interpreter are the ones of last time. Every package is checked against the digest in the lock; which package index is used is
the machine's own pip configuration.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
CACHE = ROOT / ".cache"
LOCKS = {"run": ROOT / "requirements" / "run.txt", "dev": ROOT / "requirements" / "dev.txt"}
COVERED_BY = {"run": ("run", "dev"), "dev": ("dev",)}
"""An environment set up for development also runs portalops."""
OLDEST = (3, 11)
SYSTEM_WHEELS = Path("/usr/share/python-wheels")


class SetUpFailed(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def main(arguments: Sequence[str]) -> int:
    """Set up for `run` or `dev`; return 0, or 1 with two lines on standard error."""
    purpose = arguments[0] if arguments else "run"
    if len(arguments) > 1 or purpose not in LOCKS:
        print("usage: python3 scripts/set_up.py run|dev", file=sys.stderr)
        return 2
    try:
        set_up(purpose)
    except SetUpFailed as failure:
        print(f"error: {failure}\nhint: {failure.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}\nhint: Check the free space and who owns {ROOT}.", file=sys.stderr)
        return 1
    return 0


def set_up(purpose: str) -> None:
    """Bring the environment to the state of the lock, if it is not there."""
    _require_python()
    if any(_stamp(done) == _wanted(done) for done in COVERED_BY[purpose]):
        say(f"the environment in .venv is up to date ({purpose}); nothing to install")
        return
    if not _works():
        say(f"making a virtual environment in .venv with Python {sys.version.split()[0]}")
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(ENVIRONMENT)
    pip = _pip()
    lock = LOCKS[purpose]
    say(f"installing the requirements locked in {lock.relative_to(ROOT)}, each checked against its digest")
    _run([*pip, "install", "--quiet", "--no-input", "--require-hashes", "--requirement", str(lock)])
    say("installing portalops itself")
    own = [
        "install",
        "--quiet",
        "--no-input",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--editable",
        str(ROOT),
    ]
    _run([*pip, *own])
    _stamp_file(purpose).write_text(_wanted(purpose), encoding="utf-8")


def say(step: str) -> None:
    """Print one step, where the person sees it before it is done."""
    print(f"set-up: {step}", file=sys.stderr, flush=True)


def _require_python() -> None:
    if sys.version_info < OLDEST:
        raise SetUpFailed(
            f"this is Python {sys.version.split()[0]}; portalops needs 3.11 or newer",
            "Install a newer Python, then name it: make run PYTHON=/path/to/python3.13",
        )


def _stamp_file(purpose: str) -> Path:
    return ENVIRONMENT / f".set-up-{purpose}"


def _stamp(purpose: str) -> str:
    try:
        return _stamp_file(purpose).read_text(encoding="utf-8") if PYTHON.exists() else ""
    except OSError:
        return ""


def _wanted(purpose: str) -> str:
    """Return a digest of all that decides what is installed: the lock, the project's own metadata, where it lies."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (LOCKS[purpose], ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _works() -> bool:
    """Say whether .venv holds a Python that starts and is new enough."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST!r})"
    try:
        return subprocess.run([str(PYTHON), "-c", check], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


# --- pip, from wherever this machine has it ---------------------------------------------------


def _pip() -> list[str]:
    """Return how to call a pip that installs into .venv."""
    inside = [str(PYTHON), "-m", "pip"]
    if _answers([*inside, "--version"]):
        return inside
    if _answers([str(PYTHON), "-m", "ensurepip", "--default-pip"]) and _answers([*inside, "--version"]):
        say("took pip from Python itself (ensurepip)")
        return inside
    outside = shutil.which("pip3") or shutil.which("pip")
    if outside and _answers([outside, "--python", str(PYTHON), "--version"]):
        say(f"using this machine's pip ({outside})")
        return [outside, "--python", str(PYTHON)]
    wheel = _newest_wheel(SYSTEM_WHEELS) or _wheel_from_distribution()
    own = [str(PYTHON), f"{wheel}/pip", "install", "--quiet", "--no-index", "--find-links", str(wheel.parent), "pip"]
    _run(own)
    return inside


def _wheel_from_distribution() -> Path:
    """Fetch Debian's or Ubuntu's package of the pip wheel and unpack it under .cache; the system stays as it is."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise SetUpFailed(
            "this Python has no ensurepip, and there is no pip",
            "Install pip for Python 3 with the system's package manager (it is most often called python3-pip).",
        )
    say("fetching pip out of the distribution's package python3-pip-whl, without installing it")
    folder = CACHE / "apt"
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    options = [
        f"Dir::State::lists={folder}/lists",
        f"Dir::Cache={folder}",
        f"Dir::Cache::archives={folder}/archives",
        "APT::Sandbox::User=root",
        "Acquire::Languages=none",
    ]
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    try:
        _run([*apt, "update"])
        _run([*apt, "download", "python3-pip-whl"], folder=folder)
    except SetUpFailed as failure:
        raise SetUpFailed(
            f"pip could not be fetched: {failure}",
            "As root: apt-get update && apt-get install python3-venv; then run the same command again.",
        ) from failure
    package = max(folder.glob("python3-pip-whl_*.deb"), key=lambda path: path.stat().st_mtime)
    _run(["dpkg-deb", "-x", str(package), str(folder / "python3-pip-whl")])
    wheel = _newest_wheel(folder / "python3-pip-whl" / SYSTEM_WHEELS.relative_to("/"))
    if wheel is None:
        raise SetUpFailed(f"there is no pip in {package.name}", "As root: apt-get install python3-venv.")
    return wheel


def _newest_wheel(folder: Path) -> Path | None:
    return max(folder.glob("pip-*-py3-none-any.whl"), key=lambda path: path.stat().st_mtime, default=None)


def _answers(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True, env=_surroundings()).returncode == 0


def _run(command: Sequence[str], *, folder: Path = ROOT) -> None:
    done = subprocess.run(command, check=False, cwd=folder, env=_surroundings(), stdout=sys.stderr)
    if done.returncode != 0:
        raise SetUpFailed(
            f"{Path(command[0]).name} {' '.join(command[1:4])} ... ended with {done.returncode}",
            "The lines above say why; correct that and run the same command again. Nothing needs to be undone.",
        )


def _surroundings() -> Mapping[str, str]:
    """Return this process's environment; only another virtual environment's name is kept out of it."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}
    }
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
