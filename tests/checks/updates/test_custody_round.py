"""Duty 12.5-custody over the command line: what nobody holds makes it unmet, and registering or closing it makes it met.

The portal's table of accounts lies in a real MariaDB. The host's answer, which a person brings, is put together of what real
hosts printed (tests/samples), with days of now; its list of MariaDB's accounts is what MariaDB 11.8 printed.
"""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from tests.checks.servers.samples import SAMPLES
from tests.checks.updates.test_portal_accounts import DRUPAL
from tests.checks.updates.test_product_queries import (
    SECRET,
    Database,
    in_mariadb,  # noqa: F401  # a fixture
)

pytestmark = pytest.mark.heavy

NOW = datetime.now(UTC)
KEYS = {
    "an": "SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA",
    "binh": "SHA256:mQPffk1vciqsFn1kvfG2ClJBcfgVirYjNvAdYPKBQOU",
}
CONFIGURATION = f"""
[portal]
id = "demo"
name = {{{{ vi = "Cổng ví dụ", en = "Example portal" }}}}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "192.0.2.1"

[[updates.source]]
id = "cong"
kind = "sql"
product = "drupal"
channel = "portal"
url = "{{url}}"
password = {{{{ file = "reader" }}}}

[checks.declared]
admins = ["an"]
admin_ranges = ["198.18.0.0/15"]

[checks.declared.members.nguyen-van-an]
accounts = ["an"]
keys = ["{KEYS["an"]}"]

[checks.declared.members.tran-thi-binh]
accounts = ["binh"]
keys = ["{KEYS["binh"]}"]

[checks.declared.members.le-van-chi]
accounts = ["chi"]

[[job]]
id = "daily-check"
kind = "check"
every = "day"
duty = "12.4-testing"
"""
LOCKED = "mariadb.sys\tlocalhost\tplain\tlocked\nroot\tlocalhost\tadmin\tsocket\nmysql\tlocalhost\tadmin\tsocket\n"
CHI = "chi\tlocalhost\tadmin\tpassword\n"
"""An administrator of the database whom nobody holds."""
OF = ("--holder", "nguyen-van-an", "--deputy", "tran-thi-binh", "--place", "Két sắt phòng 204", "--mfa")


def section(sample: str, name: str) -> str:
    text = (SAMPLES / f"{sample}.txt").read_text(encoding="utf-8")
    found = re.search(
        rf"^<<<{re.escape(name)}>>>\n(.*?)^<<<{re.escape(name)} rc=0>>>\n", text, re.MULTILINE | re.DOTALL
    )
    assert found is not None, f"{sample} has no section {name}"
    return found[1]


def says(databases: str) -> dict[str, str]:
    """What the host prints, by probe."""
    today, seconds = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days, int(NOW.timestamp())
    people = "".join(f"{name}:x:{1000 + number}:1000::/home/{name}:/bin/bash\n" for number, name in enumerate(KEYS))
    login = "{at}.353986 portal sshd-session[102]: Accepted publickey for {name} from 198.18.0.1 port 36218 ssh2: ED25519 {key}\n"
    logins = "".join(login.format(at=seconds - 90_000, name=name, key=key) for name, key in KEYS.items())
    files = "".join(
        f"file|{name}|600|{name}|1|0|/home/{name}/.ssh/authorized_keys\nkey|{name}|256|{key}|ED25519\n"
        for name, key in KEYS.items()
    )
    oldest = f"oldest {seconds - 200 * 86_400}\n"
    return {
        "acct.passwd": f"root:x:0:0::/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n{people}",
        "acct.shadow": "".join(f"{name}|locked|{today - 9}|99999\n" for name in ("root", "daemon", *KEYS)),
        "acct.group": "root:0:\nadm:4:\nsudo:27:an\nan:1000:\nbinh:1001:\n",
        "acct.gshadow": "group|sudo|-\nshadow|sudo|-||an\nend\n",
        "acct.keys": f"{files}end 24\n",
        "acct.logins": f"{oldest}{logins}end\n",
        "acct.sudo-uses": f"{oldest}use|{seconds - 80_000}|2|an|root|-\nend\n",
        "acct.sudoers": section("acct.sudo-nopasswd/pass", "acct.sudoers"),
        "acct.pam": section("acct.mfa/pass", "acct.pam"),
        "ssh.config": section("acct.mfa/pass", "ssh.config"),
        "ssh.outside": section("acct.mfa/pass", "ssh.outside"),
        "ssh.servers": section("acct.mfa/pass", "ssh.servers"),
        "acct.pam-stacks": section("acct.pam-quality/pass", "acct.pam-stacks"),
        "acct.umasks": section("acct.umask/pass", "acct.umasks"),
        "acct.login-umask": section("acct.umask/pass", "acct.login-umask"),
        "acct.other-ways": section("acct.other-ways-to-root/pass", "acct.other-ways"),
        "secrets.readable": section("secrets.readable/pass", "secrets.readable"),
        "db.mysql-accounts": f"{LOCKED}{databases}end\n",
    }


class Home:
    """A configured portal, and what commands print there."""

    def __init__(self, folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        (folder / "reader").write_text(SECRET)
        (folder / "reader").chmod(0o600)
        (folder / "portalops.toml").write_text(CONFIGURATION.format(url=url), encoding="utf-8")

    def run(self, *arguments: str) -> str:
        self.capsys.readouterr()
        run(["--config", str(self.folder / "portalops.toml"), "--lang", "en", *arguments], {})
        heard = self.capsys.readouterr()
        assert "error[" not in heard.err, heard.err
        return heard.out

    def hold(self, name: str, system: str, account: str, *more: str) -> None:
        issued = (NOW - timedelta(days=3)).date().isoformat()
        opens = ("--system", system, "--account", account, "--issued", issued)
        self.run("credential", "add", name, *opens, *OF, *(more or ("--kind", "password")))

    def round(self, databases: str = "") -> tuple[str, dict[str, tuple[str, str]]]:
        """Look once more; return the duty's verdict, and by check of it what the host comes to."""
        script = self.run("host", "script", "web1")
        nonce = re.search(r"^set -- ([0-9a-f]{32})$", script, re.MULTILINE)[1]  # type: ignore[index]  # it matches, or the test fails
        seconds = int(datetime.now(UTC).timestamp())
        answer = "".join(
            f"<<<{nonce} {name}>>>\n{text}\n<<<{nonce} {name} stderr>>>\n<<<{nonce} {name} rc=0 s=0>>>\n"
            for name, text in says(databases).items()
        )
        none = "db.postgresql-roles"
        answer += f"<<<{nonce} {none}>>>\n\n<<<{nonce} {none} stderr>>>\n<<<{nonce} {none} rc=127 s=0>>>\n"
        head = f"portalops-facts 1 host=web1 nonce={nonce} at={seconds} uid=0\n"
        whole = f"{head}{answer}<<<{nonce} done>>>\nportalops-facts end at={seconds}\n"
        (self.folder / "web1.facts").write_bytes(gzip.compress(whole.encode()))
        self.run("check", "run", "--facts", str(self.folder / "web1.facts"), "--by", "Nguyễn Văn An")
        results: list[Any] = json.loads(self.run("check", "results", "--json"))["data"]
        (duty,) = json.loads(self.run("status", "12.5-custody", "--json"))["data"]
        found = {one["check"]: (one["verdict"], one["reason"]) for one in results if one["clause"] == "12.5"}
        return str(duty["verdict"]), {check: said for check, said in found.items() if said[0] != "pass"}


def portal_with(status: int) -> str:
    """The portal's tables, with an administrator more who is blocked (0) or not."""
    more = f"INSERT INTO users_field_data VALUES (5, 'vi', 'chi', '', {status}, 0, 0, 1);"
    return f"{DRUPAL}{more}INSERT INTO user__roles (entity_id, roles_target_id) VALUES (5, 'administrator');"


def test_what_nobody_holds_makes_the_duty_unmet_and_holding_or_closing_it_makes_it_met(
    in_mariadb: Database,  # noqa: F811  # a fixture
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_mariadb.run(DRUPAL, "drupal")
    home = Home(tmp_path, in_mariadb.url("drupal"), capsys)
    for name, key in KEYS.items():
        home.hold(f"web1-{name}", "host:web1", name, "--kind", "key", "--fingerprint", key)
    home.hold("cong-goc", "portal:cong@web1", "goc")
    home.hold("cong-an", "portal:cong", "an")
    met = home.round()

    of_database = [home.round(CHI)]
    home.hold("db-chi", "database:chinh@web1", "chi")
    of_database.append(home.round(CHI))
    home.run("credential", "return", "db-chi", "--received-by", "Trần Thị Bình")
    of_database += [home.round(CHI), home.round()]

    in_mariadb.run(portal_with(1), "drupal")
    of_portal = [home.round()]
    home.hold("cong-chi", "portal:cong", "chi", "--kind", "password", "--holder", "le-van-chi")
    of_portal.append(home.round())
    home.run("credential", "leave", "le-van-chi")
    of_portal.append(home.round())
    home.run("credential", "return", "cong-chi", "--received-by", "Trần Thị Bình")
    of_portal.append(home.round())
    in_mariadb.run(portal_with(0), "drupal")
    of_portal.append(home.round())

    assert met == ("met", {})
    assert of_database == [
        ("unmet", {"cred.registered": ("fail", "admin-unregistered")}),
        ("met", {}),
        ("unmet", {"cred.registered": ("fail", "returned-but-open")}),
        ("met", {}),
    ]
    assert of_portal == [
        ("unmet", {"cred.portal-accounts": ("fail", "admin-unregistered")}),
        ("met", {}),
        ("unmet", {"cred.portal-accounts": ("fail", "of-leaver"), "cred.custody": ("fail", "known-to-leaver")}),
        ("unmet", {"cred.portal-accounts": ("fail", "of-leaver")}),
        ("met", {}),
    ]
