"""Nobody becomes root by sudo without a password.

A stolen session of such an account is root at once. Exact commands without a password are allowed: the audit account
needs them. Article 12.5.

The rule: no rule of sudo that holds on this host lets an account other than root do one of these as root without a password:
run ALL commands, with or without exceptions; run a command with wildcards or all of a folder; run one that somebody else
than root can change; set the environment; run a program that gives a shell, starts other programs, or reads or writes any
file, by a table (data/sudo_ways.toml, after GTFOBins). NOPASSWD and `Defaults !authenticate` both count. Exact arguments
make most programs of the table harmless, but not shells without a script, editors and pagers. PAM lets nobody use sudo
before a module asks for a password or a code (pam.conf(5)). Commands as another account count where that account becomes
root so. Aliases are resolved at any depth and included files followed. One password may not count until the next boot.

Source: sudoers(5), cvtsudoers(1), GTFOBins. sudo 1.9.16 prints for a NOPASSWD rule:

    "Options": [ { "authenticate": false } ], "Commands": [ { "command": "ALL" } ]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from checks.servers.accounts._sudo_ways import free_ways
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import sudoers
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

_ASKS = re.compile(r"pam_(?:unix|unix2|tcb|sss|ldap|krb5|winbind|pwdfile|oath|google_authenticator|u2f|radius)\.so")
_LETS_IN = re.compile(r"sufficient|\[.*success=(?:done|\d+)\b.*\]")
_LETS_ROOT_IN = frozenset({"pam_rootok.so", "pam_deny.so"})
_NEEDS = frozenset({"required", "requisite"})
_SILENT = re.compile(r"pam_(?:permit|env|faildelay|faillock|nologin|cap|group|keyinit|warn|echo)\.so")
"""They ask for nothing; any other module that is needed may ask for something."""


@check(
    id="acct.sudo-nopasswd",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(sudoers.PROBE,),
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
            msg("sudo asks for the password once and never again: {setting}", setting=shown(rules.kept_for_ever, 40)),
        )
    free, unclear = _let_in_before_a_password(rules.pam)
    if free:
        return failed(
            "pam-permits", msg("PAM lets anybody use sudo before it asks for a password: {module}", module=free)
        )
    if unclear:
        said = msg(
            "it is not known whom PAM lets use sudo before it asks for a password: {modules}", modules=listed(unclear)
        )
        return unknown("pam-unclear", said)
    if rules.sources:
        return unknown("rules-elsewhere", msg("sudo also takes rules from {names}", names=listed(rules.sources)))
    count = sum(
        len(one.commands) for one in rules.grants if not one.is_password_asked or one.is_password_off_by_default
    )
    return passed(
        nmsg(
            "sudo asks for a password: {n} exact command without one was tried against the table of programs",
            "sudo asks for a password: {n} exact commands without one were tried against the table of programs",
            count,
        )
    )


def _let_in_before_a_password(steps: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return the module by which everybody is let in before one asks for something, and those that may do so for some."""
    unclear: list[str] = []
    for control, module in steps:
        if _ASKS.fullmatch(module):
            return "", unclear
        if _LETS_IN.fullmatch(control) and module not in _LETS_ROOT_IN:
            if module == "pam_permit.so":
                return module, []
            unclear.append(shown(module, 40))
    if not steps:
        return "", []
    last = steps[-1][1]
    if last == "pam_deny.so":
        return "", unclear
    needed = [shown(module, 40) for control, module in steps if control in _NEEDS and not _SILENT.fullmatch(module)]
    if last == "pam_permit.so" and not needed:
        return last, []
    return "", list(dict.fromkeys([*unclear, *(needed or [shown(last, 40)])]))
