"""Keys and password files are not open to every account.

One hacked web page reads what every account may read. Article 12.5 asks that access information is kept safe.

The rule: below /etc, /var/www, /home, /srv, /opt, /usr/local/etc, /usr/local/bin, /usr/local/sbin, /var/backups and /root no file that holds a secret can be
read by every account. Content decides, not the name: private keys and key stores, also without armour; settings with a password or a token
(`DB_PASSWORD=...`), addresses with a password, hashes of passwords anywhere in a line, tokens that tell themselves by how they begin (`ghp_...`, `AGE-SECRET-KEY-1...`), and what stands after a
`mật khẩu:` and looks like a password. So are passwords anywhere in a line: a value of JSON, XML
or an array, a connection string, what a command or a statement is given (`mysqldump -p...`, `IDENTIFIED BY '...'`,
`new mysqli(host, user, '...')`). So are a private key in base64, a JWT, an `otpauth:` address and the column `password` of a CSV. Behind each word
that announces a secret, so is what nobody would choose as a name: 20 signs or more with many changes between capitals, letters and
digits. So is what `systemctl show` tells every account of
a service's `Environment=`, whoever may read the unit's file (`systemctl:portal.service`). So is a file of one to three words that a setting names as that of a secret (`auth-user-pass /etc/openvpn/auth`), and so is the key file of a disk that /etc/crypttab names. A file counts if others may read it and may
enter each folder above it. References (`${DB_PASSWORD}`), names of variables in code, empty values and examples are no
secrets; nor is what a package ships as it is here, nor a file declared under `public_keys`. Looked into are files up to 128 KiB,
text in UTF-16 too; of what is in them only the kind is told. It does not see what is in other folders, archives and databases, hashes in
code and manuals, base64 of other things, words that somebody chose in a line of prose, or what running programs are given as arguments. What other machines or programs mount below these folders
is not searched; then the answer is unknown.

Sources: find(1), grep(1), awk(1).

    password 644 www-data /var/www/portal/.env
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import readable_secrets
from checks.servers.probes.readable_secrets import OpenFile
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

_NAMED_ALONE = "name"
"""The kind in answers of before: by their names, public keys were among them."""
_PUBLIC = ("/etc/apt/keyrings/", "/etc/apt/trusted.gpg.d/", "/etc/pki/rpm-gpg/")


@check(
    id="secrets.readable",
    clause="12.5",
    severity=Severity.CRITICAL,
    needs=(readable_secrets.PROBE,),
    title=msg("keys and password files are not readable by every account"),
    remedy=msg("Remove the permission with 'chmod o-rwx FILE', and change the secret: others may have read it."),
)
def judge(facts: Facts) -> CheckOutcome:
    files = [
        one
        for one in facts[readable_secrets.PROBE].files
        if not (one.kind == _NAMED_ALONE and one.path.startswith(_PUBLIC))
        and one.path not in facts.declared.public_keys
    ]
    if files:
        names = listed(f"{one.path} ({', '.join(_marks(one))})" for one in files)
        return failed(
            "readable-by-all",
            nmsg(
                "{n} file is readable by every account: {names}",
                "{n} files are readable by every account: {names}",
                len(files),
                names=names,
            ),
        )
    unseen = facts[readable_secrets.PROBE].unseen
    if unseen:
        return unknown("not-searched", msg("mounted from elsewhere and not searched: {paths}", paths=listed(unseen)))
    return passed(
        msg(
            "no key, password, token or hash of a known form is in the searched files up to 128 KiB that every account can read"
        )
    )


def _marks(one: OpenFile) -> Iterator[str]:
    """Yield what is said of a file: its kind, and its mode; what systemd shows has none."""
    if one.kind != _NAMED_ALONE:
        yield one.kind
    if not one.path.startswith("systemctl:"):
        yield one.mode
