"""The files that say who may come in are root's, and hashes of passwords are closed to others.

Who may write /etc/passwd, a rule of sudo or of PAM is root with one line; who may read /etc/shadow guesses passwords at home,
and nobody sees it. A backup that an editor or a script left open is as good as the file. Article 12.4.

The rule: /etc/passwd, group, shadow, gshadow, their backups, subuid, sudoers, doas.conf, the rules of PAM and polkit,
login.defs, nsswitch.conf, sshd's settings, every file that those of PAM, sudo and sshd include, lists and keys that rules of PAM and sshd's
settings name (`pam_listfile file=`, `TrustedUserCAKeys`), and all folders above them belong
to root, and no other account may write them; no other account may
read shadow, gshadow, opasswd and their backups, whatever a copy in /etc or /var/backups is called (`shadow.bak`). A group counts where it has a member besides root, so `root:shadow` is as it
should be, and stops being so with the first member. A group that /etc/group does not hold counts too. The folder of polkit's
rules may belong to the account polkitd. Further rights (ACL) count for whoever they name. Of a link, that counts to which it
leads. A folder counts as well where what would be included from it is not there yet. It does not see copies elsewhere:
those are hashes to `secrets.readable`, in the folders that it searches.

Sources: ls(1), passwd(5), shadow(5), acl(5). On Debian 13:

    -rw-r----- 1 0 42 801 /etc/shadow
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.files.root_runs_own import closed_groups
from checks.servers.probe import shown
from checks.servers.probes import account_files, group, passwd
from checks.servers.probes.account_files import AccountFile
from checks.servers.wording import together
from portalops.model.message import Message, msg
from portalops.model.verdicts import Severity

_CLOSED = ("/etc/shadow", "/etc/gshadow", "/etc/.shadow", "/etc/.gshadow", "/var/backups/", "/etc/security/opasswd")
"""How the paths of files with hashes begin, whatever a copy is called."""
_RULES = "/etc/polkit-1/rules.d/"
"""Packages of Red Hat's family give it to the account of polkit itself."""


@check(
    id="files.account-files",
    clause="12.4",
    severity=Severity.CRITICAL,
    needs=(account_files.PROBE, passwd.PROBE, group.PROBE),
    title=msg("the files that say who may come in are closed to others"),
    remedy=msg(
        "Set the rights back with 'chown root FILE' and 'chmod go-w FILE', for shadow 'chmod o-rwx FILE', and 'setfacl -b FILE'; "
        "look for what was changed or read meanwhile, and have passwords changed if hashes were open."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    found, closed = facts[account_files.PROBE], closed_groups(facts)
    rules_owners = {one.uid for one in facts[passwd.PROBE] if one.name == "polkitd"}
    wrong: list[Message] = []
    for path, one in sorted(found.items()):
        wrong += [
            msg("{path}: {what}", path=shown(path, 60), what=what) for what in _faults(path, one, closed, rules_owners)
        ]
    if wrong:
        return failed("account-file-open", msg("open to others: {files}", files=together(wrong, "; ")))
    if "/etc/shadow" not in found:
        return unknown("no-shadow", msg("the host has no /etc/shadow"))
    return passed(
        msg(
            "{n} files and folders are root's, and shadow, gshadow and opasswd with their copies in /etc and /var/backups are closed to every other account",
            n=len(found),
        )
    )


def _faults(path: str, one: AccountFile, closed: frozenset[int], rules_owners: set[int]) -> Iterator[Message]:
    by_group = one.has_acl or one.gid not in closed
    group_rights, others = one.mode[3:6], one.mode[6:9]
    if one.uid != 0 and not (path == _RULES and one.uid in rules_owners):
        yield msg("it belongs to the account with the number {uid}", uid=one.uid)
    if others[1] == "w":
        yield msg("every account may write it")
    elif group_rights[1] == "w" and by_group:
        yield msg("accounts of its group or by further rights may write it")
    if path.startswith(_CLOSED) and not path.endswith("/"):
        if others[0] == "r":
            yield msg("every account may read it")
        elif group_rights[0] == "r" and by_group:
            yield msg("accounts of its group or by further rights may read it")
