"""What fail2ban really does: a stranger is banned by its own actions in an empty network, and its own notes say how far it has read.

Each action of a jail is made from what the running server holds, by fail2ban's own modules, in a network namespace that is gone
afterwards; nothing is tried whose commands are other than nft, iptables, ip6tables and ipset. A stranger at the other end of a
virtual cable connects to the port before and after the ban. For the cable the kernel may load its module veth. What a jail has
read stands in fail2ban's database; the line that sshd has to have written is that of this look's own login. Needs root.

Sources: fail2ban-client(1), fail2ban's modules `server.action` and `server.filter`, unshare(2), systemd.exec(5), journald.conf(5).

    try sshd nftables 4 22 shut
    reads sshd caught
    login yes journal
    sshd INFO
    unit ssh.service -1 0 0 - -
    journald - - - -
    end
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r'''
command -v fail2ban-client >/dev/null && command -v python3 >/dev/null && command -v ip >/dev/null || exit 127
cd / && exec python3 -I -B - <<'PORTAL'
import ctypes, json, os, re, signal, socket, sqlite3, subprocess, sys, time
from contextlib import suppress
from datetime import datetime
END = time.time() + 25
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
with suppress(ImportError):
    from fail2ban.client.csocket import CSocket
    from fail2ban.server.action import CommandAction
    from fail2ban.server.actions import Actions
    from fail2ban.server.ticket import BanTicket
    import logging
    logging.getLogger("fail2ban").setLevel(100)
if "CSocket" not in globals():
    sys.exit("fail2ban's own modules are not found")
try:
    SOCKET = CSocket()
except OSError:
    sys.exit("Failed to access socket path")

def ask(*words):
    code, value = SOCKET.send(list(words))
    return None if code else value

def run(*command, **more):
    with suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, stdout=-1, stderr=-3, stdin=-3, env=ENV, timeout=10, text=True, errors="replace", **more).stdout
    return ""

def say(*words):
    print(*(re.sub(r"[^!-~]", "?", str(w))[:80] or "-" for w in words), flush=True)

# what may be run in a network of its own: packet filters, and words of the shell that write nothing
PACKETS = {"nft", "iptables", "ip6tables", "ipset"}
WORDS = {"echo", "printf", "sed", "grep", "true", "false", ":", "test", "[", "for", "done", "fi", "exit", "return"}
FOLDERS = ("", "/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin")
FIRST = r"(?:(?:do|then|else|elif|if|while|until|!|\{|\})(?:\s+|$))*"
def is_plain(text):
    text = re.sub(r"\\.", "_", text.replace("\\\n", " "))
    for each in re.findall(r"\bsed\b([^|;&)]*)", text):
        if not re.fullmatch(r"\s+(-[rEn]\s+)?(s/[^/\s']*/[^/\s']*/g?|'s/[^/']*/[^/']*/g?')\s*", each):
            return False
    text = re.sub(r"'[^']*'", "Q", text)
    text = re.sub(r'"[^"`]*"', lambda m: m[0] if "$(" in m[0] else "Q", text)
    text = re.sub(r"\d?\x3e\s*/dev/null|\d?\x3e&\d", " ", text)
    if re.search(r"[`<\x3e\"']", text):
        return False
    while inner := re.search(r"\$\(([^()]*)\)", text):
        if not are_known(inner[1]):
            return False
        text = text[: inner.start()] + "Q" + text[inner.end() :]
    return are_known(text)

def are_known(text):
    for part in re.split(r"[\n;|&()]+", text):
        word = (re.sub("^" + FIRST, "", part.strip()).split() or [""])[0]
        name, folder = os.path.basename(word), os.path.dirname(word)
        if word and word not in WORDS and not (name in PACKETS and folder in FOLDERS):
            return False
    return True

class Odd(Exception):
    pass

class Tried(CommandAction):
    codes = []
    @classmethod
    def executeCmd(cls, text, timeout=60, **more):
        if not text.strip():
            return True
        if not is_plain(text):
            raise Odd
        with suppress(subprocess.TimeoutExpired):
            code = subprocess.run(["sh", "-c", text], stdout=-3, stderr=-3, stdin=-3, env=ENV, timeout=5).returncode
            cls.codes.append(code)
            return code == 0
        return False

def ip(*words):
    return subprocess.run(["ip", *words], stdout=-3, stderr=-3, stdin=-3, env=ENV, timeout=5).returncode == 0

ADDRESSES = {"4": ("192.0.2.1", "192.0.2.2", socket.AF_INET), "6": ("2001:db8::1", "2001:db8::2", socket.AF_INET6)}
LIBC = ctypes.CDLL(None, use_errno=True)

def alone():
    return LIBC.unshare(0x40000000) == 0

def stranger(asked, told):
    """Connect from the other end of the cable, as often as it is told."""
    ready = alone()
    os.write(told, b"1" if ready else b"0")
    os.read(asked, 1)
    ip("link", "set", "f2b1", "up")
    ip("addr", "add", "192.0.2.1/24", "dev", "f2b1")
    ip("addr", "add", "2001:db8::1/64", "dev", "f2b1", "nodad")
    os.write(told, b"1")
    while True:
        line = os.read(asked, 60).decode().split()
        if not line:
            os._exit(0)
        mine, other, family = ADDRESSES[line[0]]
        s = socket.socket(family)
        s.settimeout(1)
        try:
            s.connect((other, int(line[1])))
            answer = b"1"
        except OSError:
            answer = b"0"
        s.close()
        os.write(told, answer)

def trial(jail, action, kinds, properties, ports):
    """Ban a stranger in a network of its own, and say for each port what he meets."""
    def every(result):
        for kind in kinds:
            for port in ports:
                say("try", jail, action, kind, port, result)
    if not alone():
        return every("untried")
    a, b = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        os.close(a[1]), os.close(b[0])
        try:
            stranger(a[0], b[1])
        finally:
            os._exit(1)
    os.close(a[0]), os.close(b[1])
    try:
        if os.read(b[0], 1) != b"1" or not ip("link", "add", "f2b0", "type", "veth", "peer", "name", "f2b1", "netns", str(child)):
            return every("untried")
        ip("link", "set", "lo", "up"), ip("link", "set", "f2b0", "up")
        ip("addr", "add", "192.0.2.2/24", "dev", "f2b0")
        ip("addr", "add", "2001:db8::2/64", "dev", "f2b0", "nodad")
        os.write(a[1], b"1"), os.read(b[0], 1)
        doors = []
        for port in ports:
            for kind in kinds:
                s = socket.socket(ADDRESSES[kind][2])
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if kind == "6":
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind(("::" if kind == "6" else "", port))
                s.listen(8)
                doors.append(s)
        odd = "odd"
        text = str(properties.get("actionban", ""))
        if re.search(r"\bfirewall-cmd\b", text) and run("firewall-cmd", "--state").strip() == "running":
            odd = "believed"
        if re.search(r"(^|[\s;/])ufw\b", text) and "Status: active" in run("ufw", "status"):
            odd = "believed"
        def reached(kind, port):
            os.write(a[1], f"{kind} {port}\n".encode())
            return os.read(b[0], 1) == b"1"
        if not all(reached(kind, port) or reached(kind, port) for kind in kinds for port in ports):
            return every("untried")
        one = Tried(None, action)
        for name, value in properties.items():
            with suppress(AttributeError):
                setattr(one, name, value)
        result = {}
        try:
            one.start()
        except Odd:
            return every(odd)
        except Exception:  # of an action's own kind; whether it blocks is seen by the peer
            pass
        for kind in kinds:
            Tried.codes.clear()
            result[kind] = ""
            ticket = BanTicket(ADDRESSES[kind][0], time.time(), ["-"])
            ticket.setBanTime(600)
            try:
                one.ban(Actions.ActionInfo(ticket, None))
            except Odd:
                result[kind] = odd
            except Exception:  # of an action's own kind: the verdict names it
                result[kind] = "absent" if 127 in Tried.codes else "refused"
        for kind in kinds:
            for port in ports:
                say("try", jail, action, kind, port, result[kind] if result[kind] in ("odd", "believed") else "shut" if not reached(kind, port) else result[kind] or "open")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

def started(pid):
    with open(f"/proc/{pid}/stat") as f:
        ticks = int(f.read().rpartition(")")[2].split()[19])
    with open("/proc/stat") as f:
        boot = next(int(line.split()[1]) for line in f if line.startswith("btime"))
    return boot + ticks / os.sysconf("SC_CLK_TCK")

def own_session():
    """Return the numbers of the processes of sshd that let this look in."""
    pid, found = os.getpid(), []
    with suppress(OSError, ValueError):
        while 1 < pid:
            with open(f"/proc/{pid}/status") as f:
                status = dict(line.split(":", 1) for line in f if ":" in line)
            if status["Name"].strip() in ("sshd", "sshd-session") and status["Uid"].split()[0] == "0" and time.time() < started(pid) + 3600:
                found.append(pid)
            pid = int(status["PPid"])
    return found

def newest(matches):
    """Return when the newest entry was made that a jail has to read."""
    words = [w for i, one in enumerate(matches) for w in ((["+"] if i else []) + list(one))]
    last = run("journalctl", "-q", "--no-pager", "-o", "short-unix", "-n", "1", *words).split()
    return float(last[0]) if last else 0

def written(line):
    """Return when a line of a log was written, as it says itself."""
    with suppress(ValueError):
        if re.match(rb"\d{4}-", line):
            return datetime.fromisoformat(line.split()[0].decode().replace("Z", "+00:00")).timestamp()
        return time.mktime(time.strptime(time.strftime("%Y ") + line[:15].decode(), "%Y %b %d %H:%M:%S"))
    return 0

def due(path, since):
    """Return up to where a jail's notes have to have come in a file: they may be ten seconds behind the last line."""
    with open(path, "rb") as f:
        at = max(0, os.fstat(f.fileno()).st_size - (1 << 18))
        f.seek(at)
        lines = f.read(1 << 18).splitlines(keepends=True)
    ages = [(at := at + len(line), written(line)) for line in lines]
    if not ages:
        return 0
    last = min(ages[-1][1], time.time())
    return max((end for end, when in ages if since < when < last - 15), default=0)

def reads(jail, since, base):
    """Return whether the jail has read the newest that is in its source, by its own notes."""
    matches, files = ask("get", jail, "journalmatch"), ask("get", jail, "logpath")
    goals = {}
    if isinstance(matches, (list, tuple)) and matches:
        at = newest(matches)
        if since < at:
            goals["systemd-journal"] = at - 1
    elif isinstance(files, (list, tuple)):
        for each in files:
            with suppress(OSError):
                if end := due(each, since):
                    goals[str(each)] = end
    if not goals:
        return "quiet"
    if not base or not os.path.isfile(base):
        return "unnoted"
    until = min(time.time() + 14, END - 6)
    while True:
        try:
            db = sqlite3.connect(f"file:{base}?mode=ro", uri=True, timeout=2)
            seen = dict(db.execute("select path, lastfilepos from logs where jail = ?", (jail,)))
            db.close()
        except sqlite3.Error:
            return "unnoted"
        if all(goal <= float(seen.get(name) or 0) for name, goal in goals.items()):
            return "caught"
        if until < time.time():
            return "behind"
        time.sleep(0.5)

def logged(pids, files):
    """Return whether the log that the jail reads has the line of this look's own login."""
    if not pids:
        return "none"
    mark = re.compile(r"\bsshd(-session)?\[(%s)\]: Accepted " % "|".join(map(str, pids)))
    if files:
        for each in files:
            with suppress(OSError), open(each, "rb") as f:
                f.seek(max(0, os.fstat(f.fileno()).st_size - (1 << 18)))
                if mark.search(f.read(1 << 18).decode(errors="replace")):
                    return "yes"
        return "no"
    for pid in pids:
        text = run("journalctl", "-q", "--no-pager", "-o", "cat", "-n", "200", f"--since=@{int(started(pid)) - 1}", f"_PID={pid}")
        if re.search("^Accepted ", text, re.M):
            return "yes"
    return "no"

def main():
    names = [w.strip() for w in dict(ask("status")).get("Jail list", "").split(",") if w.strip()][:30]
    names.sort(key=lambda name: name != "sshd")
    has_6 = False
    with suppress(OSError), open("/proc/net/if_inet6") as f:
        has_6 = any(line.split()[-1] != "lo" for line in f)
    kinds = "46" if has_6 else "4"
    ports = [int(w) for w in re.findall(r"^port (\d+)$", run("sshd", "-T"), re.M)] or [22]
    told = []
    for jail in names:
        for action in ask("get", jail, "actions") or ():
            properties = {}
            for name in ask("get", jail, "actionproperties", action) or ():
                value = ask("get", jail, "action", action, name)
                if isinstance(value, (str, int)) and not name.startswith("_") and name != "banEpoch":
                    properties[name] = value
            text = " ".join(str(properties.get(k, "")) for k in ("actionstart", "actionban"))
            if not str(properties.get("actionban", "")).strip():
                continue
            mine = list(ports)
            if jail != "sshd":
                first = re.split(r"[\s,:-]+", str(properties.get("port", "")))[0]
                mine = [int(first)] if first.isdigit() else [80]
                with suppress(OSError):
                    mine = [int(first)] if first.isdigit() else [socket.getservbyname(first)]
            mine = [port for port in mine if 0 < port < 65536][:4] or [80]
            if END - 10 < time.time() or 12 <= len(told):
                say("try", jail, action, "4", mine[0], "untried")
                continue
            told.append(action)
            sys.stdout.flush()
            child = os.fork()
            if not child:
                try:
                    trial(jail, action, kinds, properties, mine)
                finally:
                    sys.stdout.flush()
                    os._exit(0)
            os.waitpid(child, 0)
    def banned():
        found = {}
        for jail in names:
            status = dict(ask("status", jail) or ())
            found[jail] = [str(w) for w in dict(status.get("Actions", ())).get("Banned IP list", ()) if re.fullmatch(r"[0-9a-f.:]+(/\d+)?", str(w))]
        return found
    first = banned()
    if any(first.values()):
        rules = "".join(run(*c) for c in (("nft", "list", "ruleset"), ("iptables-save",), ("ip6tables-save",), ("ipset", "save")))
        held = set(re.findall(r"[0-9a-f.:]{3,}(?:/\d+)?", rules))
        second = banned()
        for jail in names:
            both = [w for w in first[jail] if w in second[jail]]
            if both:
                say("banned", jail, len(both), sum(1 for w in both if w not in held and w + "/32" not in held and w + "/128" not in held))
    base = ask("get", "dbfile")
    with suppress(OSError, ValueError):
        with open("/run/fail2ban/fail2ban.pid") as f:
            since = started(int(f.read()))
        for jail in names:
            say("reads", jail, reads(jail, since, base) if time.time() < END - 6 or jail == "sshd" else "unnoted")
    if "sshd" in names:
        files = ask("get", "sshd", "logpath")
        files = [] if ask("get", "sshd", "journalmatch") or not isinstance(files, (list, tuple)) else [str(f) for f in files]
        say("login", logged(own_session(), files), "files" if files else "journal")
        level = re.search(r"^loglevel (\S+)$", run("sshd", "-T", "-C", "user=root,host=stranger,addr=192.0.2.1"), re.M)
        say("sshd", level[1] if level else "-")
        units = ["ssh.service", "sshd.service"]
        for name in ("ssh", "sshd"):
            if run("systemctl", "is-active", name + ".socket").strip() == "active":
                units.append(name + "@portal.service")
        shown = run("systemctl", "show", "-p", "Id,LoadState,LogLevelMax,LogRateLimitIntervalUSec,LogRateLimitBurst,LogFilterPatterns,LogNamespace", *units)
        for block in shown.split("\n\n"):
            v = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if v.get("LoadState") == "loaded":
                say("unit", v.get("Id"), v.get("LogLevelMax") or "-", v.get("LogRateLimitBurst") or "0", v.get("LogRateLimitIntervalUSec") or "0", "patterns" if v.get("LogFilterPatterns") else "-", "namespace" if v.get("LogNamespace") else "-")
        conf = dict(re.findall(r"^(MaxLevelStore|Storage|RateLimitBurst|RateLimitIntervalSec|RateLimitInterval)[ \t]*=[ \t]*(\S+)", run("systemd-analyze", "cat-config", "systemd/journald.conf"), re.M))
        say("journald", conf.get("MaxLevelStore", "-"), conf.get("Storage", "-"), conf.get("RateLimitBurst", "-"), conf.get("RateLimitIntervalSec", conf.get("RateLimitInterval", "-")))
    say("end")

main()
PORTAL
'''
_SENT = re.sub(r"^(?: {4})+", lambda indent: " " * (len(indent[0]) // 4), _SCRIPT, flags=re.MULTILINE)
"""The same with less indentation: what all probes send has a limit."""
_ROWS = re.compile(
    r"try (?P<try>\S+ \S+ [46] \d{1,5} (?:shut|open|absent|refused|odd|believed|untried))"
    r"|reads (?P<reads>\S+ (?:caught|behind|quiet|unnoted))"
    r"|banned (?P<banned>\S+ \d{1,7} \d{1,7})"
    r"|login (?P<login>(?:yes|no|none) (?:journal|files))"
    r"|sshd (?P<sshd>\S+)"
    r"|unit (?P<unit>\S+ \S+ \d{1,12} \S+ (?:patterns|-) (?:namespace|-))"
    r"|journald (?P<journald>\S+ \S+ \S+ \S+)"
)
_SPAN = re.compile(r"(\d{1,12})(us|usec|ms|msec|s|sec|m|min|h|hr|d|day|w|week|month|M|y|year)?")
_SECONDS = {
    **dict.fromkeys(("us", "usec"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("", "s", "sec"), 1.0),
    **dict.fromkeys(("m", "min"), 60.0),
    **dict.fromkeys(("h", "hr"), 3600.0),
    **dict.fromkeys(("d", "day"), 86400.0),
    **dict.fromkeys(("w", "week"), 604800.0),
    **dict.fromkeys(("month", "M"), 2629800.0),
    **dict.fromkeys(("y", "year"), 31557600.0),
}
_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


@dataclass(frozen=True, slots=True)
class Tried:
    """What a stranger met at a port after the action had banned him."""

    action: str
    family: str
    """`4` or `6`."""
    port: int
    met: str
    """`shut`, `open`; `absent`: a program is not installed; `refused`: a command failed and he got in; `odd`: it has other commands,
    so it was not run; `believed`: odd, and firewalld or ufw runs, which it speaks to; `untried`: no network could be made."""


@dataclass(frozen=True, slots=True)
class LogWay:
    """What may keep lines of sshd, or of all, out of the log."""

    name: str
    """Of the unit, or `journald`."""
    most: int | None
    """The least grave level that is kept, of syslog(3); None: all. Below zero: nothing is kept."""
    lines_a_second: float | None
    """None: no limit of its own."""
    is_unclear: bool = False
    """It leaves out lines by their text, or writes them into another journal."""


@dataclass(frozen=True, slots=True)
class Fail2banTried:
    """What was found out by trying."""

    tried: Mapping[str, tuple[Tried, ...]] = field(default_factory=dict)
    """By jail."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """By jail: `caught` up with its log, `behind` it, `quiet` (nothing was written since it started), `unnoted`."""
    unheld: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By jail that bans now: how many addresses, and how many of them are in no rule."""
    login: str = "none"
    """Whether this look's own login is in the log of sshd: `yes`, `no`; `none` where it came another way."""
    is_of_journal: bool = True
    """The jail `sshd` reads the journal and not files."""
    level: str = ""
    """The LogLevel of sshd for a stranger; `-` where sshd could not be asked, empty without a jail `sshd`."""
    ways: tuple[LogWay, ...] = ()


def parse(output: Output) -> Fail2banTried:
    """Read the rows; the last one is `end`."""
    lines = output.lines()
    if not lines or lines[-1] != "end":
        raise Unparseable(msg("what fail2ban does could not be tried: {seen}", seen=shown(output.errors, 80)))
    tried: dict[str, tuple[Tried, ...]] = {}
    reads: dict[str, str] = {}
    unheld: dict[str, tuple[int, int]] = {}
    ways: dict[str, LogWay] = {}
    login, source, level = "none", "journal", ""
    for line in lines[:-1]:
        row = _ROWS.fullmatch(line)
        if row is None:
            raise Unparseable(msg("what fail2ban does could not be tried: {seen}", seen=shown(line, 80)))
        words = line.split()[1:]
        match row.lastgroup:
            case "try":
                jail, action, family, port, met = words
                tried[jail] = (*tried.get(jail, ()), Tried(action, family, int(port), met))
            case "reads":
                reads[words[0]] = words[1]
            case "banned":
                unheld[words[0]] = int(words[1]), int(words[2])
            case "login":
                login, source = words
            case "sshd":
                level = words[0].upper()
            case "unit":
                name, most, burst, span, patterns, namespace = words
                ways[name] = LogWay(name, _level(most), _rate(burst, span), (patterns, namespace) != ("-", "-"))
            case _:
                store, storage, burst, span = words
                most_kept = -1 if storage.lower() == "none" else _level(store)
                ways["journald"] = LogWay("journald", most_kept, _rate(burst, span))
    return Fail2banTried(tried, reads, unheld, login, source == "journal", level, tuple(ways.values()))


def _level(text: str) -> int | None:
    """Return a level by its name or number; a word that is none counts as one that keeps too little."""
    if text in {"-", "-1"}:
        return None
    if text.isdecimal():
        return int(text)
    return _LEVELS.index(text.lower()) if text.lower() in _LEVELS else -1


def _rate(burst: str, span: str) -> float | None:
    """Return how many lines a second are kept of a flood; None where nothing, or nothing readable, is set."""
    number = float(burst) if burst.isdecimal() else 0.0
    spans = _SPAN.findall(span)
    if not number or span in {"0", "-"} or not spans:
        return None
    seconds = sum(float(each) * _SECONDS[unit] for each, unit in spans)
    return number / seconds if seconds else None


PROBE = Probe("ids.fail2ban-tried", ("sh", "-c", _SENT), parse, needs_root=True, timeout_seconds=40)
