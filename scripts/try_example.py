"""Runs the main job on the example portal and on this machine, and says what came of it: what `make run` does after set-up.

    .venv/bin/python scripts/try_example.py

Ends with 0 whenever portalops did its work, because an unmet duty in the example is a result and no failure; it ends with
portalops's own code where the work could not be done.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from portalops.errors import ExitCode
from portalops.locale import language_from, render
from portalops.model.message import Message, msg

ROOT = Path(__file__).resolve().parent.parent
PORTALOPS = Path(sys.executable).with_name("portalops")
CONFIGURATION = ROOT / "portalops.toml"
SIGNING_KEY = ROOT / "var" / "keys" / "signing"
WORK_WAS_DONE = {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}


def main() -> int:
    """Make keys, build the example, begin its registers, run what is due, and show where the report is."""
    if not SIGNING_KEY.exists():
        say(msg("keys: the two that open backups and the one that signs, in var/keys"))
        code = _portalops("init", "--keys", "--no-input")
        if code != 0:
            return code
    say(msg("example: content, feeds, register and media of an invented portal, up to yesterday"))
    code = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "build_portal.py"), "--into", str(ROOT / "var" / "example")],
        check=False,
    ).returncode
    if code != 0:
        return code
    say(msg("registers: who holds what, changes, incidents and where this machine stands, all of it invented"))
    code = subprocess.run(
        [
            sys.executable,
            str(ROOT / "examples" / "begin_registers.py"),
            *("--into", str(ROOT / "var" / "example"), "--config", str(CONFIGURATION)),
        ],
        check=False,
        cwd=ROOT,
    ).returncode
    if code != 0:
        return code
    say(msg("portalops run: what is due, on the example and on this machine's own files, accounts and security state"))
    code = _portalops("run")
    _tell(code)
    return 0 if code in WORK_WAS_DONE else code


def say(step: Message) -> None:
    """Print one step before it is done, in the reader's language."""
    print(f"make run: {render(step, language_from(os.environ))}", file=sys.stderr, flush=True)


def _portalops(*arguments: str) -> int:
    return subprocess.run(
        [str(PORTALOPS), "--config", str(CONFIGURATION), *arguments], check=False, cwd=ROOT
    ).returncode


def _tell(code: int) -> None:
    if code in WORK_WAS_DONE:
        say(
            msg(
                "done. Open the report in a browser; see more with .venv/bin/portalops status; run it again for what is due"
            )
        )
        return
    meanings = {int(known): known.meaning for known in ExitCode}
    meaning = meanings.get(code, msg("not one of its own codes"))
    say(msg("portalops ended with exit code {code}: {meaning}", code=str(code), meaning=meaning))


if __name__ == "__main__":
    sys.exit(main())
