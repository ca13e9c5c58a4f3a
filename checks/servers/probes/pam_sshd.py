"""Which modules of PAM ask for a second factor at SSH: /etc/pam.d/sshd, as pam.conf(5) has it.

auth required pam_google_authenticator.so nullok
end
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
[ -e /etc/pam.d/sshd ] || exit 127
awk '/^[ \t]*#/ { next }
  /^@include[ \t]+common-auth/ || ($1 == "auth" && /[ \t](password-auth|system-auth|pam_unix\.so|pam_sss\.so)/) { p = 1 }
  $1 == "auth" && /pam_(google_authenticator|u2f|oath)\.so/ {
  n = /[ \t]nullok/ ? " nullok" : ""; c = $2; if (c ~ /^\[/) c = "other"
  match($0, /pam_(google_authenticator|u2f|oath)\.so/); print "auth " c " " substr($0, RSTART, RLENGTH) n }
  END { if (p) print "password"; print "end" }' /etc/pam.d/sshd
"""
_ROW = re.compile(r"auth (?P<control>[a-z]+) (?P<module>pam_[a-z0-9_]+)\.so(?P<nullok> nullok)?")


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """One module."""

    module: str
    is_forced: bool
    """Nobody comes in without it, not even who never set it up."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What PAM asks for at SSH."""

    second: tuple[SecondFactor, ...]
    asks_password: bool
    """The account's password is asked for too."""


def parse(output: Output) -> Dialogue:
    """Read the modules; none is an answer."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the PAM settings of sshd broke off"))
    found = []
    for line in lines[:-1]:
        if line == "password":
            continue
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(msg("the PAM settings of sshd have a line of unknown form: {line}", line=shown(line, 80)))
        found.append(SecondFactor(row["module"], row["control"] in {"required", "requisite"} and not row["nullok"]))
    return Dialogue(tuple(found), "password" in lines)


PROBE = Probe("acct.pam", ("sh", "-c", _SCRIPT), parse)
