"""No password hash and no secret of a host reaches what is kept."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.servers.catalogue import checks
from checks.servers.declared import Declared
from checks.servers.probes import passwd, shadow
from checks.servers.redaction import redacted
from checks.servers.runner import run_checks
from portalops.model.organisation import Host, HostId
from portalops.ports import Completed
from tests.checks.servers.samples import DEFAULT_AT
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

CANARY = "CANARYcanaryCANARY"
YESCRYPT = f"$y$j9T$wV2oMZ.KV3rKqv1Uu0jkm0${CANARY}01234567890123456789012345"
SHADOW = f"""root:*:20782:0:99999:7:::
an:{YESCRYPT}:20782:0:60:7:::
binh:!$6$rounds=5000$salt${CANARY}:20782:0:99999:7:::
chi::20782:0:99999:7:::
dung:abJnggxhB/yWI:20782:0:99999:7:::
em:$1$salt${CANARY}:20782:0:99999:7:::
giang:{CANARY}:20782:0:99999:7:::
hoa:${CANARY}$x:20782:0:99999:7:::
"""


class RootedShell:
    """Runs the script here, as if a folder were the host's /etc and its account were root."""

    address = "192.0.2.9"

    def __init__(self, root: Path) -> None:
        self.root = root

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        moved = (
            script.replace(
                b" /var/www /home /srv /opt /usr/local/etc /usr/local/bin /usr/local/sbin /var/backups /root", b""
            )
            .replace(b" /etc", f" {self.root}/etc".encode())
            .replace(b"$(id -u)", b"0")
        )
        done = subprocess.run(["sh", "-s", argument], input=moved, capture_output=True, timeout=120, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def host_root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # others may not enter the folders of tmp_path
        Path(folder).chmod(0o755)
        fill(Path(folder, "etc"))
        yield Path(folder)


def fill(etc: Path) -> None:
    etc.mkdir()
    (etc / "shadow").write_text(SHADOW)
    others = (
        f"{name}:x:{1010 + i}:1000::/:/bin/sh" for i, name in enumerate(("binh", "chi", "dung", "em", "giang", "hoa"))
    )
    lines = (
        "root:x:0:0:root:/root:/bin/bash",
        f"an:x:1000:1000:Nguyen Van An,{CANARY}:/home/an:/bin/bash",
        f"old:{YESCRYPT}:1001:1001::/home/old:/bin/sh",
        "older:abJnggxhB/yWI:1002:1002::/:/bin/sh",
        *others,
    )
    (etc / "passwd").write_text("".join(f"{line}\n" for line in lines))
    (etc / "group").write_text(f"root:x:0:\nsudo:{CANARY}:27:an\n")
    (etc / "portal.env").write_text(f"PASSWORD={CANARY}\n")
    (etc / ".env").write_text(f"PASSWORD={CANARY}\n")
    (etc / ".env").chmod(0o644)


def test_canary_reaches_no_evidence_and_no_message(host_root: Path) -> None:
    keeper = MemoryKeeper()
    some = tuple(check for check in checks() if check.id.startswith(("acct.", "secrets.")))

    done = run_checks(
        [Host(HostId("web1"), "192.0.2.9")],
        Declared(admins=("an",)),
        shell_for=lambda _: RootedShell(host_root),
        keeper=keeper,
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
        some=some,
    )

    kept = b"".join(keeper.blobs.values())
    for secret in (CANARY, "abJnggxhB/yWI", "$y$j9T", "Nguyen Van An"):
        assert kept and secret.encode() not in kept
        assert secret not in repr(done)
    reasons = {result.check: result.reason for result in done.results()}
    assert reasons["acct.empty-password"] == "empty-password"
    assert reasons["secrets.readable"] == "readable-by-all"


def awk(program: tuple[str, ...], path: Path) -> str:
    return subprocess.run([*program[:-1], str(path)], capture_output=True, text=True, check=True).stdout


def test_shadow_is_reduced_to_kinds_on_the_host(host_root: Path) -> None:
    printed = awk(shadow.PROBE.command, host_root / "etc/shadow")

    assert printed.splitlines() == [
        "root|locked|20782|99999",
        "an|crypt-y|20782|60",
        "binh|locked|20782|99999",
        "chi|empty|20782|99999",
        "dung|des|20782|99999",
        "em|crypt-1|20782|99999",
        "giang|other|20782|99999",
        "hoa|other|20782|99999",
    ]


def test_hash_in_passwd_is_reduced_to_a_word_on_the_host(host_root: Path) -> None:
    script = passwd.PROBE.command[2].replace("/etc/", f"{host_root}/etc/")
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout

    assert printed.splitlines()[:4] == [
        "root:x:0:0::/root:/bin/bash",
        "an:x:1000:1000::/home/an:/bin/bash",
        "old:inline:1001:1001::/home/old:/bin/sh",
        "older:inline:1002:1002::/:/bin/sh",
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"an:{YESCRYPT}:20782",
        f"W: Failed to fetch https://user:{CANARY}@mirror.example/debian",
        f"auth_pass = {CANARY}",
        f"Proxy-Password: {CANARY}",
        f'"api_key": "{CANARY}"',
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----",
        f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}",
    ],
)
def test_second_line_blots_out_what_looks_like_a_secret(text: str) -> None:
    blotted = redacted(text.encode())

    assert CANARY.encode() not in blotted
    assert len(blotted) == len(text.encode())
    assert blotted.count(b"\n") == text.count("\n")
    assert redacted(blotted) == blotted


@pytest.mark.parametrize(
    "text",
    [
        "permitemptypasswords no\npasswordauthentication yes\n",
        "Inst libsecret-1-0 [0.21.7-1] (0.21.7-2 Debian:13.8/stable [amd64])",
        "token:x:1000:1000::/home/token:/bin/sh",
        '{"nftables": [{"rule": {"expr": [{"drop": null}]}}]}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text.encode()) == text.encode()


def test_line_of_nothing_but_names_is_read_once() -> None:
    text = b"token=" * (1 << 18)

    assert redacted(text) == b"token=" + b"*" * (len(text) - 6)


def test_value_is_blotted_out_whole_whatever_stands_in_it() -> None:
    assert redacted(b"Password = token:secret=x api_key: y\n") == b"Password = ************** api_key: *\n"
