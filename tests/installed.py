"""Debian 13 hosts on which portalops is installed with its locked packages, and a mailbox that they can send to.

    from tests.installed import installed, mail_sink, portalops, write

    pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

    def test_a_run_on_a_host(hosts: Hosts) -> None:
        with installed(hosts) as host, mail_sink(hosts) as sink:  # about 2 s; the first one on a machine 90 s
            write(host, "/etc/portalops/portalops.toml", f'... host = "{sink.host}"\nport = {sink.port}\nsecurity = "none"')
            done = portalops(host, "--config", "/etc/portalops/portalops.toml", "run")  # as the user portalops
            assert done.returncode == 0, done.stderr
            host.sh("systemctl start some.timer")  # as root
            assert "Subject" in sink.wait_for(1)[0].as_string()
            host.down(); host.up()  # its plug pulled, and started again; its disk is kept

Python is the host's own, 3.13. What is installed lies in `/opt/portalops`, the program is `/usr/local/bin/portalops`. The user
`portalops` owns `/var/lib/portalops`, and may read what root put into `/etc/portalops`. The host reaches what listens on
`hosts.address`, and nothing else. It has cron, msmtp as its sendmail, libfaketime, man, zsh and fish too (`INSTALLED`).

The packages are kept in `.cache/hosts` by their lock, and this checkout's sources by their digest, both compiled, and hosts have
them as layers below what they write: another session may use them at the same time.
"""

from __future__ import annotations

import email
import email.policy
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.hosts import CACHE, Extras, Host, Hosts
from tests.servers import free_port

ROOT = Path(__file__).parents[1]
INSTALLED = Extras(
    "installed",
    (
        *("python3", "python3-venv", "openssh-client", "ca-certificates", "zstd", "age", "rsync"),
        *("cron", "msmtp-mta", "bsd-mailx", "faketime", "man-db", "bash-completion", "zsh", "fish"),
    ),
)
PARTS = ("portalops", "commands", "checks", "backups")
"""The folders of this checkout that are installed."""
PROGRAM = "#!/usr/bin/python3 -P\nfrom commands.app import main\n\nmain()\n"
SEARCHED = "/opt/portalops/lib\n/opt/portalops/packages\n"
"""Where Python looks beside its own places (the module site)."""
USER = """
useradd --system --home-dir /var/lib/portalops --shell /bin/sh portalops
install -d -o portalops -g portalops -m 750 /var/lib/portalops
install -d -g portalops -m 750 /etc/portalops
"""
LAYER_SECONDS = 86_400
"""How long a layer is kept that no session asked for."""


@contextmanager
def installed(hosts: Hosts, *, name: str = "portal") -> Iterator[Host]:
    """Give a running host with portalops, which is gone after the block."""
    with hosts.started(13, name=name, more=INSTALLED, layers=layers(hosts)) as host:
        host.sh(USER)
        yield host


def layers(hosts: Hosts) -> tuple[Path, Path]:
    """Return the folders that make a host one with portalops: its sources, and the packages that it needs."""
    root = hosts.root(13, INSTALLED)
    python = python_of(root)
    lock = (ROOT / "requirements/run.txt").read_text()
    sources = {str(path.relative_to(ROOT)): path for part in PARTS for path in sorted(_sources(ROOT / part))}
    digest = hashlib.sha256(f"{PROGRAM}{SEARCHED}{python}".encode())
    for where, path in sources.items():
        digest.update(f"{where} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    packages = hashlib.sha256(f"{python}{lock}".encode()).hexdigest()
    return (
        _layer("portalops", digest.hexdigest(), root, lambda layer: _put_portalops(layer, sources, python)),
        _layer("packages", packages, root, lambda layer: put_packages(layer / "opt/portalops/packages", lock, python)),
    )


def put_packages(folder: Path, lock: str, python: str) -> None:
    """Put what a lock file names into a folder, for a Python of another version than this one.

    Args:
        folder: made if it is not there.
        lock: its text, each requirement with its digests.
        python: the version that they are for, as 3.13.
    """
    asked = folder.with_name(f"{folder.name}.txt")
    folder.parent.mkdir(parents=True, exist_ok=True)
    asked.write_text(lock)
    command = (
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--target", str(folder), "--no-deps"),
        *("--python-version", python, "--only-binary=:all:", "--require-hashes", "-r", str(asked)),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    asked.unlink()
    assert done.returncode == 0, f"pip ended with {done.returncode}: {done.stderr[-3000:]}"


def python_of(root: Path) -> str:
    """Return the version of a root's own Python, as 3.13."""
    return (root / "usr/bin/python3").readlink().name.removeprefix("python")


def portalops(
    host: Host, *arguments: str, user: str = "portalops", stdin: bytes = b"", seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run portalops on a host, in that user's home, and return what came of it, whatever its exit code."""
    line = f'cd ~{user} && exec runuser -u {user} -- "$@"'
    inside = ("nsenter", "--all", f"--target={host.first}", "sh", "-c", line, "sh", "/usr/local/bin/portalops")
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "COLUMNS": "160"}
    done = subprocess.run(
        [*inside, *arguments], input=stdin, capture_output=True, env=environment, timeout=seconds, check=False
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


def write(host: Host, there: str, content: str, *, owner: str = "root:portalops", mode: int = 0o640) -> None:
    """Write a file on a host; folders that are not there are made, as root's."""
    place, folder = shlex.quote(there), shlex.quote(str(Path(there).parent))
    host.sh(
        f"mkdir -p {folder} && cat >{place} && chown {owner} {place} && chmod {mode:o} {place}", stdin=content.encode()
    )


class MailSink:
    """A mail server that takes every mail, and keeps it."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        """Where hosts of the session reach it."""
        self.port = port
        self.mails: list[EmailMessage] = []
        """What came, oldest first."""
        self.recipients: list[tuple[str, ...]] = []
        """To whom each was sent, by its envelope."""
        self._controller: Any = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.recipients.append(tuple(envelope.rcpt_tos))
        self.mails.append(mail)
        return "250 2.0.0 Ok: queued as 4C0FFEE"

    def start(self) -> None:
        """Listen; again, if it was stopped."""
        from aiosmtpd.controller import Controller

        self._controller = Controller(self, hostname=self.host, port=self.port, ready_timeout=60, ident="sink")
        self._controller.start()

    def stop(self) -> None:
        """Listen no more: whoever connects is refused."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def wait_for(self, number: int, *, seconds: float = 240) -> list[EmailMessage]:
        """Wait until so many mails came in all, and return them.

        Raises:
            AssertionError: fewer came in that time.
        """
        until = time.monotonic() + seconds
        while len(self.mails) < number:
            told = [str(mail["Subject"]) for mail in self.mails]
            assert time.monotonic() < until, f"{len(told)} mails instead of {number} within {seconds:.0f} s: {told}"
            time.sleep(0.1)
        return list(self.mails)


@contextmanager
def mail_sink(hosts: Hosts) -> Iterator[MailSink]:
    """Run a mail server that the hosts of this session reach, in the clear: `security = "none"`."""
    sink = MailSink(hosts.address, free_port())
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


def _layer(name: str, digest: str, root: Path, put: Any) -> Path:
    """Return the layer of a name and a digest; make it, with its Python compiled, if it is not there."""
    layer = CACHE / f"layer-{name}-{digest[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"layer-{name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker makes it, the others wait
        if not layer.exists():
            for old in CACHE.glob(f"layer-{name}-*"):
                if time.time() - old.stat().st_mtime > LAYER_SECONDS or old.suffix == ".making":
                    shutil.rmtree(old)
            making = layer.with_suffix(".making")
            making.mkdir(mode=0o755)
            put(making)
            _compile(making, root)
            making.rename(layer)
        os.utime(layer)
    return layer


def _put_portalops(layer: Path, sources: dict[str, Path], python: str) -> None:
    for where, source in sources.items():
        path = layer / "opt/portalops/lib" / where
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    program = layer / "opt/portalops/bin/portalops"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    searched = layer / f"usr/local/lib/python{python}/dist-packages/portalops.pth"
    searched.parent.mkdir(parents=True)
    searched.write_text(SEARCHED)
    link = layer / "usr/local/bin/portalops"
    link.parent.mkdir(parents=True)
    link.symlink_to("/opt/portalops/bin/portalops")


def _compile(layer: Path, root: Path) -> None:
    """Compile what is in a layer with the Python of the root that it lies over."""
    inside = 'mount --bind "$1" "$2/mnt" && exec chroot "$2" python3 -m compileall -q -j 2 -s /mnt -p / /mnt/opt'
    command = ("unshare", "--mount", "sh", "-c", inside, "sh", str(layer), str(root))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"compileall ended with {done.returncode}: {(done.stdout + done.stderr)[-3000:]}"


def _sources(folder: Path) -> Sequence[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not {"__pycache__", "samples"} & set(path.parts)
    ]
