"""Which modules of PAM ask for a second factor at SSH: /etc/pam.d/sshd, as pam.conf(5) has it.

And the Match blocks of sshd's settings that change how somebody logs in, by their criteria; `?` for a file that cannot be read.

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
  END { if (p) print "password" }' /etc/pam.d/sshd || exit $?
for f in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf; do
  [ ! -e "$f" ] || awk 'tolower($1) == "match" { m = $0; sub(/^[ \t]*[A-Za-z]+[ \t]+/, "", m); sub(/\r$/, "", m); next }
    m != "" && tolower(m) != "all" && tolower($1) ~ /^(authenticationmethods|(pubkey|password|kbdinteractive|challengeresponse|hostbased|gssapi)authentication|include)/ {
      print "match " m; m = "" }' "$f" 2>/dev/null || echo 'match ?'
done
echo end
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
    matches: tuple[str, ...] = ()
    """Criteria of Match blocks that change how somebody logs in, as sshd_config(5) has them."""


def parse(output: Output) -> Dialogue:
    """Read the modules; none is an answer."""
    lines = [line.strip() for line in output.lines()]
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the PAM settings of sshd are cut short"))
    found, matches = [], []
    for line in lines[:-1]:
        if line == "password":
            continue
        if line.startswith("match "):
            matches.append(line.removeprefix("match "))
            continue
        row = _ROW.fullmatch(line)
        if row is None:
            raise Unparseable(
                msg("the PAM settings of sshd have a line that cannot be parsed: {line}", line=shown(line, 80))
            )
        found.append(SecondFactor(row["module"], row["control"] in {"required", "requisite"} and not row["nullok"]))
    return Dialogue(tuple(found), "password" in lines, tuple(matches))


PROBE = Probe("acct.pam", ("sh", "-c", _SCRIPT), parse)
