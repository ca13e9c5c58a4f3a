"""Who becomes root by doas or polkit is declared, and doas, polkit and su ask for a password.

Rules of sudo are looked at by everybody; a line in /etc/doas.conf, or a rule of polkit for `pkexec` or for units, gives the same
rights. Article 12.5 asks that each holder of access is known.

The rule: every account that doas lets run all commands as root, or one that gives a shell, writes files of root or takes settings from files of others, is declared
as an admin or as a service account, and is asked for its password. Declared as well is every account that polkit takes for an
administrator, or lets do without an administrator's password what makes it root: run programs, start or change units, install
packages. What polkit answers for each account is asked of polkit itself, for a process like the one of the scan; its rules are
read for what it lets do elsewhere, such as at the console. Members of groups count one by one, their
administrators too, and everybody where a password opens the group. A rule in JavaScript of another form than
conditions on action, account and group cannot be judged, nor can one for an action that is not known: the answer is unknown,
and names the file. The chains of PAM for doas, polkit and su, walked through as libpam does, let nobody in who knows no password;
root itself counts as nobody, and so do members of a group that has none besides root. A rule for one unit alone gives nobody root. Rules of a program that is not installed have no effect, nor
have those of a form that the installed polkit does not read. Without a declaration the answer is unknown.

Sources: doas.conf(5), polkit(8), pkaction(1), pkcheck(1), pklocalauthority(8) (polkit up to 0.105, as on Debian 11), pam.conf(5), pam_wheel(8). On Debian 13:

    code polkit.addAdminRule(function(action, subject) { return ["unix-group:sudo"]; });
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from checks.servers.accounts._pam import has_service
from checks.servers.accounts._pam_ways import deserted, past_pam
from checks.servers.accounts._polkit import EVERYBODY, UnreadableRule, gives_root, read_script
from checks.servers.accounts._sudo_ways import is_doubtful, reason_of
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import group, gshadow, other_ways, pam_stacks, passwd
from checks.servers.probes.other_ways import DoasRule, OtherWays
from checks.servers.probes.sudoers import Grant, SudoCommand, Sudoers
from checks.servers.wording import listed
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import CheckVerdict, Severity

_SYSTEM = ("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/")
_AS_ROOT = frozenset(
    {
        "org.freedesktop.policykit.exec",
        "org.freedesktop.systemd1.manage-units",
        "org.freedesktop.systemd1.manage-unit-files",
    }
)
_OWN = frozenset({"polkitd", "root"})


@check(
    id="acct.other-ways-to-root",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(other_ways.PROBE, passwd.PROBE, group.PROBE),
    uses=(pam_stacks.PROBE, gshadow.PROBE),
    title=msg("who becomes root by doas, polkit or su is declared or knows its password"),
    remedy=msg(
        "Remove the rule from /etc/doas.conf or /etc/polkit-1, take out 'nopass' and lines of /etc/pam.d that let in without a "
        "password, or declare the account under 'admins' after approval."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    ways = facts[other_ways.PROBE]
    doubts: list[Message] = []
    doas = [*_doas_ways(ways, facts, doubts)]
    polkit = [*_polkit_ways(ways, doubts)]
    found = {(name, "doas") for name, _ in doas}
    found |= {(name, "polkit") for who in polkit for name in _accounts(who.replace("unix-group:", ":", 1), facts)}
    if free := sorted({name for name, is_free in doas if is_free}):
        return failed("doas-nopass", msg("root by doas without a password: {names}", names=listed(free)))
    past = _past_pam(facts)
    if past is not None and past.verdict is CheckVerdict.FAIL:
        return past
    members = sorted((name, by) for name, by in found if name not in _OWN)
    if facts.declared.admins is None:
        return unknown(
            "not-declared",
            msg(
                "the privileged accounts are not declared; seen: {names}",
                names=listed(sorted({name for name, _ in members})) or "-",
            ),
        )
    allowed = {*facts.declared.admins, *facts.declared.service_accounts}
    if extra := [f"{name} ({by})" for name, by in members if name not in allowed]:
        return failed("undeclared-way", msg("root by another way and not declared: {names}", names=listed(extra)))
    if past is not None:
        return past
    if isinstance(keeping := facts.get(gshadow.PROBE), MissingFact):
        return missing(keeping)
    if doubts:
        return unknown("rule-not-read", doubts[0])
    return passed(
        nmsg(
            "the {n} account that becomes root by doas or polkit is declared; rules of doas read: {doas}, files of polkit: {files}; accounts that polkit was asked about: {asked}",
            "the {n} accounts that become root by doas or polkit are declared; rules of doas read: {doas}, files of polkit: {files}; accounts that polkit was asked about: {asked}",
            len({name for name, _ in members}),
            doas=len(ways.doas),
            asked=len(ways.asked),
            files=len(ways.scripts or ()) + len({rule.path for rule in ways.pkla}),
        )
    )


def _past_pam(facts: Facts) -> CheckOutcome | None:
    """Say where PAM lets somebody use su, doas or polkit who knows no password."""
    pam, ways = facts.get(pam_stacks.PROBE), facts[other_ways.PROBE]
    if isinstance(pam, MissingFact):
        return missing(pam)
    services = ["su", *(["su-l"] if has_service(pam, "su-l") else [])]
    services += ["doas"] if any(rule.is_permit and rule.identity != "root" for rule in ways.doas) else []
    services += ["polkit-1"] if ways.polkit is not None else []
    groups, accounts = facts[group.PROBE], facts[passwd.PROBE]
    return past_pam(pam, services, deserted(groups, accounts))


def _accounts(identity: str, facts: Facts, *, is_permit: bool = True) -> Iterable[str]:
    """Return the accounts of `NAME`, `:GROUP`, `unix-user:NAME` or a number; who can join a group counts where it is let do more."""
    name = identity.removeprefix("unix-user:")
    accounts = facts[passwd.PROBE]
    if name == EVERYBODY:
        return [EVERYBODY]
    if not name.startswith(":"):
        return [next((one.name for one in accounts if name in {one.name, str(one.uid)}), name)]
    found = [one for one in facts[group.PROBE] if name[1:] in {one.name, str(one.gid)}]
    numbers = {one.gid for one in found}
    keeping = facts.get(gshadow.PROBE)
    kept = [] if isinstance(keeping, MissingFact) else [keeping[one.name] for one in found if one.name in keeping]
    let_in = {EVERYBODY for one in kept if one.has_password}
    let_in |= {name for one in kept for name in (*one.administrators, *one.members)}
    members = {name for one in found for name in one.members}
    return members | (let_in if is_permit else set()) | {one.name for one in accounts if one.gid in numbers}


def _doas_ways(ways: OtherWays, facts: Facts, doubts: list[Message]) -> Iterator[tuple[str, bool]]:
    """Yield who becomes root by doas, and whether without a password; the last rule that matches counts."""
    if ways.is_doas_odd:
        doubts.append(msg("/etc/doas.conf has quotes or line ends that are not read here"))
    names = {name for rule in ways.doas for name in _accounts(rule.identity, facts)}
    for name in sorted(names - {"root"}):
        for rule in reversed(ways.doas):
            if name not in _accounts(rule.identity, facts, is_permit=rule.is_permit) or rule.target not in {
                "",
                "root",
                "0",
            }:
                continue
            if rule.is_permit and (not rule.command or _judged(rule, reason_of)):
                yield name, "nopass" in rule.options
            elif rule.is_permit and (not rule.command.startswith(_SYSTEM) or _judged(rule, is_doubtful)):
                doubts.append(msg("doas lets {name} run {command} as root", name=name, command=rule.command))
            if not rule.command:
                break


def _judged(rule: DoasRule, judge_command: Callable[[SudoCommand, Grant, Sudoers], object]) -> bool:
    text = " ".join((rule.command, rule.arguments or "")).strip()
    command = SudoCommand(text, rule.command, rule.arguments)
    is_loose = bool({"keepenv", "setenv"} & rule.options)
    grant = Grant(
        (rule.identity,), (command,), "nopass" not in rule.options, False, frozenset({"root"}), True, False, is_loose
    )
    return bool(judge_command(command, grant, Sudoers((grant,))))


def _polkit_ways(ways: OtherWays, doubts: list[Message]) -> Iterator[str]:
    if ways.polkit is None:
        return
    is_old = re.fullmatch(r"0\.(\d+)", ways.polkit)
    reads_scripts = is_old is None or int(is_old[1]) > 105
    for path, code in (ways.scripts or {}).items() if reads_scripts else ():
        try:
            granted = [*read_script(code)]
        except UnreadableRule:
            doubts.append(msg("the rules of polkit in {path} have a form that cannot be judged", path=path))
            continue
        for who, actions in granted:
            yield from _action_ways(who, actions, path, doubts)
    if not reads_scripts or ways.is_pkla_read:
        for rule in ways.pkla:
            if rule.results & {"yes", "auth_self", "auth_self_keep"}:
                for who in rule.identities:
                    yield from _action_ways(who, rule.actions, rule.path, doubts)
        yield from (one for one in ways.admins if one not in {"unix-user:0", "unix-user:root"})
    yield from (f"unix-user:{name}" for name, _ in ways.answers)
    for action, results in (ways.implicit or {}).items():
        if action in _AS_ROOT and results & {"yes", "auth_self", "auth_self_keep"}:
            yield EVERYBODY


def _action_ways(who: str, actions: Iterable[str], path: str, doubts: list[Message]) -> Iterator[str]:
    """Yield `who` where one of the actions gives root; none are those of administrators."""
    every = [gives_root(action) for action in actions]
    if not every or True in every:
        yield who
    elif None in every:
        doubts.append(msg("{path} allows actions of polkit that are not known here", path=path))
