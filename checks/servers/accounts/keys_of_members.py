"""Every SSH key that opens an account belongs to a member, and is strong.

A key in a file is access without a name: nobody sees whose it is, and it stays when its holder leaves. Article 12.5: each
holder of access is known.

The rule: the fingerprint of every key that sshd would take is declared under `members`; no key is of DSA, none of RSA
has fewer than {least_bits} bits; a file of keys belongs to its account or to root and is writable by its owner alone
(mode 644 or less). Where a server has `StrictModes no`, the same holds for the folders of such a file, up to the home.
Wildcards in `AuthorizedKeysFile` are expanded. The answer is unknown where sshd takes keys by other roads: a program, an
authority (`TrustedUserCAKeys`, or a key with `cert-authority`), a Match block, another server or other files than its settings
name, keys of hosts (`HostbasedAuthentication`). So it is where a line can't be read.

Sources: sshd(8), ssh-keygen(1); the length is that of NIST SP 800-57 for the years after 2030. OpenSSH 10.0 on Debian 13:

    file|an|600|an|1|0|/etc/ssh/keys/an
    key|an|256|SHA256:Joz0zmhsBRNQ5hPfOa1W8OO3tJlEYviRr92Dj1SpFoA|ED25519
"""

from __future__ import annotations

from checks.servers.accounts._keys import other_roads
from checks.servers.accounts._people import owner_of_key
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import authorized_keys, sshd_servers
from checks.servers.probes.authorized_keys import AuthorizedKeys
from checks.servers.probes.sshd_servers import SshDaemon
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

RSA_BITS = 3072


@check(
    id="acct.authorized-keys",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(authorized_keys.PROBE,),
    uses=(sshd_servers.PROBE,),
    title=msg("every SSH key that opens an account belongs to a member"),
    remedy=msg("Remove the key from the file, or have its holder named and declare its fingerprint under members."),
    numbers={"least_bits": RSA_BITS},
)
def judge(facts: Facts) -> CheckOutcome:
    seen, members = facts[authorized_keys.PROBE], facts.declared.members
    weak = _weak(seen)
    if weak:
        return failed("weak-key", msg("weak keys: {names}", names=listed(weak)))
    loose = [one.path for one in seen.files if one.mode & ~0o644 or one.owner not in {one.account, "root"}]
    if loose:
        return failed("loose-file", msg("authorized_keys files that others can change: {paths}", paths=listed(loose)))
    servers = facts.get(sshd_servers.PROBE)
    if seen.loose_folders and not isinstance(servers, MissingFact) and any(map(_takes_loose, servers)):
        return failed(
            "loose-folder",
            msg(
                "sshd takes keys from folders that others can change: {paths}",
                paths=listed(shown(each, 80) for each in seen.loose_folders),
            ),
        )
    strangers = sorted(
        {
            f"{one.fingerprint} ({one.account})"
            for one in seen.keys
            if members is not None and owner_of_key(one.fingerprint, members) is None
        }
    )
    if strangers:
        return failed("unknown-key", msg("keys that belong to no declared member: {names}", names=listed(strangers, 3)))
    if (why := other_roads(facts)) is not None:
        return why
    if sum(one.key_lines for one in seen.files) != len(seen.keys):
        return unknown(
            "unread-key",
            msg("authorized_keys files with lines that cannot be read as keys: {paths}", paths=listed(_unread(seen))),
        )
    if members is None:
        return unknown(
            "not-declared",
            msg(
                "the owners of keys are not declared; seen: {names}",
                names=listed(sorted({f"{one.fingerprint} ({one.account})" for one in seen.keys}), 3) or "-",
            ),
        )
    return passed(nmsg("the {n} key belongs to a member", "the {n} keys belong to members", len(seen.keys)))


def _takes_loose(server: SshDaemon) -> bool:
    """Say whether a server takes keys that others could have written; by default it refuses such a file or folder."""
    return any(effect.settings.get("strictmodes") == "no" for effect in server.effects)


def _weak(seen: AuthorizedKeys) -> list[str]:
    dsa = {f"DSA ({one.account})" for one in seen.files if one.dsa_lines}
    dsa |= {f"DSA ({one.account})" for one in seen.keys if one.kind.startswith("DSA")}
    short = {
        f"RSA {one.bits} ({one.account})" for one in seen.keys if one.kind.startswith("RSA") and one.bits < RSA_BITS
    }
    return sorted(dsa | short)


def _unread(seen: AuthorizedKeys) -> list[str]:
    """Return the files of the accounts of which not every line was read as a key."""
    return [
        one.path
        for one in seen.files
        if sum(key.account == one.account for key in seen.keys)
        != sum(file.key_lines for file in seen.files if file.account == one.account)
    ]
