"""Programs on this machine: run without a shell, within a deadline and an output limit."""

from __future__ import annotations

import os
import pwd
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from portalops.ports import Completed
from portalops.system.stopping import held_back, was_asked

_CHUNK_BYTES = 1 << 16
_ENVIRONMENT = {"LC_ALL": "C", "LANGUAGE": "", "TZ": "UTC", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class LocalRunner:
    """Runs programs with a fixed, neutral environment (locale C, UTC, PATH with sbin)."""

    def __init__(
        self, environment: Mapping[str, str] = _ENVIRONMENT, *, is_over: Callable[[], bool] = lambda: False
    ) -> None:
        self._environment = dict(environment)
        self._is_over = is_over
        """Asked a few times a second: whether what is run is ended at once, as at its deadline."""

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        process: subprocess.Popen[bytes] | None = None
        try:
            with held_back():
                process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=self._environment,
                    start_new_session=True,
                )
            deadline = time.monotonic() + timeout_seconds
            return _communicate(process, stdin, deadline=deadline, limit_bytes=limit_bytes, is_over=self._is_over)
        except BaseException as error:  # an interrupt, which a session of its own does not get: it must not go on alone
            if process is None:
                if isinstance(error, OSError):
                    return Completed(127 if isinstance(error, FileNotFoundError) else 126, b"", str(error).encode())
                raise
            _kill_group(process)
            with process:  # closes its pipes and waits
                raise


class UnprivilegedRunner:
    """Runs programs as another user that may do nothing else: no groups, no new privileges, no network.

    For programs that read what need not be trusted. Only root can become somebody else; see setpriv(1), unshare(1).
    """

    def __init__(self, user: str, runner: LocalRunner | None = None) -> None:
        """Become a user for every program.

        Raises:
            KeyError: there is no such user.
        """
        entry = pwd.getpwnam(user)
        self._uid, self._gid = entry.pw_uid, entry.pw_gid
        self._runner = runner or LocalRunner()

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        return self._runner.run(
            unprivileged(argv, self._uid, self._gid),
            stdin=stdin,
            timeout_seconds=timeout_seconds,
            limit_bytes=limit_bytes,
        )


def unprivileged(argv: Sequence[str], uid: int, gid: int) -> tuple[str, ...]:
    """Return the command that runs a program as another user, without network."""
    become = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs")
    return ("unshare", "--net", "--", *become, "--", *argv)


class LocalShell:
    """The shell of this machine, through the same door as a remote one."""

    address = "local"

    def __init__(self, runner: LocalRunner | None = None) -> None:
        self._runner = runner or LocalRunner(is_over=was_asked)  # a scan asks in threads, which no interrupt reaches

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        return self._runner.run(
            ("sh", "-s", argument), stdin=script, timeout_seconds=deadline_seconds, limit_bytes=limit_bytes
        )


def _communicate(
    process: subprocess.Popen[bytes], stdin: bytes, *, deadline: float, limit_bytes: int, is_over: Callable[[], bool]
) -> Completed:
    """Feed and drain all three pipes at once; kill the whole process group at the deadline or the limit."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    outputs = {process.stdout: bytearray(), process.stderr: bytearray()}
    pending = memoryview(stdin)
    stopped = truncated = False
    with selectors.DefaultSelector() as selector:
        for pipe in outputs:
            selector.register(pipe, selectors.EVENT_READ)
        if pending:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        else:
            process.stdin.close()
        while selector.get_map() and not stopped:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or is_over():
                stopped = True
                break
            for key, _events in selector.select(min(remaining, 0.25)):
                if key.fileobj is process.stdin:
                    pending = _feed(process, pending)
                    if not pending:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                    continue
                pipe = process.stdout if key.fileobj is process.stdout else process.stderr
                chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
                if not chunk:
                    selector.unregister(pipe)
                    continue
                outputs[pipe] += chunk
                if len(outputs[pipe]) > limit_bytes:
                    del outputs[pipe][limit_bytes:]
                    stopped = truncated = True
    if stopped:
        _kill_group(process)
    exit_code = process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
    if stopped and not truncated:
        exit_code = 124
    return Completed(exit_code, bytes(outputs[process.stdout]), bytes(outputs[process.stderr]), truncated)


def _feed(process: subprocess.Popen[bytes], pending: memoryview) -> memoryview:
    assert process.stdin is not None
    try:
        return pending[os.write(process.stdin.fileno(), pending[:_CHUNK_BYTES]) :]
    except BlockingIOError:
        return pending
    except BrokenPipeError:
        return pending[:0]  # the program stopped reading: its exit code tells


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
