"""Who becomes root by doas or polkit is declared, PAM asks for a password, and no program of root runs what others ask for.

Rules of sudo are looked at by everybody; a line in /etc/doas.conf, or a rule of polkit for `pkexec` or for units, gives the same
rights. Article 12.5 asks that each holder of access is known.

The rule: every account that doas lets run all commands as root, or one that gives a shell, writes files of root or takes settings from files of others, is declared
as an admin or as a service account, and is asked for its password. Declared as well is every account that polkit takes for an
administrator, or lets do without an administrator's password what makes it root: run programs, start or change units, install
packages. What polkit answers for each account is asked of polkit itself, for a process like the one of the scan; its rules are
read for what it lets do elsewhere, such as at the console. Members of groups count one by one, their
administrators too, and everybody where a password opens the group. A rule in JavaScript of another form than
conditions on action, account and group cannot be judged, nor can one for an action that is not known: the answer is unknown,
and names the file. The chains of PAM for doas, polkit, su and each other service that has a file, but sshd and sudo, which other
checks judge, walked through as libpam does, let nobody in who knows no password;
root itself counts as nobody, and so do members of a group that has none besides root. A rule for one unit alone gives nobody root. A command of doas is unknown where `acct.sudo-nopasswd` would not understand it. Rules of a program that is not installed have no effect, nor
have those of a form that the installed polkit does not read. Without a declaration the answer is unknown.

No program of root gives a shell to each account that connects, on loopback or by a socket that all may write: a relay that
starts a program (`socat ... EXEC:...`), or a server of containers. Of an interpreter with a script of this host's own,
and of a program that no package's folder holds, it is not known what it does for them, nor of a socket unit whose service runs as
root. It is unknown then, until the unit is declared under `root_services`. It does not see what programs of packages do for those who connect.

Sources: doas.conf(5), polkit(8), pkaction(1), pkcheck(1), pklocalauthority(8) (polkit up to 0.105, as on Debian 11), pam.conf(5), pam_wheel(8), ss(8), systemd.socket(5). On Debian 13:

    code polkit.addAdminRule(function(action, subject) { return ["unix-group:sudo"]; });
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

from checks.servers.accounts._pam import has_service
from checks.servers.accounts._pam_ways import deserted, past_pam
from checks.servers.accounts._polkit import EVERYBODY, UnreadableRule, gives_root, read_script
from checks.servers.accounts._sudo_ways import is_doubtful, is_unclear, reason_of
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import group, gshadow, other_ways, pam_stacks, passwd
from checks.servers.probes.other_ways import DoasRule, OtherWays, RootService
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
_BY_NAME = frozenset({"include", "substack"})
_PARTS = frozenset(
    {
        "sshd",
        "sudo",
        "sudo-i",
        "doas",
        "polkit-1",
        "postlogin",
        "config-util",
        "gdm-launch-environment",
        "lightdm-greeter",
        "sddm-greeter",
    }
)
"""Files of PAM that are judged elsewhere, that have no effect by themselves, or that start the picture in which one logs in."""
_ENTRIES = frozenset({"login", "remote", "passwd", "chsh", "chfn", "runuser", "cron", "crond", "atd"})
"""Files that a program uses by itself, also where others include them."""
_PART_ENDS = ("-auth", "-autologin")
_RELAYS = ("socat", "nc", "ncat", "netcat")
_MASTERS = frozenset({"dockerd", "containerd", "lxd", "incusd", "podman"})
"""Who may ask them for a container is root."""


@check(
    id="acct.other-ways-to-root",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(other_ways.PROBE, passwd.PROBE, group.PROBE),
    uses=(pam_stacks.PROBE, gshadow.PROBE),
    title=msg("who becomes root by doas, polkit or su is declared or knows its password"),
    remedy=msg(
        "Stop the program of root, or declare its unit under 'root_services' after approval. Remove the rule from /etc/doas.conf or /etc/polkit-1, take out 'nopass' and lines of /etc/pam.d that let in without a "
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
    if shells := [one for one in ways.served if _gives_shell(one)]:
        return failed(
            "root-served",
            msg("programs of root run for all accounts what they ask for: {names}", names=_served(shells)),
        )
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
    if ways.is_asked_in_part:
        return unknown(
            "accounts-unasked", msg("polkit was asked about {n} accounts, and the host has more", n=len(ways.asked))
        )
    unclear = [one for one in ways.served if _may_run(one) and one.unit not in facts.declared.root_services]
    if unclear:
        return unknown(
            "root-serves",
            msg(
                "it is not known what programs of root do for accounts that connect to them: {names}",
                names=_served(unclear),
            ),
        )
    return passed(
        nmsg(
            "the {n} account that becomes root by doas or polkit is declared; rules of doas read: {doas}, files of polkit: {files}; accounts that polkit was asked about: {asked}; services of PAM walked through: {services}",
            "the {n} accounts that become root by doas or polkit are declared; rules of doas read: {doas}, files of polkit: {files}; accounts that polkit was asked about: {asked}; services of PAM walked through: {services}",
            len({name for name, _ in members}),
            doas=len(ways.doas),
            asked=len(ways.asked),
            services=len(_services(facts)),
            files=len(ways.scripts or ()) + len({rule.path for rule in ways.pkla}),
        )
    )


def _gives_shell(one: RootService) -> bool:
    """Say whether it surely runs what an account asks for: a relay that starts a program, a server of containers that asks nobody."""
    name = posixpath.basename(one.program)
    if name in _MASTERS:
        return one.kind == "unix" or one.address.endswith(":2375")
    return one.manner == "runs" and name.startswith(_RELAYS)


def _may_run(one: RootService) -> bool:
    if posixpath.basename(one.program) in _MASTERS:
        return one.address.endswith(":2376")  # it may ask for a certificate
    return one.manner != "delivered"


def _served(some: Iterable[RootService]) -> str:
    return listed(dict.fromkeys(f"{shown(one.address, 60)} ({shown(one.program, 40)})" for one in some), 3)


def _past_pam(facts: Facts) -> CheckOutcome | None:
    """Say where PAM lets somebody use a service who knows no password."""
    pam = facts.get(pam_stacks.PROBE)
    if isinstance(pam, MissingFact):
        return missing(pam)
    groups, accounts = facts[group.PROBE], facts[passwd.PROBE]
    return past_pam(pam, _services(facts), deserted(groups, accounts))


def _services(facts: Facts) -> list[str]:
    """Return the services of PAM that make root or let log in, those that make root first."""
    pam, ways = facts.get(pam_stacks.PROBE), facts[other_ways.PROBE]
    if isinstance(pam, MissingFact):
        return []
    services = ["su", *(["su-l"] if has_service(pam, "su-l") else [])]
    services += ["doas"] if any(rule.is_permit and rule.identity != "root" for rule in ways.doas) else []
    services += ["polkit-1"] if ways.polkit is not None else []
    parts = {
        row.module for rows in pam.files.values() for row in rows if row.control in _BY_NAME or row.kind == "@include"
    }
    others = {path.rpartition("/")[2] for path in (*pam.files, *pam.closed)} - _PARTS - (parts - _ENTRIES) - {*services}
    return services + sorted(name for name in others if not name.endswith(_PART_ENDS))


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
            elif rule.is_permit and (
                not rule.command.startswith(_SYSTEM) or _judged(rule, is_doubtful) or _judged(rule, is_unclear)
            ):
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
