"""A host over SSH that sources are read from, as another account than the tests' own where they may be another."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers import SshHost, sshd, user_name


def account() -> pwd.struct_passwd:
    """Return the account on the host: PostgreSQL's, which has a shell; where only root could be another, this one."""
    with suppress(KeyError):
        if os.geteuid() == 0:
            return pwd.getpwnam("postgres")
    return pwd.getpwnam(user_name())


@contextmanager
def other_account() -> Iterator[tuple[SshHost, Path]]:
    """Give a running host, and an empty folder that belongs to the account on it."""
    with tempfile.TemporaryDirectory(prefix="portalops-host-", dir="/tmp", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        home = Path(name) / "home"
        home.mkdir()
        if os.geteuid() == 0:
            os.chown(home, account().pw_uid, account().pw_gid)
        with sshd(Path(name) / "sshd", pam=os.geteuid() == 0) as host:
            host.let_in()
            yield host, home


def ssh_table(host: SshHost, **more: object) -> dict[str, object]:
    """Return what `ssh` holds for the host."""
    return {
        "host": "127.0.0.1",
        "port": host.port,
        "user": account().pw_name,
        "identity_file": str(host.folder / "client"),
        "host_key": host.host_key,
        **more,
    }
