"""Nobody becomes root by sudo without a password.

A stolen session of such an account is root at once. Exact commands without a password are allowed: the audit account
needs them. Article 12.5.

The rule: no rule of sudo that holds on this host lets an account other than root do one of these as root without a password:
run ALL commands, with or without exceptions; run a command with wildcards or all of a folder; run one that somebody else
than root can change; set the environment; run a program that gives a shell, starts other programs, or reads or writes any
file, by a table (data/sudo_ways.toml, after GTFOBins); run a shell, or a program that takes settings or starts others, on a
file or a folder that others may write. NOPASSWD and `Defaults !authenticate` both count. Exact arguments
make most programs of the table harmless, but not shells without a script, editors and pagers, nor what asks: `apt-get upgrade` and `dpkg -i` offer a shell
where a package brings other settings than the host has, `dpkg -l` pages, `sqlite3 FILE` waits for commands. A command of a program that is not known, with free arguments or an expression (`^...$`), is unknown; `""` behind it allows none. An exact command of a package's program is unknown too, unless it is one of a list of harmless ones (such as
`systemctl restart nginx`): with these arguments it asks nobody, pages nothing and takes nothing from where whoever calls stands. `systemctl status` and
`journalctl` without `--no-pager` are harmless from systemd 247 on, whose pager starts no shell. It does not see what a service does that is started so, nor what a script or a program's own settings have it do.
Scripts of the host's own are judged by `files.root-runs`, as far as its page says; it does not see here what they do. `python -m` takes the module from where the caller stands.
So is every command without a password where a setting is there by which it may do more: a variable that is
kept (`env_keep`) and that programs may take orders from, `runchroot`, `env_file`, no `secure_path`, or a setting that is not known. The chains of PAM for sudo
and `sudo -i`, or which `Defaults` name instead, walked through as libpam does, let nobody in who knows no password (pam.conf(5)). Commands as another account
count where that account becomes root so. Aliases are resolved at any depth and included files followed. Where a command works on what others may write, and the table does not know its program, the answer is unknown. One password may not
count until the next boot, nor for more than a day. Where sudo keeps that it was given elsewhere, or for another account (`timestampdir`, `timestampowner`), the answer is unknown.
So it is for each file that `sudoedit` opens without a password, for what reads the file is not known. Read is the file of rules that sudo itself names, for /etc/sudo.conf may name another one; where
something else than such a file decides, the answer is unknown.

Source: sudoers(5), cvtsudoers(1), GTFOBins. sudo 1.9.16 prints for a NOPASSWD rule:

    "Options": [ { "authenticate": false } ], "Commands": [ { "command": "ALL" } ]
"""

from __future__ import annotations

from collections.abc import Iterable

from checks.servers.accounts._pam import has_service
from checks.servers.accounts._pam_ways import deserted, past_pam
from checks.servers.accounts._sudo_ways import doubtful, free_commands, free_ways, unbounded, unclear
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import group, pam_stacks, passwd, sudoers
from checks.servers.probes.pam_stacks import PamRow, PamSettings
from checks.servers.probes.sudoers import SudoCommand
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="acct.sudo-nopasswd",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(sudoers.PROBE,),
    uses=(pam_stacks.PROBE, group.PROBE, passwd.PROBE),
    title=msg("nobody becomes root by sudo without a password"),
    remedy=msg("Narrow the rule to exact commands, or remove NOPASSWD; edit it by 'visudo'."),
)
def judge(facts: Facts) -> CheckOutcome:
    rules = facts[sudoers.PROBE]
    found = free_ways(rules)
    for reason in ("nopasswd-all", "nopasswd-shell", "nopasswd-pattern", "nopasswd-writable", "nopasswd-environment"):
        of_reason = [(grant, command) for each, grant, command in found if each == reason]
        if not of_reason:
            continue
        who = listed(sorted({name for grant, _ in of_reason for name in grant.who} - {"root", "#0"}))
        is_default = all(grant.is_password_off_by_default for grant, _ in of_reason)
        if is_default:
            return failed(
                "authenticate-off", msg("'Defaults !authenticate' makes root without a password: {names}", names=who)
            )
        if reason == "nopasswd-all":
            return failed(reason, msg("sudo allows every command without a password: {names}", names=who))
        commands = listed(dict.fromkeys(shown(command.text, 60) for _, command in of_reason), 3)
        return failed(reason, msg("root without a password through {commands}: {names}", commands=commands, names=who))
    if rules.kept_for_ever:
        return failed(
            "password-kept",
            msg(
                "sudo asks for the password once, and not again for more than a day: {setting}",
                setting=shown(rules.kept_for_ever, 40),
            ),
        )
    if (past := _past_pam(facts)) is not None:
        return past
    if kept := [one for one in rules.odd_settings if one.startswith("timestamp")]:
        return unknown(
            "timestamps-elsewhere",
            msg(
                "who may write where sudo keeps that a password was given is not known: {settings}",
                settings=listed(shown(one, 60) for one in kept),
            ),
        )
    if led := doubtful(rules):
        return unknown(
            "argument-writable",
            msg(
                "commands without a password are given files that others may write, and it is not known what they make of them: {commands}",
                commands=_texts(led),
            ),
        )
    if any_way := unbounded(rules):
        return unknown(
            "arguments-free",
            msg(
                "commands without a password take any arguments, and it is not known what they make of them: {commands}",
                commands=_texts(any_way),
            ),
        )
    if strange := unclear(rules):
        return unknown(
            "command-unjudged",
            msg(
                "exact commands without a password are of programs of which it is not known what they make of root: {commands}",
                commands=_texts(strange),
            ),
        )
    if rules.odd_settings and any(free_commands(rules)):
        return unknown(
            "setting-unknown",
            msg(
                "commands without a password may do more by settings of sudo: {settings}",
                settings=listed((shown(one, 60) for one in rules.odd_settings), 3),
            ),
        )
    if rules.sources:
        return unknown("rules-elsewhere", msg("sudo also takes rules from {names}", names=listed(rules.sources)))
    count = sum(
        len(one.commands) for one in rules.grants if not one.is_password_asked or one.is_password_off_by_default
    )
    return passed(
        nmsg(
            "sudo asks for a password: {n} exact command without one is of a program that is understood, or of no package: another check judges those",
            "sudo asks for a password: {n} exact commands without one are of programs that are understood, or of no package: another check judges those",
            count,
        )
    )


def _texts(commands: Iterable[SudoCommand]) -> str:
    return listed(dict.fromkeys(shown(one.text, 60) for one in commands), 3)


def _past_pam(facts: Facts) -> CheckOutcome | None:
    """Say where PAM lets somebody use sudo, or `sudo -i`, who knows no password."""
    pam, rules = facts.get(pam_stacks.PROBE), facts[sudoers.PROBE]
    if isinstance(pam, MissingFact):  # then what sudo's own file says, without conditions of modules
        rows = tuple(PamRow("auth", control, module, ()) for control, module in rules.pam)
        modules = frozenset(row.module.rpartition("/")[2] for row in rows)
        return past_pam(PamSettings({"/etc/pam.d/sudo": rows}, {}, modules), ["sudo"]) if rows else None
    groups, accounts = facts.get(group.PROBE), facts.get(passwd.PROBE)
    known: set[str] = set()
    if not isinstance(groups, MissingFact) and not isinstance(accounts, MissingFact):
        known = deserted(groups, accounts)
    services = [one for one in rules.services if has_service(pam, one) or one not in {"sudo", "sudo-i"}]
    return past_pam(pam, services, known)
