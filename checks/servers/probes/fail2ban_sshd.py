"""What fail2ban's jail for SSH reads, whom it bans when, and by what. Needs root. Source: fail2ban-client(1), jail.conf(5).

The version of OpenSSH is asked too: since 9.8 the lines of logins come from `sshd-session` and not from `sshd`. Most is asked in
one session (`-i`), since each start of the client costs a start of Python; before each answer stands `fail2ban> `.

    Status for the jail: sshd
    |- Filter
    |  `- Journal matches:	_SYSTEMD_UNIT=ssh.service + _COMM=sshd
    bantime 600
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

MOST_JAILS = 30
MOST_ACTIONS = 40
"""Of so many, each action is asked five things (`head -n 200`)."""
BANS = r"""
E=/etc/fail2ban
# settings of these jails that are not known to leave their sight and their bans alone
for f in $E/jail.conf $E/jail.d/*.conf $E/jail.local $E/jail.d/*.local; do [ -r "$f" ] && cat "$f" && echo; done |
  J=$(echo $L) awk 'BEGIN { n = split(ENVIRON["J"], a, " "); for (k = 1; k <= n; k++) on[a[k]] = 1 }
    /^\[/ { s = $0; sub(/^\[[ \t]*/, "", s); sub(/[ \t]*\].*/, "", s); next }
    !/^[A-Za-z0-9_.\/-]+[ \t]*[=:]/ || !(s == "DEFAULT" || s in on) { next }
    { k = v = $0; sub(/[ \t]*[=:].*/, "", k); sub(/^[^=:]*[=:][ \t]*/, "", v); sub(/[ \t]+[#;].*/, "", v) }
    k ~ /^(enabled|(tcp|udp)?port|protocol|chain|filter|logpath|backend|(ban|find)time|max(retry|matches)|ignore(ip|self|command|cache)|usedns|mode|banaction(_allports)?|action(_[a-z_]*)?|(blocktype|returntype)|dest(email)?|sender(name)?|mta|fail2ban_agent|knocking_url|journalmatch|skip_if_nologs|before|after|bantime\.(increment|rndtime|overalljails)|[a-z0-9_-]+_(log|backend|apikey|token|user|key)|dest|name)$/ { next }
    k == "logencoding" && tolower(v) ~ /^(auto|utf-8|ascii|us-ascii)$/ { next }
    k == "bantime.factor" && v ~ /^[1-9][0-9.]*$/ { next }
    k == "bantime.multipliers" && v ~ /^[1-9]/ && v !~ /(^| )0/ { next }
    k == "bantime.maxtime" && v ~ /^([1-9][0-9]*(h|d|w|mo|m|y|hours?|days?|weeks?|months?|years?)|[1-9][0-9][0-9][0-9]+s?|)$/ && v !~ /^[1-9]m$/ { next }
    k == "bantime.formula" && v ~ /^ban\.Time \* / { next }
    v == "" && k !~ /time/ { next }
    { print "setting " s " " k }' | sort -u
sed -n '/^datepattern[ \t]*[=:]/{/[=:][ \t]*{^LN-BEG}[ \t]*$/d;s/.*/setting sshd datepattern/p;}' $E/filter.d/sshd.conf $E/filter.d/sshd.local $E/filter.d/common.local 2>/dev/null | sort -u
grep -qsE '(^|[ ="])TZ=' /etc/systemd/system/fail2ban.service /etc/systemd/system/fail2ban.service.d/*.conf /etc/default/fail2ban && echo 'setting DEFAULT TZ'
# what else tells the server to do something
grep -rHIsE 'fail2ban-client|fail2ban\.sock|stop.*fail2ban' /etc/systemd/system /etc/crontab /etc/cron.* /var/spool/cron /etc/rc.local /usr/local/sbin /usr/local/bin |
  sed -nE '/^[^:]*:[ \t]*[#;]/d; /^[^:]*\/fail2ban\.service[^:]*:Exec(Stop|Reload)=/d; s/fail2ban-client[" ]+(-[a-zA-Z]+ +)*(status|ping|version|flushlogs|get|banned|start|--?[vV][a-z]*)([^a-z]|$)//g; /^[^:]*:.*(fail2ban-client|fail2ban\.sock|stop.*fail2ban)/s/:.*//p' |
  tr -c '\n!-~' '?' | sed 's/^/order /' | sort -u | head -n 20
echo '== jail'
J=$(for N in $L; do
  printf "get $N %s\n" bantime maxretry findtime ignoreip ignorecommand actions
done | fail2ban-client -i 2>/dev/null)
printf '%s\n' "$J" | sed -nE '/^[|`]- /{p;d;}; /^fail2ban. ?(These IP|No IP|The jail|No actions|-?[0-9]*$)/{p;d;}
  s/^(fail2ban. ).*/\1-/p;t
  /^[A-Za-z0-9_, -]+$/p'
echo '== actions'
S='^(fail2ban. )?(.*[^A-Za-z_-])?(nft|ip6?tables|ipset|firewall-cmd|ufw|route|shorewall|hosts\.deny)([^A-Za-z_-].*)?$'
printf '%s\n' "$J" | sed -n '/ has the following actions:/{s/.*The jail \(.*\) has the following.*/\1/;h;n;G;s/\(.*\)\n\(.*\)/\2, \1/p;}' |
while IFS= read -r R; do
  N=${R%%, *}
  printf '%s\n' "${R#*, }" | sed 's/, /\n/g' | while IFS= read -r A; do
    for P in actname blocktype port actionban actionstart; do echo "get $N action $A $P"; done
  done
done | head -n 200 | fail2ban-client -i 2>/dev/null | sed -nE "/dport/{s@$S@\1\3 dport@p;t
  }
  s@$S@\1\3@p;t
  s@^(fail2ban. [A-Za-z0-9_:,. -]{0,60})\$@\1@p;t
  s@^(fail2ban. ).*@\1-@p"
echo '== end'
"""
"""Shell that shows of each jail in `$L` whom it bans by what, and of its actions' commands no more than the program that blocks."""
_SCRIPT = (
    r"""
command -v fail2ban-client >/dev/null || exit 127
fail2ban-client status sshd || exit $?
L=sshd
"""
    + BANS
    + r"""
sshd -T 2>/dev/null | sed -n 's/^port /sshport /p'
V=$(ssh -V 2>&1)
echo "$V"
case "$V" in OpenSSH_9.[89]* | OpenSSH_[1-9][0-9]*) D=sshd-session ;; *) D=sshd ;; esac
command -v fail2ban-regex >/dev/null &&
  fail2ban-regex "$(date '+%b %e %H:%M:%S') host $D[1]: Failed password for root from 192.0.2.1 port 4444 ssh2" sshd 2>/dev/null |
  sed -n 's/^Lines: /filter /p'
for f in $E/jail.conf $E/jail.d/*.conf $E/jail.local $E/jail.d/*.local; do [ -r "$f" ] && cat "$f" && echo; done |
  awk '/^\[/ { s = $0; sub(/\].*/, "]", s) }
    /^filter[ \t]*=/ { v = $0; sub(/^filter[ \t]*=[ \t]*/, "", v); f[s] = v }
    END { v = ("[sshd]" in f) ? f["[sshd]"] : f["[DEFAULT]"]
      if (v != "" && v !~ /^(sshd|%\(__name__\)s)([^A-Za-z0-9_.-]|$)/) print "filter other" }'
for f in /var/log/auth.log /var/log/secure; do [ -e "$f" ] && stat -c 'log %Y %n' "$f"; done
echo end
"""
)
_MATCHES = re.compile(r"Journal matches:\s*(.+)$")
_FILES = re.compile(r"File list:\s*(.*)$")
_VERSION = re.compile(r"OpenSSH_(\d+)\.(\d+)")
_LOG = re.compile(r"log (\d{9,11}) (/\S+)$")
_PROMPT = "fail2ban> "
_SECTION = re.compile(r"^== (jail|actions)\n(.*?)(?=^== )", re.MULTILINE | re.DOTALL)
_ASKED = 6
"""Answers about the jail, and so many about each action but one."""
_UNSAID = "-"
_ODD = re.compile(r"setting (\S{1,60}) (\S{1,60})|order (\S{1,200})")
_TRIED = re.compile(r"filter 1 lines, (\d+) ignored, (\d+) matched")
_NOTICES = re.compile(r"dummy|noop|(?:send)?mail.*|abuseipdb|badips|blocklist_de|complain|mynetwatchman|xarf.*")
"""Actions of fail2ban's own that tell somebody, and block nobody (action.d)."""
_BLOCKS = re.compile(
    r"\b(?:nft|iptables|ip6tables|ipset|firewall-cmd|firewall-offline-cmd|ufw|route|shorewall|hosts\.deny)\b"
)
"""What fail2ban's own actions block with (action.d)."""
_LETS_IN = re.compile(r"accept|return|continue", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BanAction:
    """What the jail does with an address."""

    name: str
    ports: tuple[str, ...]
    """Names, numbers and `FIRST:LAST` of the ports that it blocks; none for all."""
    does_nothing: bool
    """It tells somebody, its command is empty, or the rule that it makes lets everything in."""
    blocks: bool
    """Its command is that of a packet filter, a route or hosts.deny; what another one does is not known here."""


@dataclass(frozen=True, slots=True)
class BanRule:
    """Who is banned, and by what."""

    tries: int
    window_seconds: int
    ignored: tuple[str, ...]
    """Addresses, networks and names that are never banned."""
    ignore_command: str
    """A program that says so; empty for none."""
    actions: tuple[BanAction, ...]
    ssh_ports: tuple[int, ...]
    """Where sshd listens by its own file; none where that is not known."""


@dataclass(frozen=True, slots=True)
class SshJail:
    """The jail `sshd`."""

    exists: bool
    journal: tuple[frozenset[str], ...]
    """What it matches in the journal: any of these, each of which must hold as a whole; empty if it reads files."""
    files: tuple[str, ...]
    bans_seconds: int
    """Below zero: for ever."""
    openssh: tuple[int, int]
    written_at: dict[str, datetime]
    """By file: when the logs of logins were last written to, of those that are there."""
    rule: BanRule | None = None
    """None in answers of versions before it was asked."""
    sees_attacks: bool | None = None
    """The filter `sshd` finds a failed login in its line; None where that could not be tried."""
    has_other_filter: bool = False
    """Its settings name another filter, which is not tried."""
    odd: tuple[str, ...] = ()
    """What `odd_of` tells."""


def parse(output: Output) -> SshJail:
    """Read the filter, the time and the version."""
    lines = output.lines()
    if output.exit_code == 255:
        complaint = output.errors + output.text
        if "does not exist" in complaint or "UnknownJail" in complaint:
            return SshJail(False, (), (), 0, (0, 0), {})
        raise Unparseable(msg("fail2ban reported: {seen}", seen=shown(complaint, 80)), reason="command-failed")
    text = "\n".join(line.strip() for line in lines)
    version = _VERSION.search(text)
    if not lines or lines[-1].strip() != "end" or version is None:
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    bans = bans_of(output)
    if len(bans) > 1:
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    bans_seconds, rule = bans[0] if bans else (_old_ban(text), None)
    tried = [match for line in lines if (match := _TRIED.match(line))]
    matches = [match[1] for line in lines if (match := _MATCHES.search(line))]
    files = [name for line in lines if (match := _FILES.search(line)) for name in match[1].split()]
    return SshJail(
        True,
        tuple(frozenset(part.split()) for one in matches for part in one.split(" + ")),
        tuple(files),
        bans_seconds,
        (int(version[1]), int(version[2])),
        {m[2]: datetime.fromtimestamp(int(m[1]), UTC) for line in lines if (m := _LOG.fullmatch(line.strip()))},
        rule,
        (tried[0][1], tried[0][2]) == ("0", "1") if tried else None,
        "filter other" in text.split("\n"),
        odd_of(output, "sshd"),
    )


def odd_of(output: Output, *jails: str) -> tuple[str, ...]:
    """Return settings of these jails that are not known as harmless, and files that give the server orders."""
    found = (_ODD.fullmatch(line.strip()) for line in output.lines())
    return tuple(dict.fromkeys(one[2] or one[3] for one in found if one and one[1] in {None, "DEFAULT", *jails}))


def _old_ban(text: str) -> int:
    found = re.search(r"^bantime (-?\d{1,10})$", text, re.MULTILINE)
    if found is None:
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    return int(found[1])


def bans_of(output: Output) -> tuple[tuple[int, BanRule], ...]:
    """Return for how long each jail bans, and whom by what; none in answers of versions before that was asked.

    Raises:
        Unparseable: fail2ban said something else.
    """
    sections = dict(_SECTION.findall(output.text.replace("\r\n", "\n")))
    said, of_actions = (_answers(sections.get(name, "")) for name in ("jail", "actions"))
    actions = _actions(of_actions)
    lines = [line.split() for line in output.lines()]
    ssh_ports = tuple(int(words[1]) for words in lines if words[0] == "sshport" and words[1:2] and words[1].isdecimal())
    found, seen = [], 0
    for at in range(0, len(said), _ASKED):
        answers = said[at : at + _ASKED]
        numbers = [re.fullmatch(r"-?\d{1,10}", answer) for answer in answers[:3]]
        if len(answers) != _ASKED or not all(numbers):
            raise Unparseable(msg("fail2ban's status cannot be parsed"))
        bans, tries, window = (int(answer) for answer in answers[:3])
        ignored = tuple(line[2:].strip() for line in answers[3].splitlines() if line[:2] in {"|-", "`-"})
        names = _named(answers[5])
        own = actions[seen : seen + len(names)]
        if len(own) < len(names) and len(actions) == MOST_ACTIONS:
            seen = len(actions)
            break
        seen += len(names)
        found.append((bans, BanRule(tries, window, ignored, answers[4].strip(), own, ssh_ports)))
    if said and not found and len(actions) == MOST_ACTIONS:
        raise Unparseable(
            msg("a jail of fail2ban has more than {n} actions", n=MOST_ACTIONS), reason="too-many-actions"
        )
    if seen != len(actions) or ("jail" in sections and not found):
        raise Unparseable(msg("fail2ban's status cannot be parsed"))
    return tuple(found)


def are_actions_cut(output: Output) -> bool:
    """Say whether there may be more actions than are asked, so that the last jails are not judged."""
    sections = dict(_SECTION.findall(output.text.replace("\r\n", "\n")))
    return len(_actions(_answers(sections.get("actions", "")))) == MOST_ACTIONS


def _named(answer: str) -> list[str]:
    _said, _colon, names = answer.partition("following actions:")
    return [name.strip() for name in names.split(",") if name.strip()]


def _answers(text: str) -> list[str]:
    """Return what stands behind each prompt; behind the last one is nothing."""
    return [each.strip() for each in text.split(_PROMPT)[1:-1]]


def _actions(answers: Sequence[str]) -> tuple[BanAction, ...]:
    found = []
    for at in range(0, len(answers) - len(answers) % 5, 5):
        name, kind, port, ban, start = answers[at : at + 5]
        has_ports = port != _UNSAID and "dport" in start
        ports = tuple(each for each in re.split(r"[\s,]+", port) if each) if has_ports else ()
        does_nothing = not ban or bool(_LETS_IN.search(kind)) or bool(_NOTICES.fullmatch(name))
        found.append(BanAction(shown(name, 60), ports, does_nothing, not does_nothing and ban != _UNSAID))
    return tuple(found)


PROBE = Probe("ids.fail2ban-sshd", ("sh", "-c", _SCRIPT), parse, needs_root=True, exit_codes=frozenset({0, 255}))
