"""A password that is short or easily guessed is refused when an account sets it.

Guessing programs try words with a digit first, and where `password1` is taken, somebody has it. Article 12.5; that servers set
rules for passwords is asked by the national standard on levels of systems (TCVN 11930:2017).

The rule: wherever an account sets its own password (passwd, and a change that a login over SSH, at the console, or by su or sudo
asks for), the rules of PAM are walked through as PAM does, with included files, jumps and modules that are not there. Two
passwords are tried so: one that is a character too short, and a dictionary word with a digit. Neither may reach pam_unix. So
pwquality, cracklib or passwdqc has to be there, to be reached, to enforce, and what it takes has to be handed on. The least
length is `password_length` ({length} where nothing is declared): NIST SP 800-63B allows no shorter one in any case, asks that
guessable words are refused, and advises against rules on kinds of characters and against changes by the calendar alone. How
old passwords of administrators are is judged by acct.password-age. Credits of pwquality count as far as they shorten what
is taken. A module that is not known may do anything: where all depends on it, the answer is unknown. Accounts of a central
directory follow its rules, not these.

Sources: pam.conf(5), pam_unix(8), pwquality.conf(5), passwdqc.conf(5), pam_cracklib(8). Debian 13 as delivered, which takes both:

    password [success=1 default=ignore] pam_unix.so obscure yescrypt
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from checks.servers.accounts._pam import (
    WRITERS,
    PamStep,
    UnreadableStack,
    chain_of,
    has_service,
    judges_in,
    unknown_in,
    written_by,
)
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.declared import default_number
from checks.servers.facts import Facts
from checks.servers.probes import pam_stacks
from checks.servers.probes.pam_stacks import PamSettings
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

SERVICES = ("passwd", "login", "sshd", "su", "su-l", "sudo", "sudo-i", "cockpit", "gdm-password", "lightdm")
"""Programs by which an account sets its own password."""
_PWQUALITY_FLOOR = 6
"""Neither pwquality nor cracklib takes a shorter one, whatever is set."""
_ONE_CLASS = 15
"""From this length on passwdqc may take passwords of one kind of characters: it has discounted the words in them."""


@check(
    id="acct.pam-quality",
    clause="12.5",
    severity=Severity.MEDIUM,
    needs=(pam_stacks.PROBE,),
    title=msg("short and easily guessed passwords are refused"),
    remedy=msg(
        "On Debian and Ubuntu install libpam-pwquality and run 'pam-auth-update'; on RHEL run 'authselect apply-changes'. Set "
        "'minlen' in /etc/security/pwquality.conf, and keep 'use_authtok' at pam_unix and at every module between."
    ),
    numbers={"length": default_number("password_length")},
)
def judge(facts: Facts) -> CheckOutcome:
    pam, least = facts[pam_stacks.PROBE], facts.declared.password_length
    tried = [service for service in SERVICES if service == "passwd" or has_service(pam, service)]
    held_root, doubts = True, []
    for service in tried:
        try:
            chain = chain_of(pam, service, "password")
        except UnreadableStack as error:
            doubts.append(unknown("pam-file-unread", msg("cannot read {path}, which PAM needs", path=error.path)))
            continue
        judges = judges_in(chain)
        word, maybe_word = written_by(chain, lambda step: _refuses_words(step, pam))
        short, maybe_short = written_by(chain, lambda step: _refuses_short(step, pam, least))
        names = listed(dict.fromkeys(step.module for step in judges))
        if word and not judges:
            return failed(
                "quality-not-asked", msg("no module of PAM judges passwords that are set by {service}", service=service)
            )
        if word:
            return failed(
                "quality-not-held",
                msg(
                    "{modules} stands in the rules of {service}, and a dictionary word is taken as a password all the same",
                    modules=names,
                    service=service,
                ),
            )
        if short:
            return failed(
                "password-short",
                msg(
                    "{service} takes a password of {n} characters, and {least} are the least",
                    n=least - 1,
                    service=service,
                    least=least,
                ),
            )
        strong, maybe_strong = written_by(chain, lambda _step: False)
        if maybe_word or maybe_short or (unknown_in(chain) and not maybe_strong):
            doubts.append(
                unknown(
                    "pam-module-unknown",
                    msg(
                        "it depends on {modules} what {service} takes",
                        modules=listed(unknown_in(chain)),
                        service=service,
                    ),
                )
            )
        held_root &= not strong or any(_holds_root(step, pam) for step in judges)
    if closed := [path for path in pam.closed if path.startswith(("/etc/security/", "/etc/passwdqc"))]:
        doubts.append(unknown("pam-file-unread", msg("cannot read {path}, which PAM needs", path=closed[0])))
    if doubts:
        return doubts[0]
    names = listed(tried, limit=len(SERVICES))
    if held_root:
        return passed(
            msg(
                "{services} refuse a password of {n} characters and a dictionary word, from root too",
                services=names,
                n=least - 1,
            )
        )
    return passed(
        msg(
            "{services} refuse a password of {n} characters and a dictionary word; root may set any password",
            services=names,
            n=least - 1,
        )
    )


def _options(step: PamStep, pam: PamSettings) -> Mapping[str, str]:
    """Return the settings of a module: its arguments win over its files."""
    own = dict((each.lower() + "=1").split("=")[:2] for each in step.arguments)
    file = {"pam_pwquality": "pwquality"}.get(step.module, "")
    if step.module == "pam_passwdqc" and "config" in own:
        file = "passwdqc"
    return {key: value for (name, key), value in pam.settings.items() if name == file} | own


def _number(options: Mapping[str, str], key: str, default: int) -> int:
    value = options.get(key, "")
    return int(value) if re.fullmatch(r"-?\d{1,6}", value) else default


def _refuses_words(step: PamStep, pam: PamSettings) -> bool:
    options = _options(step, pam)
    match step.module:
        case "pam_pwquality":
            return _number(options, "enforcing", 1) != 0 and _number(options, "dictcheck", 1) != 0
        case "pam_cracklib":
            return True
        case "pam_passwdqc":
            first = _lengths(options)[0]
            is_long = first is None or first >= _ONE_CLASS
            return is_long and options.get("enforce") != "none" and _number(options, "match", 4) != 0
    return False


def _refuses_short(step: PamStep, pam: PamSettings, least: int) -> bool:
    options = _options(step, pam)
    match step.module:
        case "pam_pwquality":
            return _number(options, "enforcing", 1) != 0 and _shortest(options, 8, 0) >= least
        case "pam_cracklib":
            return _shortest(options, 9, 1) >= least
        case "pam_passwdqc":
            taken = [one for one in _lengths(options) if one is not None]
            return options.get("enforce") != "none" and all(one >= least for one in taken)
        case module if module in WRITERS:
            return _number(options, "minlen", 6) >= least
    return False


def _shortest(options: Mapping[str, str], length: int, credit: int) -> int:
    """Return the least length that is taken: each character may earn one credit, up to the credits of its kind."""
    wanted = _number(options, "minlen", length)
    credits_ = sum(max(_number(options, f"{kind}credit", credit), 0) for kind in "dulo")
    return max(_PWQUALITY_FLOOR, wanted - credits_, -(-wanted // 2))


def _lengths(options: Mapping[str, str]) -> list[int | None]:
    """Return the five lengths of passwdqc; None for a kind of password that it never takes."""
    words = options.get("min", "").split(",")
    if len(words) != 5 or not all(word == "disabled" or word.isdigit() for word in words):  # passwdqc.conf(5)
        words = ["disabled", "24", "11", "8", "7"]
    return [None if word == "disabled" else int(word) for word in words]


def _holds_root(step: PamStep, pam: PamSettings) -> bool:
    options = _options(step, pam)
    if step.module == "pam_passwdqc":
        return options.get("enforce", "everyone") == "everyone"
    return "enforce_for_root" in options
