"""Each account has one person, and no key opens two accounts.

With a shared account nobody can say who did it, and a person who leaves takes the key along. Article 12.5: each holder of
access answers for it.

The rule: the keys that open an account are of one member, no account is declared as the own one of two, no two accounts
have the same user number, and no key opens two accounts. Accounts that are declared as `service_accounts` may be opened by
several members, but not by a key that opens another account too. Where no key opens any account, nothing shows who comes in.

Sources: sshd(8), passwd(5). OpenSSH 10.0 on Debian 13, one key in two accounts:

    key|an|256|SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA|ED25519
    key|binh|256|SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA|ED25519
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from checks.servers.accounts._keys import other_roads
from checks.servers.accounts._people import owner_of_key, owners_of_account
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import authorized_keys, passwd, sshd_servers
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="acct.shared",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(authorized_keys.PROBE, passwd.PROBE),
    uses=(sshd_servers.PROBE,),
    title=msg("each account has one person, and no key opens two accounts"),
    remedy=msg("Give each person an account of their own, and a key of its own for each program."),
)
def judge(facts: Facts) -> CheckOutcome:
    seen, members = facts[authorized_keys.PROBE], facts.declared.members
    by_key = _grouped((one.fingerprint, one.account) for one in seen.keys)
    twice = [", ".join(sorted(accounts)) for accounts in by_key.values() if len(accounts) > 1]
    if twice:
        return failed(
            "key-in-two-accounts", msg("accounts opened by the same key: {names}", names=listed(sorted(twice)))
        )
    by_number = _grouped((str(one.uid), one.name) for one in facts[passwd.PROBE])
    twins = [", ".join(sorted(names)) for names in by_number.values() if len(names) > 1]
    if twins:
        return failed("number-twice", msg("accounts with the same user number: {names}", names=listed(sorted(twins))))
    if members is not None:
        shared = sorted(
            {one.account for one in seen.keys if one.account not in facts.declared.service_accounts}
            & {
                account
                for account, owners in _grouped(
                    (one.account, owner_of_key(one.fingerprint, members) or "?") for one in seen.keys
                ).items()
                if len(owners) > 1
            }
            | {one.name for one in facts[passwd.PROBE] if len(owners_of_account(one.name, members)) > 1}
        )
        if shared:
            return failed(
                "shared-account", msg("accounts that belong to more than one person: {names}", names=listed(shared))
            )
    if (why := other_roads(facts)) is not None:
        return why
    if sum(one.key_lines for one in seen.files) != len(seen.keys):
        return unknown("unread-key", msg("some lines of the authorized_keys files cannot be read as keys"))
    if members is None:
        return unknown(
            "not-declared",
            msg(
                "the owners of keys and accounts are not declared; accounts opened by keys: {names}",
                names=listed(sorted({one.account for one in seen.keys})) or "-",
            ),
        )
    if not seen.keys:
        return unknown(
            "no-keys", msg("no account is opened by a key, and nothing shows how many people know a password")
        )
    return passed(
        nmsg(
            "the {n} account that a key opens belongs to one person",
            "each of the {n} accounts that keys open belongs to one person",
            len({one.account for one in seen.keys}),
        )
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return found
