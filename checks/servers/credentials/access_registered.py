"""Every account and key that opens the host or its databases is in the register, and none is of somebody who left.

A register that nobody holds against what is there tells of good intentions: the account that was forgotten in it is the one
by which somebody comes in years later. Article 12.5: every member keeps their access information safe and answers for it,
which nobody does for an account that no member holds.

The rule: every account of the host that a password or a key opens, or that is privileged, has a credential in the register
that is in use (`host:ID`); so has every account of its PostgreSQL, MariaDB or MySQL servers that somebody can come in as
(`database:NAME@ID`); every key that sshd takes is registered for the account that it opens. None of them is of a declared
member whose last day has come, none is open though its credential was returned, and what is registered is there. What only
the host's own account of that name opens, over a socket, needs none. Nobody has to have begun the register for this to be
asked: without one, where a record cannot be read, or where accounts, keys or a database server that is there could not be
seen, or sshd takes keys from elsewhere than files of accounts, the answer is unknown. A host without a database server has nothing to be seen there, unless it is declared to have the
role `database`. Whether those who hold a credential keep it as they should is cred.custody; logins are acct.login-attribution.

'portalops credential audit' tells the same of each account and key by itself.

Source: the records `credential.*` of the ledger, made by `portalops credential` (docs/credentials.md); passwd(5), shadow(5),
group(5), authorized_keys(5); the PostgreSQL manual, "pg_authid"; the MariaDB manual, "mysql.global_priv". The section that
portalops adds to the host's answer:

    {"credentials":[{"account":"an","fingerprint":"","id":"host-1-an","is_active":true,"records":[2],"system":"host%3Ahost-1"}],
    "left":[["le-van-chi","2026-11-20",5]],"state":"seen","zone":"Asia/Ho_Chi_Minh"}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, passed
from checks.servers.credential_audit import ACCESS, DATABASES, ROADS, compare
from checks.servers.credentials._remarks import outcome_of
from checks.servers.facts import Facts
from checks.servers.probes import own_registered, passwd
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="cred.registered",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(own_registered.PROBE, passwd.PROBE),
    uses=(*(each for each in ACCESS if each is not passwd.PROBE), *ROADS, *DATABASES),
    title=msg(
        "every account and key that opens the host or its databases is registered, and none belongs to "
        "somebody who left"
    ),
    remedy=msg(
        "List them with 'portalops credential audit'; close what nobody should have, and record who "
        "holds the rest ('portalops credential add')."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    own = facts[own_registered.PROBE]
    remarks = compare(own.register, facts, facts.at.astimezone(own.zone).date())
    return outcome_of(
        remarks, passed(msg("every open account and key is registered, and none belongs to somebody who left"))
    )
