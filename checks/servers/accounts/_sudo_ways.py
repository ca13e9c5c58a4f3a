"""What an account that sudo lets run a command as root can make of it: root, or nothing but what the command does."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

from checks.servers.probes.sudoers import Grant, SudoCommand, Sudoers

_WILD = re.compile(r"(?<!\\)[*?\[]")
_VERSION = re.compile(r"(?:-?\d[\d.]*|\.(?:tiny|basic|nox|gtk3|openbsd|traditional|distrib|real))$")
_BY_ROOT = re.compile(
    r"/(?:etc/(?:passwd|shadow|group|gshadow|sudo|cron|at\.|anacron|pam|security|ssh|systemd|init|rc|profile|bash|environment|zsh|ld\.so"
    r"|polkit|doas|nsswitch|fstab|udev|apt|dpkg|logrotate|default|kernel|modprobe|modules|NetworkManager|dbus)"
    r"|root|boot|usr|s?bin|lib|var/spool/cron|dev|proc|sys)"
)
"""Files that root's programs run or are led by: to write one of them is to be root."""
_ANYBODYS = re.compile(r"/(?:home|tmp|var/tmp|dev/shm)/|(?!/)[^-]")
"""Files that whoever calls can make: in his folders, or named relative to where he stands."""
_PATH = re.compile(r"(?:-[^/]*|[^/=]*=)?(/(?!(?:dev|proc|sys)/(?!shm/)).*)")
"""A word with a path, perhaps behind an option; devices are none."""
_HERE = re.compile(r"(?:-[^/=]*=)?(?:\.{1,2}/.*|(?!-)(?:[\w.-]+/)*[\w-]+\.[A-Za-z]\w*)")
"""A word with a file where whoever calls stands."""
_SHOWING = frozenset(
    {
        "df",
        "echo",
        "free",
        "fuser",
        "id",
        "ls",
        "lsblk",
        "lscpu",
        "netstat",
        "ping",
        "printf",
        "ps",
        "readlink",
        "realpath",
        "stat",
    }
    | {
        "halt",
        "iostat",
        "lsof",
        "mpstat",
        "poweroff",
        "reboot",
        "shutdown",
        "smartctl",
        "sync",
        "test",
        "traceroute",
        "true",
        "uname",
        "uptime",
    }
    | {"vmstat", "whoami"}
)
"""Programs that show names, numbers and the machine's state, or stop it, whatever their arguments are."""
_SYSTEM = re.compile(r"/(?:usr/(?!local/))?(?:s?bin|lib\w*|games|share)/.+")
"""Where packages keep their programs."""
_PLUGIN = re.compile(r"/usr/lib(?:64)?/(?:nagios|monitoring-plugins)/(?:plugins/)?check_\w+")
_READING = frozenset(
    {
        "base32",
        "base64",
        "bzcat",
        "cat",
        "cmp",
        "comm",
        "cut",
        "diff",
        "du",
        "egrep",
        "fgrep",
        "fold",
        "grep",
        "head",
        "hexdump",
    }
    | {
        "last",
        "lastb",
        "md5sum",
        "nl",
        "od",
        "paste",
        "rev",
        "sha256sum",
        "sha512sum",
        "strings",
        "tac",
        "tail",
        "wc",
        "xzcat",
    }
    | {"zcat", "zgrep"}
)
"""Programs that show the files that their arguments name, and start nothing, page nothing and write nothing."""
_UNIT = r"(?: (?!(?:debug-shell|emergency|rescue)\b)\w[\w@:.-]*)*"
_OPTION = (
    r"(?:--(?:now|quiet|no-pager|no-block|wait|no-ask-password|full|all|failed|no-legend|plain|value|runtime|system|type=\w+|state=\w+"
    r"|lines=\d+|property=[\w,]+|output=[\w-]+)|-[qlaf]+|-n ?\d+|-[pt] \w+)"
)
_FIRST, _CTL = rf"(?:{_OPTION} )*", rf"(?: {_OPTION})*"
_QUIETLY = r"(?:-(?:q+|y)(?:=\d)? |--(?:quiet|yes|assume-yes) )*"
_KNOWN = {
    "aide": r"(?:(?:--config[= ]|-c ?)/etc/aide/\S+ )?(?:--check|-C)",
    **dict.fromkeys(
        ("apache2", "apache2ctl", "apachectl", "httpd"),
        r"-t|-S|-v|-M|configtest|graceful|(?:-k )?(?:graceful|restart|start|stop)",
    ),
    **dict.fromkeys(("apt", "apt-get"), rf"{_QUIETLY}(?:update|check|autoclean|clean)(?: -q+| -y)*"),
    **dict.fromkeys(("auditctl", "lvs", "vgs", "pvs", "zpool", "mdadm"), r"|-[ls]|status(?: \w+)?|--detail /dev/\S+"),
    "certbot": r"renew(?: --quiet| -q| --dry-run)*|certificates",
    "chronyc": r"(?:-[nm]+ )*(?:tracking|sources|sourcestats|activity|ntpdata|serverstats)(?: -v)?",
    "crontab": r"-l",
    "dmesg": r"(?:-[Tkxer]+ ?|--(?:ctime|nopager|level=[\w,]+) ?)*",
    "dpkg": r"(?:--no-pager (?:-l|--list|-s|-L)(?: [\w.+:-]+)*|--audit|-C|--print-architecture)",
    "ethtool": r"(?:-[iSkgacT] )?\w[\w.-]*",
    "fail2ban-client": r"ping|status(?: \w[\w-]*)?|reload(?: \w[\w-]*)?|unban [\w.:]+|set \w[\w-]* (?:un)?banip [\w.:]+",
    "firewall-cmd": r"--reload|--state|--list-all",
    "haproxy": r"-c -f /etc/\S+",
    **dict.fromkeys(("iptables", "ip6tables"), r"(?:-[nv]+ )*-[LS](?: -[nv]+| --line-numbers)*"),
    "invoke-rc.d": r"\w[\w@.-]* (?:start|stop|restart|reload|force-reload)",
    "logrotate": r"(?:-[vfd]+ |--(?:verbose|force|debug) )*/etc/logrotate\.\S+",
    **dict.fromkeys(("lspci", "lsusb"), r"(?:-[vktnmb]+ ?)*"),
    "mailq": r"",
    "needrestart": r"-b(?: -r l)?|-r l(?: -b)?",
    "nft": r"(?:-[anjst]+ )*list [\w -]+",
    "nginx": r"-t|-T|-v|-V|-s (?:reload|quit|reopen|stop)",
    "ntpq": r"-[pn]+(?: \w[\w.]*)?",
    "service": r"\w[\w@.-]* (?:start|stop|restart|reload|force-reload)",
    "ss": r"(?:-[a-zA-CE-JL-Z0-9]+ ?)*",
    "sshd": r"-[tT](?: -C \S+)?(?: -f /etc/ssh/\S+)?",
    "systemctl": rf"{_FIRST}(?:(?:start|stop|(?:try-)?restart|reload|(?:try-)?reload-or-restart|is-\w+|enable|disable|reset-failed){_CTL}{_UNIT}{_CTL}"
    rf"|daemon-reload|daemon-reexec|reboot|poweroff|suspend|halt){_CTL}",
    "ufw": r"status(?: \w+)?|reload|show \w+",
    "unattended-upgrade": r"(?:-[dv]+ ?|--(?:debug|verbose|dry-run|download-only) ?)*",
}
"""By program, the exact arguments with which it asks nobody, pages nothing, takes nothing from whoever calls, and works on files of root's alone."""
_PAGED = {
    **dict.fromkeys(
        ("hostnamectl", "timedatectl", "loginctl", "networkctl"),
        rf"|{_FIRST}(?:status|show|list(?:-\w+)?){_CTL}{_UNIT}{_CTL}",
    ),
    "journalctl": r"(?:(?:--(?:no-pager|follow|reverse|catalog|boot|dmesg|quiet|all|list-boots|disk-usage|utc|no-hostname|system|since[= ]\S+|until[= ]\S+"
    r"|unit=\S+|lines=\d+|priority=\w+|output=[\w-]+|identifier=\S+|grep=\S+)|-[frxekbqa]+|-[bn] ?-?\d+|-[uptogSU] ?\S+|_\w+=\S+)(?: |$))*",
    **dict.fromkeys(("service", "invoke-rc.d"), r"\w[\w@.-]* status"),
    "systemctl": rf"{_FIRST}(?:status|show|cat|list-[\w-]+){_CTL}{_UNIT}{_CTL}|",
}
"""Exact arguments with which it only shows, through a pager where nothing forbids it; systemd lets that start no shell from version 247 on."""
_SECURE_PAGER = 247
_SCRIPTED = {
    **dict.fromkeys(("ash", "bash", "dash", "ksh", "ksh93", "mksh", "sh", "zsh"), r"(?:-[eux]+ )*"),
    **dict.fromkeys(("node", "nodejs", "Rscript", "tclsh"), r""),
    "perl": r"(?:-[wT]+ )*",
    "php": r"(?:-[qf]+ )*",
    "python": r"(?:-[BEIOPsSu]+ )*",
    "ruby": r"(?:-w )*",
}
"""Options with which an interpreter runs the script behind them, and nothing after it."""
_SECRET = re.compile(
    r"/(?:etc/(?:g?shadow|sudoers|ssh/ssh_host|ssl/private|letsencrypt)|root|proc|dev|home)\b|[.](?:key|pem|p12|env)\b|pass|secret|token|keytab|wireguard|system-connections|debian[.]cnf|/var/backups|/(?:|etc)$"
)
_WALKS = frozenset({"find", "fd", "fdfind"})
"""Programs that start others, and not what lies in the folders that they are given."""


_APT = frozenset({"upgrade", "dist-upgrade", "full-upgrade", "dselect-upgrade", "install", "reinstall"})
_ASKS_ABOUT_FILES = {"apt": _APT, "apt-get": _APT, "dpkg": frozenset({"-i", "--install", "--configure"})}
_STDIN = re.compile(r"/dev/(?:stdin|fd/|tty)|/proc/\S*fd/0")
"""A script that is what whoever calls says."""
_ASKED = {
    **dict.fromkeys(("ash", "bash", "dash", "ksh", "ksh93", "mksh", "sh", "zsh"), "s"),
    **dict.fromkeys(("julia", "lua", "luajit", "node", "nodejs", "pypy", "python"), "i"),
    "perl": "d",
    "php": "a",
}
"""By interpreter, the option with which it takes commands from whoever calls, whatever script it was given."""


@cache
def ways() -> dict[str, frozenset[str]]:
    """Return the table of programs (data/sudo_ways.toml)."""
    text = resources.files("checks.servers.data").joinpath("sudo_ways.toml").read_text(encoding="utf-8")
    return {name: frozenset(each) for name, each in tomllib.loads(text).items()}


def free_ways(rules: Sudoers) -> list[tuple[str, Grant, SudoCommand]]:
    """Return by which commands who becomes root without a password: the reason, the rule and the command."""
    free = [one for one in rules.grants if not one.is_password_asked or one.is_password_off_by_default]
    as_good: set[str] = set()
    while True:
        new = [
            (reason, grant, command)
            for grant in free
            if any(name not in {"root", "#0"} for name in grant.who) and (grant.is_as_root or grant.targets & as_good)
            for command in grant.commands
            if (reason := reason_of(command, grant, rules))
        ]
        roots = {name for _, grant, _ in new for name in grant.who}
        if roots <= as_good:  # who may run all as an account that becomes root becomes it too
            return new
        as_good |= roots


def reason_of(command: SudoCommand, grant: Grant, rules: Sudoers) -> str:
    """Return why a command as root is as good as root, coded; empty if it is not."""
    if command.program == "ALL":
        return "nopasswd-all"
    if command.text.startswith("^"):
        return "nopasswd-shell" if _is_named_in(re.findall(r"[A-Za-z0-9.+_-]+", command.program)) else ""
    if grant.sets_environment:
        return "nopasswd-environment"
    if command.program == "sudoedit":
        return _reason_of_edit(command)
    if command.program.endswith("/") or _WILD.search(command.text):
        return "nopasswd-pattern"
    known = rules.programs.get(command.program)
    if known is not None and known.is_loose:
        return "nopasswd-writable"
    names = {_base(command.program), *([_base(known.real)] if known is not None and known.real else [])}
    return "nopasswd-shell" if any(_gives_root(name, command, grant, rules) for name in names) else ""


def free_commands(rules: Sudoers) -> Iterator[tuple[SudoCommand, Grant]]:
    """Yield the commands as root without a password, of others than root."""
    for grant in rules.grants:
        is_free = not grant.is_password_asked or grant.is_password_off_by_default
        if is_free and grant.is_as_root and any(name not in {"root", "#0"} for name in grant.who):
            yield from ((command, grant) for command in grant.commands)


def doubtful(rules: Sudoers) -> list[SudoCommand]:
    """Return those that work on what others may write, in a way that nothing here knows."""
    return [command for command, grant in free_commands(rules) if is_doubtful(command, grant, rules)]


def unbounded(rules: Sudoers) -> list[SudoCommand]:
    """Return those that take any arguments, or what fits an expression, and of whose program nothing is known."""
    return [
        command
        for command, _ in free_commands(rules)
        if (command.arguments is None or command.text.startswith("^"))
        and not (_SYSTEM.fullmatch(command.program) and _base(command.program) in _SHOWING)
        and command.program != "ALL"
    ]


def unclear(rules: Sudoers) -> list[SudoCommand]:
    """Return the exact commands of packages' programs of which it is not known that they do no more than they say."""
    return [command for command, grant in free_commands(rules) if is_unclear(command, grant, rules)]


def is_unclear(command: SudoCommand, grant: Grant, rules: Sudoers) -> bool:
    """Say whether a packaged program is let run with exact arguments, and nothing here knows what these make of it."""
    if command.program == "sudoedit":
        return not reason_of(command, grant, rules)  # what reads the file is not known
    if reason_of(command, grant, rules) or command.arguments is None or not _SYSTEM.fullmatch(command.program):
        return False
    name, text = _base(command.program), " ".join(command.arguments.replace("\\", "").split())
    if name == "timeout" and (inner := re.fullmatch(r"(?:-k \d+ )?\d+[smh]? (/\S+)(?: (.*))?", text)):
        return is_unclear(SudoCommand(f"{inner[1]} {inner[2] or ''}", inner[1], inner[2] or ""), grant, rules)
    if name in _SHOWING or _PLUGIN.fullmatch(command.program) or re.fullmatch(_KNOWN.get(name, r"(?!)"), text):
        return False
    if name in _PAGED and re.fullmatch(_PAGED[name], text):
        return not (rules.systemd >= _SECURE_PAGER or grant.is_noexec or "--no-pager" in text)
    if name in {"su", "runuser"}:  # as whom, has been judged
        return " -c" in f" {text}" or "command" in text
    if name in _SCRIPTED:  # a script of root's own, as files.root-runs sees it
        return not re.match(rf"{_SCRIPTED[name]}/(?!dev/|proc/)", text)
    if name in _READING:
        return bool(_SECRET.search(text)) or _is_led(command, rules)
    return True


def is_doubtful(command: SudoCommand, grant: Grant, rules: Sudoers) -> bool:
    """Say whether a command is given something that others may write, and what it makes of that is not known.

    So it is where nothing tells who may write it, as in rules of doas.
    """
    table, name = ways(), _base(command.program)
    if reason_of(command, grant, rules) or name in _SHOWING | _WALKS | table["reads"] | table["writes"]:
        return False
    paths = [found[1] for word in (command.arguments or "").split() if (found := _PATH.fullmatch(word))]
    unseen = [
        one for one in paths if one not in rules.programs and not _BY_ROOT.match(one) and not one.startswith("/etc/")
    ]
    return bool(unseen) or (not _is_named_in([name]) and _is_led(command, rules))


def _is_led(command: SudoCommand, rules: Sudoers) -> bool:
    """Say whether an argument is a file or a folder that others than root may write."""
    for word in (command.arguments or "").split():
        if found := _PATH.fullmatch(word):
            known = rules.programs.get(found[1])
            if known.is_loose if known else _ANYBODYS.match(found[1]):
                return True
    return False


def _reason_of_edit(command: SudoCommand) -> str:
    if not command.arguments or _WILD.search(command.arguments):
        return "nopasswd-pattern"
    return "nopasswd-shell" if any(_BY_ROOT.match(path) for path in command.arguments.split()) else ""


def _gives_root(name: str, command: SudoCommand, grant: Grant, rules: Sudoers) -> bool:
    table, arguments = ways(), command.arguments
    if name in table["pagers"]:
        return not grant.is_noexec or arguments is None
    if name in table["escapes"] or (arguments is None and _is_named_in([name])):
        return True
    words = (arguments or "").split()
    if name in {"su", "runuser", "login"}:
        return _becomes(words) == "root"
    if (
        name in _ASKS_ABOUT_FILES
        and not _ASKS_ABOUT_FILES[name].isdisjoint(words)
        and "force-conf" not in (arguments or "")
    ):
        return True  # where a package brings other settings than the host has, dpkg offers a shell
    if name == "dpkg" and not {"-l", "--list"}.isdisjoint(words) and "--no-pager" not in words:
        return not grant.is_noexec
    if name == "dmesg" and re.search(r"(?:^|\s)(?:-[a-zA-Z]*H|--human)", arguments or ""):
        return not grant.is_noexec
    is_asked = name in _ASKED and any(re.match(rf"-[a-zA-Z]*{_ASKED[name]}", word) for word in words)
    if name == "sqlite" and sum(not word.startswith("-") for word in words) == 1:
        is_asked = True  # a database and no statement
    if is_asked or (name in table["shells"] and _STDIN.search(arguments or "")):
        return True  # it waits for commands
    started = [_base(word) for word in words if not word.startswith("-") and "=" not in word]
    reads_orders = name in table["settings"] | table["runs"] | table["manages"] and name not in _WALKS
    is_script = name in table["shells"] and not any(re.match(r"-[a-z]*[ce]", word) for word in words)
    if (reads_orders or is_script) and _is_led(command, rules):  # then it does what others write there
        return True
    if name in table["settings"] | table["shells"] and any(_HERE.fullmatch(word) for word in words[:2]):
        return True
    if (
        name == "python"
        and re.search(r"(?:^|\s)-m", arguments or "")
        and not re.match(r"-[a-zA-LN-Z]*[IP]", arguments or "")
    ):
        return True  # it takes the module from where whoever calls stands
    if name in table["here"] and not any(_PATH.fullmatch(word) for word in words):
        return True
    if name == "fail2ban-client" and "set" in words and {"action", "addaction"}.intersection(words):
        return True
    if name in table["shells"]:  # with options alone: it waits for commands
        return all(word.startswith("-") for word in words) and not any(
            re.match(r"-[a-z]*[cem]", word) for word in words
        )
    if name in table["runs"]:
        return not (table["shells"] | table["escapes"] | table["pagers"]).isdisjoint(started)
    if name in {"tee", "dd"}:  # what they write comes from whoever calls
        return any(_BY_ROOT.match(word.removeprefix("of=")) for word in words if not word.startswith("if="))
    if name in {"cp", "mv", "install", "rsync", "ln", "tar", "unzip"}:
        return any(_BY_ROOT.match(word) for word in words) and any(_ANYBODYS.match(word) for word in words)
    return False


def _becomes(words: list[str]) -> str:
    """Return whom su and runuser make of whoever calls."""
    rest = iter(words)
    for word in rest:
        if re.fullmatch(
            r"-[a-zA-Z]*[cgGsTwC]|--(?:command|session-command|group|supp-group|shell|whitelist-environment)", word
        ):
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return "root"


def _is_named_in(names: Iterable[str]) -> bool:
    every = frozenset().union(*ways().values())
    return any(_base(name) in every for name in names)


def _base(path: str) -> str:
    """Return a program's name without folder and version."""
    name = posixpath.basename(path)
    while name not in frozenset().union(*ways().values()) and (shorter := _VERSION.sub("", name)) not in {"", name}:
        name = shorter
    return name
