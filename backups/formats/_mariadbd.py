"""A server of MariaDB that is thrown away: its own data, a socket alone, an unprivileged user, always stopped.

It listens on no network, runs no events, reads and writes no files for SQL, and ends by itself when its time is over, even
if portalops is killed before it can stop it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backups.formats._trials import cannot_try, was_stopped
from portalops.ports import Completed, Runner

PACKAGE = "mariadb-server"
LIFE_SECONDS = 24 * 3600
"""When it ends by itself at the latest."""
LOAD_SECONDS = 12 * 3600.0
START_SECONDS = 120.0
_ACCOUNT = "portalops-drill"
"""The account of the trial itself: accounts that are restored may take root's place."""


class ThrowAway:
    """A running server."""

    def __init__(self, runner: Runner, socket: str) -> None:
        self._runner = runner
        self._client = ("mariadb", "--no-defaults", f"--socket={socket}", "--default-character-set=utf8mb4")

    def ask(self, sql: str) -> list[list[str]]:
        """Run statements and return the rows; cells are as `--batch` prints them.

        Raises:
            BackupError: one of them failed.
        """
        argv = (*self._client, f"--user={_ACCOUNT}", "--batch", "--skip-column-names")
        done = self._runner.run(argv, stdin=sql.encode(), timeout_seconds=LOAD_SECONDS, limit_bytes=64 << 20)
        if done.exit_code or done.truncated:
            raise cannot_try("mariadb", done, package=PACKAGE)
        return [line.split("\t") for line in done.stdout.decode("utf-8", "replace").split("\n")[:-1]]

    def load(self, dump: Path, *, database: str | None, goes_on: bool = False) -> Completed:
        """Run a dump, without a way to the shell or to files for what stands in it.

        Args:
            dump: the file, which the runner's user can read.
            database: where it goes.
            goes_on: whether statements after one that failed are run too.

        Raises:
            BackupError: the client was stopped before it had run all of it.
        """
        argv = (
            *self._client,
            f"--user={_ACCOUNT}",
            "--sandbox",
            "--binary-mode",
            "--batch",
            "--max-allowed-packet=1G",
            *(("--force",) if goes_on else ()),
            *(() if database is None else (f"--database={database}",)),
        )
        # The only thing that the shell does is to open the file: a dump is too large for a runner's input.
        done = self._runner.run(
            ("sh", "-c", 'exec "$@" < "$0"', str(dump), *argv), timeout_seconds=LOAD_SECONDS, limit_bytes=8 << 20
        )
        if was_stopped(done):
            raise cannot_try("mariadb", done, package=PACKAGE)
        return done


@contextmanager
def throw_away(scratch: Path, runner: Runner) -> Iterator[ThrowAway]:
    """Start a server in an empty folder that the runner's user can write, and stop it after the block.

    Raises:
        BackupError: it does not start here.
    """
    data, log = scratch / "data", scratch / "mariadbd.log"
    # A socket's path must be short, and a scratch folder's may be long.
    folder = _required(runner, ("mktemp", "--directory", "--tmpdir", "portalops-XXXXXXXX")).stdout.decode().strip()
    socket = f"{folder}/socket"
    try:
        _required(
            runner,
            (
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ),
        )
        _required(runner, ("mkdir", f"{folder}/files"))
        _required(runner, _server_command(data, log, folder))
        _await(runner, socket, log)
        yield ThrowAway(runner, socket)
    finally:
        _stop(runner, Path(f"{log}.group"))
        runner.run(("rm", "-r", "--force", "--", folder))


def _server_command(data: Path, log: Path, folder: str) -> tuple[str, ...]:
    return (
        "setsid",
        "--fork",
        # The shell notes its number, which becomes the server's group, and lets go of the runner's pipes: a runner waits
        # until nobody has them, and by then the number is there.
        "sh",
        "-c",
        'echo $$ > "$0.group"; exec "$@" > "$0" 2>&1 < /dev/null',
        str(log),
        "timeout",
        "--kill-after=60",
        str(LIFE_SECONDS),
        "mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={folder}/socket",
        f"--pid-file={data.parent / 'pid'}",
        f"--tmpdir={data.parent}",
        "--skip-networking",
        "--skip-log-bin",
        "--skip-symbolic-links",
        "--event-scheduler=OFF",
        f"--secure-file-priv={folder}/files",
        "--local-infile=OFF",
        "--max-allowed-packet=1G",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-fast-shutdown=2",
        "--character-set-server=utf8mb4",
    )


def _await(runner: Runner, socket: str, log: Path) -> None:
    """Wait until the server answers, and make the trial's own account."""
    argv = ("mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "--batch")
    make = (
        f"CREATE USER '{_ACCOUNT}'@localhost;"
        f"GRANT ALL ON *.* TO '{_ACCOUNT}'@localhost WITH GRANT OPTION;"
        f"GRANT PROXY ON ''@'%' TO '{_ACCOUNT}'@localhost WITH GRANT OPTION;"
    )
    deadline = time.monotonic() + START_SECONDS
    while (done := runner.run(argv, stdin=make.encode())).exit_code:
        said = runner.run(("tail", "--bytes=2000", str(log)))
        if b"Aborting" in said.stdout or time.monotonic() > deadline:
            raise cannot_try("mariadbd", Completed(done.exit_code, b"", said.stdout or done.stderr), package=PACKAGE)
        time.sleep(0.1)


def _stop(runner: Runner, group_file: Path) -> None:
    """End the server: by request, then by force. Its number is read by, and used by, the user that it runs as."""
    group = runner.run(("cat", str(group_file))).stdout.decode("ascii", "replace").strip()
    if not group.isdecimal():
        return  # it was never started
    for signal, seconds in (("-TERM", 30.0), ("-KILL", 10.0)):
        runner.run(("kill", signal, "--", f"-{group}"))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if runner.run(("kill", "-0", "--", f"-{group}")).exit_code:
                return
            time.sleep(0.1)


def _required(runner: Runner, argv: Sequence[str]) -> Completed:
    done = runner.run(argv, timeout_seconds=600)
    if done.exit_code:
        raise cannot_try(argv[0], done, package=PACKAGE)
    return done
