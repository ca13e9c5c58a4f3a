"""New passwords are kept in a form that is slow to guess.

A stolen /etc/shadow is guessed at elsewhere: millions of tries a second where passwords are kept as MD5 or DES, few where the
form is made to be slow. Passwords that are there already are judged by acct.empty-password. Article 12.5.

The rule: every step of PAM that writes a new password (for passwd, a change asked for at a login, and programs of root such as
chpasswd) keeps it as yescrypt, gost-yescrypt, SHA-512, SHA-256 or bcrypt. It takes no fewer rounds than the form's own default:
5000 for SHA and 5 for yescrypt; 10 for bcrypt, whose default of 5 is too weak today (OWASP, Password Storage Cheat Sheet). The
last form named at pam_unix wins; where it names none, that of /etc/login.defs, and without one pam_unix falls back to DES.
Rounds that a form does not know count as its default. The rules are walked through as PAM does, so a line that is never
reached does not count. What a central directory keeps is not judged here.

Sources: pam_unix(8), login.defs(5), crypt(5). On Debian 13:

    password [success=1 default=ignore] pam_unix.so obscure yescrypt
"""

from __future__ import annotations

from checks.servers.accounts._pam import PamStep, UnreadableStack, chain_of, has_service, unknown_in, written_by
from checks.servers.accounts.new_passwords_strong import SERVICES
from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import pam_stacks
from checks.servers.probes.pam_stacks import PamSettings
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_OF_ROOT = ("chpasswd", "newusers")
_LEAST = {"yescrypt": 5, "gost_yescrypt": 5, "sha512": 5000, "sha256": 5000, "blowfish": 10}
_DEFAULTS = {**_LEAST, "blowfish": 5}
_KNOWN = {
    "yescrypt": range(3, 12),
    "gost_yescrypt": range(3, 12),
    "sha512": range(1000, 1_000_000_000),
    "sha256": range(1000, 1_000_000_000),
    "blowfish": range(4, 32),
}
"""Rounds that a form knows; pam_unix takes others for its default, except that yescrypt below 3 is 3."""
_IN_LOGIN_DEFS = {"bcrypt": "blowfish", "des": "", "md5": "md5"}


@check(
    id="acct.pam-hashing",
    clause="12.5",
    severity=Severity.HIGH,
    needs=(pam_stacks.PROBE,),
    title=msg("new passwords are kept in a form that is slow to guess"),
    remedy=msg(
        "Name 'yescrypt' as the form at pam_unix in the rules of PAM, without a cost of its own, and 'ENCRYPT_METHOD YESCRYPT' in "
        "/etc/login.defs; where the system does not know it, SHA512. Then have passwords changed."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    pam = facts[pam_stacks.PROBE]
    tried = [one for one in (*SERVICES, *_OF_ROOT) if one == "passwd" or has_service(pam, one)]
    forms: dict[str, str] = {}
    doubts = []
    for service in tried:
        try:
            chain = chain_of(pam, service, "password")
        except UnreadableStack as error:
            doubts.append(unknown("pam-file-unread", msg("cannot read {path}, which PAM needs", path=error.path)))
            continue
        surely, perhaps = written_by(chain, lambda _step: False)
        if perhaps != surely or (not perhaps and unknown_in(chain)):
            doubts.append(
                unknown(
                    "pam-module-unknown",
                    msg(
                        "it depends on {modules} how {service} keeps passwords",
                        modules=listed(unknown_in(chain)),
                        service=service,
                    ),
                )
            )
        for step in perhaps:
            form, rounds = _form(step, pam)
            forms[service] = form
            if form not in _LEAST:
                return failed(
                    "weak-form",
                    msg(
                        "{service} keeps new passwords as {form}",
                        service=service,
                        form=shown(form.upper() or "DES", 20),
                    ),
                )
            if rounds < _LEAST[form]:
                return failed(
                    "few-rounds",
                    msg(
                        "{service} keeps new passwords as {form} with a cost of {cost}, and {least} are the least",
                        service=service,
                        form=form,
                        cost=rounds,
                        least=_LEAST[form],
                    ),
                )
    method = pam.settings.get(("login.defs", "encrypt_method"), "").lower()
    if method in {"des", "md5"}:
        return failed(
            "weak-form-in-login-defs",
            msg("/etc/login.defs names {form} for programs that ask no PAM", form=method.upper()),
        )
    if "/etc/login.defs" in pam.closed:
        doubts.append(unknown("pam-file-unread", msg("cannot read {path}, which PAM needs", path="/etc/login.defs")))
    if doubts:
        return doubts[0]
    if not forms:
        return passed(
            msg(
                "PAM lets no account of this host set a password: {services} were tried",
                services=listed(tried, limit=12),
            )
        )
    return passed(
        msg(
            "new passwords are kept as {forms}: {services} were tried",
            forms=listed(sorted({*forms.values()})),
            services=listed(tried, limit=12),
        )
    )


def _form(step: PamStep, pam: PamSettings) -> tuple[str, int]:
    """Return in what form a step keeps a password, empty for DES, and with how many rounds."""
    named = [one for one in step.arguments if one in {*_LEAST, "md5", "bigcrypt"}]
    method = pam.settings.get(("login.defs", "encrypt_method"), "").lower()
    form = named[-1] if named else _IN_LOGIN_DEFS.get(method, method)
    given = [one.partition("=")[2] for one in step.arguments if one.startswith("rounds=")]
    if not given:
        key = "sha_crypt_max_rounds" if form.startswith("sha") else "yescrypt_cost_factor"
        given = [pam.settings.get(("login.defs", key), "")] if form != "blowfish" else []
    known = _KNOWN.get(form, range(0))
    rounds = int(given[-1]) if given and given[-1].isdigit() else -1
    if "yescrypt" in form and 0 <= rounds < known.start:
        rounds = known.start
    return form, rounds if rounds in known else _DEFAULTS.get(form, 0)
