"""A real mail server, Dovecot, of an ordinary account, with whatever a test puts into its mailboxes."""

from __future__ import annotations

import imaplib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from tests.accounts import NOBODY
from tests.programs import need
from tests.servers import free_port, user_name

PASSWORD = "mat-khau-thu"
DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 0
first_valid_gid = 0
auth_failure_delay = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""
NEWER = """
dovecot_config_version = 2.4.1
dovecot_storage_version = 2.4.1
default_idle_kill_interval = 1 hours
mail_driver = maildir
mail_path = {folder}/mail/%{{user}}
auth_allow_cleartext = yes
protocols {{
  imap = yes
}}
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {folder}/mail/%{{user}}
  }}
}}
"""
"""What Dovecot 2.4 reads beside the rest, and what 2.3 does, as of Debian 12."""
OLDER = """
default_idle_kill = 1 hours
mail_location = maildir:{folder}/mail/%u
disable_plaintext_auth = no
protocols = imap
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
"""
NEWER_TLS = "ssl = yes\nssl_server_cert_file = {folder}/certificate.pem\nssl_server_key_file = {folder}/key.pem\n"
OLDER_TLS = "ssl = yes\nssl_cert = <{folder}/certificate.pem\nssl_key = <{folder}/key.pem\n"


@dataclass(frozen=True)
class MailServer:
    """A running Dovecot; each user that logs in has a mailbox of his own."""

    port: int
    tls_port: int
    folder: Path

    def put(self, user: str, message: bytes, received: datetime) -> None:
        """Put a message into a mailbox as if it had come in at a moment."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=20) as client:
            client.login(user, PASSWORD)
            status, said = client.append("INBOX", "", imaplib.Time2Internaldate(received), message)
            assert status == "OK", said

    def empty(self, user: str) -> None:
        """Take every message out of a mailbox."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=20) as client:
            client.login(user, PASSWORD)
            client.select("INBOX")
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()


@contextmanager
def dovecot(*, certificate: Path | None = None, key: Path | None = None) -> Iterator[MailServer]:
    """Run Dovecot on free ports; with a certificate it speaks TLS too."""
    need("dovecot")
    with tempfile.TemporaryDirectory(prefix="dovecot-") as name:
        folder = Path(name)
        uid, gid = (NOBODY, NOBODY) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        server = MailServer(free_port(), free_port() if certificate else 0, folder)
        is_older = subprocess.run([DOVECOT, "--version"], check=True, capture_output=True).stdout.startswith(b"2.3")
        tls = "ssl = no\n"
        if certificate and key:
            shutil.copy(certificate, folder / "certificate.pem")
            shutil.copy(key, folder / "key.pem")
            tls = OLDER_TLS if is_older else NEWER_TLS
        account, group = _names(uid, gid)
        text = ((OLDER if is_older else NEWER) + tls + CONFIGURATION).format(
            folder=folder, user=account, group=group, uid=uid, gid=gid, password=PASSWORD,
            port=server.port, tls_port=server.tls_port,
        )  # fmt: skip
        (folder / "dovecot.conf").write_text(text)
        for part in ("run", "state", "mail"):
            (folder / part).mkdir()
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                os.chown(path, uid, gid)
        process = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(folder / "dovecot.conf")],
            user=uid if os.geteuid() == 0 else None,
            group=gid if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def letter(
    sender: str,
    subject: str,
    text: str,
    *,
    date: datetime | str,
    message_id: str = "",
    files: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    """Return a message as a mail program writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "banbientap@khanhhoa.example", subject
    mail["Date"] = date if isinstance(date, str) else format_datetime(date)
    if message_id:
        mail["Message-ID"] = message_id
    mail.set_content(text)
    for name, data in files:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def _names(uid: int, gid: int) -> tuple[str, str]:
    import grp
    import pwd

    return (pwd.getpwuid(uid).pw_name if uid == NOBODY else user_name()), grp.getgrgid(gid).gr_name


def _wait_for(server: MailServer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1) as connection:
            if connection.recv(4) == b"* OK":
                return
        time.sleep(0.05)
    log = server.folder / "log"
    raise AssertionError(log.read_text() if log.exists() else "dovecot does not start")
