"""No account has an empty password or one kept in a form that is guessed in minutes.

Article 12.5: each member keeps the access given to them safe; an empty password keeps nothing.

The rule: no account's password is empty, in /etc/shadow or in /etc/passwd, none stands in /etc/passwd itself, and none
is kept as DES, MD5, SHA-1 or NT. The hash never leaves the host: a one-line program there prints its kind.

Sources: shadow(5), crypt(5). On Debian 13:

    root|locked|20782|99999
    an|crypt-y|20700|60
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import passwd, shadow
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="acct.empty-password",
    clause="12.5",
    severity=Severity.CRITICAL,
    needs=(passwd.PROBE, shadow.PROBE),
    title=msg("no account has an empty or weakly kept password"),
    remedy=msg("Lock the account by 'passwd -l NAME', then have its holder set a new password."),
)
def judge(facts: Facts) -> CheckOutcome:
    accounts, secrets = facts[passwd.PROBE], facts[shadow.PROBE]
    empty = {secret.name for secret in secrets if secret.kind == "empty"}
    empty |= {account.name for account in accounts if account.password == "empty"}
    if empty:
        return failed("empty-password", msg("accounts with an empty password: {names}", names=listed(sorted(empty))))
    open_hash = sorted(account.name for account in accounts if account.password == "inline")
    if open_hash:
        return failed(
            "hash-in-passwd", msg("the password hash is in /etc/passwd itself: {names}", names=listed(open_hash))
        )
    weak = sorted(secret.name for secret in secrets if secret.kind in shadow.WEAK)
    if weak:
        return failed("weak-hash", msg("the password is kept in a weak form: {names}", names=listed(weak)))
    strange = sorted(secret.name for secret in secrets if secret.kind == "other")
    if strange:
        return unknown(
            "unknown-hash", msg("the password is kept in a form that cannot be parsed: {names}", names=listed(strange))
        )
    known = {secret.name for secret in secrets}
    without = sorted(account.name for account in accounts if account.password == "x" and account.name not in known)
    if without:
        return unknown("no-shadow-line", msg("accounts without a line in /etc/shadow: {names}", names=listed(without)))
    return passed(msg("no password is empty or kept in a weak form"))
