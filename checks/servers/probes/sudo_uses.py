"""Who used sudo, as whom, when, and with which terminal: what sudo wrote into the journal, as sudoers(5) and journalctl(1) have it.

What was run is left out on the host itself: a command may hold secrets. Uses by one account of another, with a terminal or
without, are one line with their number and the last of them, so that a program that uses sudo all day stays one line.

sudo writes as the account that called it, and any account may write lines of the same form, but no line with another account's
number: that is the kernel's. Where name and number disagree the account of that number is taken, so that who writes false lines
names nobody but itself. A folder's name may hold what looks like a target, and a long line is cut before it: `?` stands where the
target is not plain. What sudo refused is no use.

`none` stands there where the host has no sudo now. The journal keeps users' entries in files of their own: `closed` stands there
where the account may not read one of them.

    oldest 1792000000
    use|1795317369|12|an|root|pts/0
    end
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg

_SCRIPT = r"""
command -v journalctl >/dev/null || exit 127
o=$(journalctl -q --no-pager -o short-unix _UID=0 | head -n 1) || exit $?
printf 'oldest %s\n' "${o%%.*}"
command -v sudo >/dev/null || echo none
for f in /var/log/journal/*/user-* /run/log/journal/*/user-*; do [ ! -e "$f" ] || [ -r "$f" ] || echo closed; done | head -n 1
u=$({ getent passwd | cut -d: -f1,3 | head -n 10000; echo
  journalctl -q --no-pager -a -o json --output-fields=MESSAGE,_UID -t sudo --since=-31d || echo broken; } | awk '
function value(key) { return match($0, "\"" key "\":\"[0-9]+\"") ? substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 5) : "" }
function message(  s, n, i, a) {
  if (match($0, /"MESSAGE":"/)) {
    s = substr($0, RSTART + 11); gsub(/\\\\/, "\001", s); gsub(/\\"/, "?", s); sub(/".*/, "", s)
    gsub(/\\/, "?", s); gsub(/\001/, "\\", s)
  } else if (match($0, /"MESSAGE":\[[0-9, ]*\]/)) {
    n = split(substr($0, RSTART + 11, RLENGTH - 12), a, /, */)
    for (i = 1; i <= n && i <= 4000; i++) s = s (a[i] < 32 || a[i] == 127 ? "?" : sprintf("%c", a[i] + 0))
  }
  return s
}
/^broken$/ { print; next }
!apart { if ($0 == "") { apart = 1; next } i = index($0, ":"); u = substr($0, i + 1); n = substr($0, 1, i - 1)
  own[n, u] = 1; if (!(u in by)) by[u] = n; next }
{ said = message(); i = index(said, " : "); if (!i) next
  name = substr(said, 1, i - 1); sub(/^ +/, "", name); rest = substr(said, i + 3)
  if (rest !~ /^(TTY|CHROOT|PWD|USER)=/) next
  uid = value("_UID"); if (uid + 0 && (uid in by) && !((name, uid) in own)) name = by[uid]
  tty = match(rest, /^TTY=[^ ]+/) ? substr(rest, 5, RLENGTH - 4) : "-"; if (tty == "unknown") tty = "-"
  target = "?"; if (length(rest) < 900 && split(" ; " rest, part, / ; USER=/) == 2) { target = part[2]; sub(/ ; .*/, "", target) }
  name = substr(name, 1, 64); target = substr(target, 1, 64); tty = substr(tty, 1, 32)
  gsub(/[|]/, "?", name); gsub(/[|]/, "?", target); gsub(/[|]/, "?", tty)
  key = name "|" target "|" (tty != "-")
  if (!(key in times) && (full = 1000 < ++keys)) next
  at = value("__REALTIME_TIMESTAMP"); times[key]++; last[key] = substr(at, 1, length(at) - 6); line[key] = name "|" target "|" tty }
END { for (key in times) print "use|" last[key] "|" times[key] "|" line[key]; if (full) print "full" }') || exit $?
[ -z "$u" ] || printf '%s\n' "$u" | sort
echo end
"""
_ROW_PARTS = 6


@dataclass(frozen=True, slots=True)
class Use:
    """Uses of sudo by one account of one other account, of 31 days."""

    account: str
    """Who called sudo."""
    target: str
    """As whom the command ran; `?` where that is not plain."""
    terminal: str
    """Of the last of them; empty for uses without a terminal, as programs have."""
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class SudoUses:
    """Those of the last 31 days, as far as the journal goes back."""

    oldest_at: datetime
    """Of the journal's oldest entry, UTC."""
    uses: tuple[Use, ...]
    is_installed: bool = True


def parse(output: Output) -> SudoUses:
    """Read the uses; a journal of which nothing is to be seen is closed to the account, or not kept."""
    lines = [line.rstrip() for line in output.lines()]
    if len(lines) < 2 or lines[-1] != "end" or not lines[0].startswith("oldest"):
        raise Unparseable(msg("the list of uses of sudo is cut short"))
    oldest = lines[0].removeprefix("oldest").strip()
    if not oldest.isdecimal() or len(oldest) > 11:
        raise Unparseable(
            msg("the journal is empty: the account may not read it, or the host keeps none"),
            reason="journal-closed",
        )
    is_installed = lines[1] != "none"
    uses = tuple(_use(line) for line in lines[1 if is_installed else 2 : -1])
    return SudoUses(datetime.fromtimestamp(int(oldest), UTC), uses, is_installed)


def _use(line: str) -> Use:
    if line == "closed":
        raise Unparseable(msg("the account may not read the users' journals"), reason="journal-closed")
    if line == "broken":
        raise Unparseable(msg("the list of uses of sudo is cut short"))
    if line == "full":
        raise Unparseable(msg("more than 1000 pairs of accounts used sudo"))
    parts = line.split("|")
    is_whole = len(parts) == _ROW_PARTS and parts[0] == "use" and all(parts)
    if not is_whole or not all(part.isdecimal() and len(part) <= 11 for part in parts[1:3]):
        raise Unparseable(msg("the list of uses of sudo cannot be parsed: {line}", line=shown(line, 100)))
    _word, last, count, account, target, terminal = parts
    at = datetime.fromtimestamp(int(last), UTC)
    return Use(account, target, "" if terminal == "-" else terminal, at, int(count))


PROBE = Probe("acct.sudo-uses", ("sh", "-c", _SCRIPT), parse, timeout_seconds=30, form=PIPED)
