"""Who may become root by doas or by polkit: the rules of both, where their programs are there.

The rules of polkit from version 0.106 on are JavaScript: comments are left out, the rest is printed, and what it says is
judged only where it has a known form. Older versions read `.pkla` files. For each account with a shell, polkit itself is asked
too what it lets it do. doas.conf(5), polkit(8), pklocalauthority(8), pkcheck(1).

    doas permit|nopass|chi|root|/usr/bin/apt-get|update
    polkit 126
    rule /etc/polkit-1/rules.d/10-units.rules
    code polkit.addRule(function(action, subject) { if (...) { return polkit.Result.YES; } });
    asked chi
    let chi|org.freedesktop.policykit.exec
    end
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v awk >/dev/null || exit 127
if command -v doas >/dev/null && [ -f /etc/doas.conf ]; then
  if ! doas -C /etc/doas.conf >/dev/null 2>&1; then echo 'doas invalid'; else
  awk '/["\\|]/ { sub(/#.*/, ""); if (/["\\|]/) { print "doas odd"; exit } }
  { sub(/#.*/, ""); n = split($0, w, /[ \t]+/); i = 1; if (w[1] == "") i++
    if (n < i || w[i] == "") next
    act = w[i++]; opts = ""; as = ""; cmd = ""; args = "*"
    while (w[i] ~ /^(nopass|nolog|persist|keepenv|setenv)$/) {
      if (w[i] == "setenv") { while (i < n && w[i] !~ /}/) i++; opts = opts " setenv" } else opts = opts " " w[i]
      i++
    }
    who = w[i++]
    if (w[i] == "as") { as = w[i + 1]; i += 2 }
    if (w[i] == "cmd") { cmd = w[i + 1]; i += 2 }
    if (w[i] == "args") { args = ""; for (i++; i <= n; i++) args = args " " w[i]; sub(/^ /, "", args); sub(/ $/, "", args) }
    print "doas " act "|" substr(opts, 2) "|" who "|" as "|" cmd "|" args }' /etc/doas.conf || exit 1; fi
fi
P=
for p in /usr/lib/polkit-1/polkitd /usr/libexec/polkitd /usr/lib/policykit-1/polkitd; do [ ! -x "$p" ] || P=$p; done
if [ "$P" ]; then
  V=$(pkaction --version 2>/dev/null) V=${V##* }
  printf 'polkit %s\n' "${V:-?}"
  for f in /etc/polkit-1/rules.d/*.rules /run/polkit-1/rules.d/*.rules /usr/local/share/polkit-1/rules.d/*.rules /usr/share/polkit-1/rules.d/*.rules; do
    [ -f "$f" ] || continue
    printf 'rule %s\n' "$f"
    head -c 16384 -- "$f" | awk '
    { s = $0
      while (1) {
        if (inside) { if (!match(s, /\*\//)) { s = ""; break } s = substr(s, RSTART + 2); inside = 0 }
        if (!match(s, /\/\*/)) break
        t = substr(s, RSTART + 2); s = substr(s, 1, RSTART - 1)
        if (match(t, /\*\//)) s = s " " substr(t, RSTART + 2); else { inside = 1; break }
      }
      sub(/(^|[ \t;{}])\/\/.*/, "", s); gsub(/[ \t\r]+/, " ", s)
      if (s !~ /^ ?$/) print "code " s }'
  done
  [ ! -x /usr/bin/pkla-check-authorization ] && [ ! -x /usr/libexec/polkit-1/pkla-check-authorization ] || echo 'pkla read'
  for f in /etc/polkit-1/localauthority/*/*.pkla /var/lib/polkit-1/localauthority/*/*.pkla; do
    [ ! -f "$f" ] || awk -v F="$f" -F= 'function put() { if (who != "") print "pkla " F "|" who "|" act "|" any "|" off "|" on; who = act = any = off = on = "" }
      { gsub(/\|/, "?"); sub(/\r$/, ""); v = $0; sub(/^[^=]*=[ \t]*/, "", v); k = $1; gsub(/[ \t]/, "", k) }
      /^[ \t]*#/ { next } /^\[/ { put() } k == "Identity" { who = v } k == "Action" { act = v }
      k == "ResultAny" { any = v } k == "ResultInactive" { off = v } k == "ResultActive" { on = v } END { put() }' "$f"
  done
  for f in /etc/polkit-1/localauthority.conf.d/*.conf; do [ ! -f "$f" ] || sed -n 's/^AdminIdentities=/admins /p' "$f" | tail -n 1; done
  if command -v pkcheck >/dev/null; then
    S=$(awk '{ print $22 }' /proc/$$/stat)
    awk -F: '$3 != 0 && $7 !~ /\/(nologin|false|sync|halt|shutdown)$/ && $1 ~ /^[A-Za-z0-9_.-]+$/ { print $1, $3 }' /etc/passwd | head -n 40 |
      while read -r n u; do
        printf 'asked %s\n' "$n"
        for a in org.freedesktop.policykit.exec org.freedesktop.systemd1.manage-units org.freedesktop.systemd1.manage-unit-files; do
          ! pkcheck --action-id "$a" --process "$$,$S,$u" >/dev/null 2>&1 </dev/null || printf 'let %s|%s\n' "$n" "$a"
        done
      done
  fi
  X=$(command -v pkexec)
  pkaction --verbose 2>/dev/null | awk -v X="$X" 'X && /annotation: +org.freedesktop.policykit.exec.path / && r["any:"] r["inactive:"] r["active:"] ~ /yes|auth_self/ {
      print "implicit org.freedesktop.policykit.exec|" r["any:"] "|" r["inactive:"] "|" r["active:"] }
    /^[^ ].*:$/ { id = $1; sub(/:$/, "", id) } /implicit (any|inactive|active):/ { r[$2] = $3 }
    /implicit active:/ && id ~ /^org\.freedesktop\.(policykit\.exec|systemd1\.manage-unit)/ { if (r["any:"] r["inactive:"] r["active:"] ~ /yes|auth_self/) print "implicit " id "|" r["any:"] "|" r["inactive:"] "|" r["active:"] }'
fi
echo end
"""


@dataclass(frozen=True, slots=True)
class DoasRule:
    """One rule of doas, as doas.conf(5) has it."""

    is_permit: bool
    options: frozenset[str]
    identity: str
    target: str
    """Empty for every account."""
    command: str
    """Empty for all."""
    arguments: str | None
    """None where every argument is allowed."""


@dataclass(frozen=True, slots=True)
class PklaRule:
    """One section of a file of an older polkit."""

    path: str
    identities: tuple[str, ...]
    actions: tuple[str, ...]
    results: frozenset[str]


@dataclass(frozen=True, slots=True)
class OtherWays:
    """What was found; a program that is not there has no rules."""

    doas: tuple[DoasRule, ...] = ()
    is_doas_odd: bool = False
    """Its rules are quoted in a way that is not read here."""
    polkit: str | None = None
    """Its version."""
    scripts: Mapping[str, str] | None = None
    """Rules in JavaScript without comments, by path."""
    pkla: tuple[PklaRule, ...] = ()
    is_pkla_read: bool = False
    """A newer polkit reads those too."""
    admins: tuple[str, ...] = ()
    """Who counts as administrator for an older polkit."""
    asked: tuple[str, ...] = ()
    """Accounts for which polkit was asked what they may do as the process that asks."""
    answers: tuple[tuple[str, str], ...] = ()
    """Account and action that it said yes to."""
    implicit: Mapping[str, frozenset[str]] | None = None
    """Of actions that make root and need no administrator by themselves: by action, its results."""


def parse(output: Output) -> OtherWays:
    """Read all rules."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("the rules of doas and polkit are cut short"))
    doas, pkla, admins, asked = [], [], [], []
    answers: list[tuple[str, str]] = []
    scripts: dict[str, list[str]] = {}
    implicit: dict[str, frozenset[str]] = {}
    odd, read, version, script = False, False, None, None
    for line in lines[:-1]:
        head, _, rest = line.partition(" ")
        fields = rest.split("|")
        if head == "doas" and rest == "invalid":
            continue  # doas refuses everybody then
        if head == "doas" and rest == "odd":
            odd = True
        elif head == "doas" and len(fields) == 6 and fields[0] in {"permit", "deny"}:
            act, options, who, target, command, arguments = fields
            doas.append(
                DoasRule(
                    act == "permit",
                    frozenset(options.split()),
                    who,
                    target,
                    command,
                    None if arguments == "*" else arguments,
                )
            )
        elif head == "polkit":
            version = rest
        elif head == "rule":
            script = scripts.setdefault(rest, [])
        elif head == "code" and script is not None:
            script.append(rest)
        elif head == "pkla" and rest == "read":
            read = True
        elif head == "pkla" and len(fields) == 6:
            path, who, actions, *results = fields
            pkla.append(PklaRule(path, _split(who), _split(actions), frozenset(one.strip() for one in results)))
        elif head == "admins":
            admins = [*_split(rest)]
        elif head == "asked":
            asked.append(rest)
        elif head == "let" and len(fields) == 2:
            answers.append((fields[0], fields[1]))
        elif head == "implicit" and len(fields) == 4:
            implicit[fields[0]] = frozenset(fields[1:])
        else:
            raise Unparseable(
                msg("the rules of doas and polkit have a line that cannot be parsed: {line}", line=shown(line, 80))
            )
    return OtherWays(
        tuple(doas),
        odd,
        version,
        {path: "\n".join(code) for path, code in scripts.items()},
        tuple(pkla),
        read,
        tuple(admins),
        tuple(asked),
        tuple(answers),
        implicit,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(";") if one.strip())


PROBE = Probe("acct.other-ways", ("sh", "-c", _SCRIPT), parse, needs_root=True, timeout_seconds=30, form=PIPED)
