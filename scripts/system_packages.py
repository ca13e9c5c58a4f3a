"""Runs a command that needs programs of the system, or installs those first where that was asked for.

    scripts/system_packages.py [--install] LIST [COMMAND...]

LIST has a line for each: PACKAGE  PROGRAM  # what is tried with it. Without `--install` nothing of the system changes, and
what is missing is named. With it, as root on Debian or Ubuntu, all packages that come are listed, then installed. No package
starts a service meanwhile (policy-rc.d), and none that it enabled starts with the machine's next start. Ends with the
command's exit code, or with 1 where a service runs at the end that did not run before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
POLICY = Path("/usr/sbin/policy-rc.d")
DENY = "#!/bin/sh\n# Packages for tests are being installed: none starts a service.\nexit 101\n"
PATIENCE_SECONDS = float(os.environ.get("TESTS_PATIENCE_SECONDS", "90"))
"""What may take to end after the tests that started it: programs that tests let hang for a minute outlive a killed sshd."""


class NotInstalled(Exception):
    """What is missing could not be installed, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def main(arguments: Sequence[str]) -> int:
    """Install if asked, run the command, and look at the services; return the exit code."""
    install = arguments[:1] == ["--install"]
    listed, *command = arguments[install:]
    before = _services()
    absent = _missing(Path(listed))
    try:
        if install and absent:
            _install(absent)
        elif absent:
            are, need = ("package is", "needs it") if len(absent) == 1 else ("packages are", "needs them")
            _say(f"{len(absent)} {are} missing; what {need} is not tried: {' '.join(absent)}")
            _say("none is installed unasked; to install them, as root on Debian or Ubuntu: make test SYSTEM=1")
    except NotInstalled as failure:
        print(f"error: {failure}\nhint: {failure.hint}", file=sys.stderr)
        return 1
    code = _run(command) if command else 0
    left = _left(before) if install else Counter[str]()
    for name, count in sorted(left.items()):
        print(f"error: {name}: {count} more running than before", file=sys.stderr)
    return code or bool(left)


def _run(command: Sequence[str]) -> int:
    """Return the exit code of a command; Ctrl-C reaches it too, and it is waited for, since it may have things to put away."""
    with subprocess.Popen(command) as process:
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


def _missing(listed: Path) -> list[str]:
    """Return the packages whose programs are not there."""
    lines = [line.split() for line in listed.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return sorted({package for package, program, *_ in lines if not shutil.which(program, os.F_OK, PATH)})


def _install(packages: Sequence[str]) -> None:
    asked = f"apt-get install {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise NotInstalled(
            "this machine has no apt-get", f"Install what holds these programs by hand: {' '.join(packages)}."
        )
    if os.geteuid() != 0:
        raise NotInstalled("installing needs root", f"Run as root: {asked}")
    _apt("update")
    options = ("--no-install-recommends", "install", *packages)
    planned = _output("apt-get", "--simulate", *options)
    coming = [line.split()[1] for line in planned.splitlines() if line.startswith("Inst ")]
    _say(f"{len(coming)} packages are installed, and none starts a service:")
    print(
        textwrap.fill(
            " ".join(sorted(coming)), 118, break_on_hyphens=False, initial_indent="  ", subsequent_indent="  "
        ),
        file=sys.stderr,
    )
    before = _enabled()
    with _nothing_starts():
        _apt("-y", *options)
    _disable(_enabled() - before)


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "-qq", *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
    )
    if done.returncode:
        raise NotInstalled(f"apt-get {arguments[0]} ended with exit code {done.returncode}", "Its cause stands above.")


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Have invoke-rc.d and deb-systemd-invoke, which packages start services by, start none; give back the policy that was."""
    aside = POLICY.with_name(f"{POLICY.name}.before-tests")
    told = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the policy comes back
    if os.path.lexists(POLICY) and not os.path.lexists(aside):  # where it is, a session was killed and POLICY is ours
        POLICY.rename(aside)
    try:
        POLICY.write_text(DENY, encoding="utf-8")
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        if os.path.lexists(aside):
            aside.rename(POLICY)
        signal.signal(signal.SIGTERM, told)


def _enabled() -> set[str]:
    """Return the units that systemd starts with the machine, or by a clock, a socket or a path; none where no systemd runs."""
    if not Path("/run/systemd/system").is_dir():
        return set()
    listed = _output("systemctl", "list-unit-files", "--state=enabled", "--plain", "--no-legend", "--no-pager")
    return {line.split()[0] for line in listed.splitlines()}


def _disable(units: set[str]) -> None:
    """Take back what packages enabled: they ask no preset, and the machine's next start would start them."""
    if units:
        subprocess.run(["systemctl", "--quiet", "disable", "--now", *sorted(units)], check=False)
        _say(f"not started, now or with the machine's next start: {' '.join(sorted(units))}")


def _left(before: Counter[str]) -> Counter[str]:
    """Return the services that run and did not before, once they have had time to end."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (left := _services() - before) and time.monotonic() < until:
        time.sleep(0.2)
    return left


def _services() -> Counter[str]:
    """Return the names of processes that are children of the first one, lead a session, and have no terminal, as services do."""
    found: Counter[str] = Counter()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text(errors="replace").partition("(")[2].rpartition(")")
            state, parent, _group, session, terminal, *_ = rest.split()
            if (parent, session, terminal) == ("1", stat.parent.name, "0") and state != "Z":
                found[name] += 1
    return found


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False)
    if done.returncode:
        raise NotInstalled(
            f"{command[0]} ended with exit code {done.returncode}", done.stderr.strip() or "It said nothing."
        )
    return done.stdout


def _say(text: str) -> None:
    print(f"tests: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
