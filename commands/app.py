"""The program's entry: answers `--version` at once, and leaves with the exit code of `commands.cli.entry.run`."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

from commands.cli.output import give_up, give_up_output
from portalops import __version__
from portalops.errors import InternalFault


def main() -> None:
    """Run the command line and leave with its exit code."""
    # A call lives for a moment or waits for disks: collecting cycles while modules load costs a tenth of `status`.
    gc.set_threshold(100_000)
    # Plugins of pydantic are searched for in every installed package, and none has a part in this.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    if sys.stdout is None:  # closed by the caller, who wants the exit code alone
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
    if sys.argv[1:] == ["--version"]:
        try:
            print(f"portalops {__version__}", flush=True)  # noqa: T201  # the quickest way out, nothing is imported
        except OSError:
            sys.exit(give_up_output())
        gc.freeze()
        return
    try:
        from commands.cli.entry import run  # noqa: PLC0415  # what it imports may be broken: the next lines tell of it

        code = run(sys.argv[1:], os.environ)
    except ImportError as error:
        # Not even what errors are printed with can be loaded. Python would end with 1, which timers take for an unmet duty.
        with suppress(AttributeError, OSError, ValueError):
            sys.stderr.write(f"error[{InternalFault.code}]: {error}\nhint: Install portalops, or its Python, anew.\n")
        code = int(InternalFault.exit_code)
    try:
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # closed or full: the exit code is all that can be told
        give_up(2)
    gc.freeze()  # what Python would search for cycles while it ends, a tenth of `status`; the kernel frees it all the same
    sys.exit(code)
