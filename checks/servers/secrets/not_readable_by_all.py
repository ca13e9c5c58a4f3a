"""Keys and password files are not open to every account.

One hacked web page reads what every account may read. Article 12.5 asks that access information is kept safe.

The rule: below /etc, /var/www and /home no file named like a secret (*.key, .env, wp-config.php, .my.cnf, .pgpass, .netrc,
id_* but for *.pub) has a right for others. Only names and modes are read, never the content. Public keys of package
archives, and files declared under `public_keys`, do not count. What other machines or programs mount below these folders is
not searched; then the answer is unknown.

Source: find(1).

    644 www-data /var/www/portal/.env
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import readable_secrets
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

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
        if not one.path.startswith(_PUBLIC) and one.path not in facts.declared.public_keys
    ]
    if files:
        names = listed(f"{one.path} ({one.mode})" for one in files)
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
    return passed(msg("no file named like a secret is readable by every account"))
