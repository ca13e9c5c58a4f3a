"""Files that an account makes after a login can be changed by that account alone.

With a umask of 000 each new file is open to every account: whoever gets into the web server writes the administrator's next
script. Article 12.5.

The rule: every account with a shell gets a umask that keeps others from writing; 022 does, and is the default. The umask of the
login by which the host is looked at is seen itself. For others it is worked out in the order in which it is set: first
pam_umask (the personal field, its argument, /etc/login.defs) for SSH, the console, su and the user's own services; then
`umask` in the startup files of the system and of the account, with the files that these read; for SFTP, what sshd's settings
name (`internal-sftp -u`). That the group may write is
allowed where nobody else is in the account's own group, as Debian and RHEL make it. Where a command would let others write,
but is run in some cases only, stands in quotes (`PROMPT_COMMAND`, an alias) or names no plain number, the answer is unknown; so is it for a login shell
that is no shell of a package. `u=rwx,g=rx,o=` is as good as a number. In a folder
with rights by default (ACL) those count, and no umask: in no account's home, two levels deep, nor in /tmp, /var/tmp and /dev/shm
do they let others write. Where they let accounts or groups by name, or cannot be read, the answer is unknown. Programs and services
are not judged here.

Sources: pam_umask(8), login.defs(5), umask(1p), acl(5), sftp-server(8), systemd.exec(5). On Debian 13:

    mask|*|sh|/etc/profile|always|022
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.servers.accounts._pam import UnreadableStack, chain_of, each_step, has_service
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import group, login_umask, pam_stacks, passwd, umasks
from checks.servers.probes.passwd import PasswdAccount
from checks.servers.wording import listed
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import Severity

_SERVICES = ("sshd", "login", "su-l", "systemd-user")
_UNITS = {"login": "getty@tty1.service", "systemd-user": "user@0.service"}
"""Whose umask holds where PAM sets none. sshd sets 022 by itself (sshd.c)."""
_FIRST_OWN = 200
"""Below it /etc/profile of RHEL takes no account's group for its own."""
_DEFAULT, _GROUP, _OTHERS = 0o022, 0o020, 0o002


@check(
    id="acct.umask",
    clause="12.5",
    severity=Severity.MEDIUM,
    needs=(umasks.PROBE, login_umask.PROBE, pam_stacks.PROBE, passwd.PROBE, group.PROBE),
    title=msg("new files of a login can be changed by its account alone"),
    remedy=msg(
        "Take the 'umask' out of the named file or set it to 022, likewise 'UMASK' in /etc/login.defs and 'umask=' at pam_umask; "
        "take rights by default away by 'setfacl -k FOLDER'; then look for files that others may write: 'find / -xdev -type f -perm -002'."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    found, seen = facts[umasks.PROBE], facts[login_umask.PROBE]
    if seen & _OTHERS == 0:
        return failed("umask-open", msg("the login of this scan got the umask {mask}", mask=f"{seen:04o}"))
    accounts = {one.name: one for one in facts[passwd.PROBE] if one.name in found.accounts}
    wrong: list[Message] = []
    doubts: list[Message] = []
    for name, account in accounts.items():
        own = _is_own_group(account, facts)
        for mask, where, is_sure in _masks(account, facts):
            if mask is None or _is_open(mask, is_group_own=own):
                text = "?" if mask is None else f"{mask:04o}"
                sentence = msg("{account} gets {mask} by {where}", account=name, mask=text, where=where)
                (wrong if is_sure and mask is not None else doubts).append(sentence)
    for acl in found.acls:
        if acl.account not in {*accounts, "*"}:
            continue
        if acl.who == "others":
            wrong.append(msg("rights by default (ACL) of {path} count instead of the umask", path=acl.path))
        elif acl.who == "group" and (acl.account == "*" or _is_own_group(accounts[acl.account], facts)):
            continue
        elif acl.who in {"named", "group"}:
            doubts.append(msg("rights by default (ACL) of {path} name who may", path=acl.path))
        else:
            doubts.append(msg("rights by default (ACL) of {path} cannot be read", path=acl.path))
    if wrong:
        more = f" (+{len(wrong) - 1})" if len(wrong) > 1 else ""
        return failed("umask-open", msg("others may write what is made: {what}{more}", what=wrong[0], more=more))
    if doubts:
        return unknown("umask-unsure", msg("others may perhaps write what is made: {what}", what=doubts[0]))
    closed = [*found.closed, *(path for path in facts[pam_stacks.PROBE].closed if path == "/etc/login.defs")]
    if closed:
        return unknown(
            "umask-files-closed", msg("files that set a umask cannot be read: {names}", names=listed(closed))
        )
    return passed(
        nmsg(
            "the login of this scan got the umask {mask}; PAM and startup files give the {n} account with a shell none that "
            "lets others write",
            "the login of this scan got the umask {mask}; PAM and startup files give the {n} accounts with a shell none that "
            "lets others write",
            len(accounts),
            mask=f"{seen:04o}",
        )
    )


def _is_open(mask: int, *, is_group_own: bool) -> bool:
    return not mask & _OTHERS or not (mask & _GROUP or is_group_own)


def _is_own_group(account: PasswdAccount, facts: Facts) -> bool:
    """Say whether nobody else is in an account's first group."""
    users = {one.name for one in facts[passwd.PROBE] if one.gid == account.gid}
    users |= {name for one in facts[group.PROBE] if one.gid == account.gid for name in one.members}
    return users <= {account.name}


def _masks(account: PasswdAccount, facts: Facts) -> Iterator[tuple[int | None, Message | str, bool]]:
    """Yield each umask with which an account begins to work, by what, and whether that is sure."""
    found = facts[umasks.PROBE]
    yield from _pam_masks(account, facts)
    yield from ((one.mask, one.path, True) for one in found.commands if one.family == "sftp")
    family = found.accounts[account.name]
    if family == "other":
        yield None, msg("its own login shell"), False
    mine = [one for one in found.commands if one.account in {account.name, "*"} and one.family == family]
    yield from ((one.mask, one.path, False) for one in mine if one.how == "later")
    names = {one.gid: one.name for one in facts[group.PROBE]}
    is_named = account.uid >= _FIRST_OWN and names.get(account.gid) == account.name
    for whose in (account.name, "*"):
        commands = [
            one for one in found.commands if one.account == whose and one.family == family and one.how != "later"
        ]
        commands = [one for one in commands if one.how != "own" or is_named]
        last = max((at for at, one in enumerate(commands) if one.how == "always" and one.mask is not None), default=-1)
        for one in commands[max(last, 0) :]:
            yield one.mask, one.path, one.how != "if"
        if last >= 0:
            return


def _pam_masks(account: PasswdAccount, facts: Facts) -> Iterator[tuple[int | None, Message | str, bool]]:
    pam, found = facts[pam_stacks.PROBE], facts[umasks.PROBE]
    common = pam.settings.get(("login.defs", "umask"), "")
    names = {one.gid: one.name for one in facts[group.PROBE]}
    for service in _SERVICES:
        if not has_service(pam, service):
            continue
        try:
            steps = [
                one
                for one in each_step(chain_of(pam, service, "session"))
                if one.module == "pam_umask" and one.is_there
            ]
        except UnreadableStack as error:
            yield None, error.path, False
            continue
        given = [each.partition("=")[2] for step in steps for each in step.arguments if each.startswith("umask=")]
        is_octal = common.isdigit() and set(common) <= set("01234567")
        if steps and account.name in found.gecos:
            mask, where = found.gecos[account.name], "/etc/passwd"
        elif steps and given and set(given[-1]) <= set("01234567"):
            mask, where = int(given[-1], 8), f"/etc/pam.d/{service}"
        elif (steps or service == "login") and is_octal:
            mask, where = int(common, 8), "/etc/login.defs"
        elif (unit := _UNITS.get(service, "")) in found.units:
            mask, where = found.units[unit], unit
        else:
            mask, where = _DEFAULT, f"/etc/pam.d/{service}"
        arguments = [each for step in steps for each in step.arguments if each.endswith("usergroups")]
        is_off = arguments[-1:] == ["nousergroups"]
        yield mask, where, True
        if steps and not is_off and account.uid != 0 and names.get(account.gid) == account.name:
            # pam_umask does so by its own default on some systems, and by 'usergroups' on others
            yield mask & ~0o070 | (mask & 0o700) >> 3, where, arguments[-1:] == ["usergroups"]
