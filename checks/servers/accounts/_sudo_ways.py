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
    {"df", "du", "echo", "fuser", "id", "ls", "lsof", "printf", "readlink", "realpath", "stat", "test", "true"}
)
"""Programs that show names and numbers of files, whatever these are."""
_ASKING = frozenset(
    {
        *(
            "chronyc",
            "ethtool",
            "free",
            "halt",
            "iostat",
            "iotop",
            "lsblk",
            "lscpu",
            "lspci",
            "lsusb",
            "mailq",
            "mpstat",
            "netstat",
        ),
        *(
            "ntpq",
            "ping",
            "poweroff",
            "ps",
            "reboot",
            "shutdown",
            "smartctl",
            "traceroute",
            "uname",
            "uptime",
            "vmstat",
            "whoami",
        ),
    }
)
"""Programs that show the machine's state, or stop it, whatever their arguments are."""
_SYSTEM = re.compile(r"(?:/usr)?/s?bin/[^/]+")
"""Where packages keep their programs."""
_KNOWN = {
    "aide": r".*(?:--check|-C)(?: .*)?",
    **dict.fromkeys(
        ("apache2", "apache2ctl", "apachectl", "httpd"),
        r"-t|-S|-v|-M|configtest|graceful|status|(?:-k )?(?:graceful|restart|start|stop)",
    ),
    "apt": r"(?:-\w+ |--[\w-]+ )*(?:update|list(?: --\w+)*|autoclean|clean)",
    "apt-get": r"(?:-\w+ |--[\w-]+ )*(?:update|check|autoclean|clean|(?:dist-)?upgrade)(?: -\w+| --[\w-]+)*",
    **dict.fromkeys(
        ("auditctl", "lvs", "vgs", "pvs", "sync", "zpool", "mdadm"), r"|-[ls]|status(?: \w+)?|--detail \S+"
    ),
    "certbot": r"renew(?: --quiet| -q| --dry-run)*|certificates",
    "crontab": r"-l",
    "dpkg": r"-l(?: .*)?|--audit",
    "fail2ban-client": r"ping|status(?: [\w-]+)?|reload(?: [\w-]+)?|unban [\w.:]+|set [\w-]+ (?:un)?banip [\w.:]+",
    "firewall-cmd": r"--reload|--state|--list-all",
    "haproxy": r"-c -f \S+",
    **dict.fromkeys(("hostnamectl", "timedatectl", "loginctl", "networkctl"), r"|status|show|list(?:-\w+)?"),
    **dict.fromkeys(("invoke-rc.d", "service"), r"[\w@.-]+ (?:start|stop|restart|reload|status|force-reload)"),
    **dict.fromkeys(("iptables", "ip6tables"), r"(?:-[nv]+ )*-[LS](?: -[nv]+| --line-numbers)*"),
    "journalctl": r".*",
    "logrotate": r"(?:-\w+ |--\w+ )*/etc/logrotate\.\S+",
    "needrestart": r"(?:-b|-r l)*",
    "nft": r"(?:-\w+ )*list [\w -]+",
    "nginx": r"-t|-T|-v|-V|-s (?:reload|quit|reopen|stop)",
    "php-fpm": r"-t|-tt",
    "sshd": r"-[tT].*",
    "systemctl": r"(?:--[\w=-]+ )*(?:(?:start|stop|(?:try-)?restart|reload|(?:try-)?reload-or-restart|status|is-\w+|show|enable|disable|reset-failed)(?: --?[\w=-]+)*(?: [\w@:.-]+)*"
    r"|daemon-reload|daemon-reexec|list-[\w-]+(?: --?[\w=-]+)*|reboot|poweroff|suspend|halt)(?: --?[\w=-]+)*",
    "ufw": r"status(?: \w+)?|reload|show \w+",
    "unattended-upgrade": r"(?:-\w+ ?|--[\w-]+ ?)*",
}
"""By program, the exact arguments with which it does nothing but what its name says, in files of root's alone."""
_SECRET = re.compile(
    r"/(?:etc/(?:g?shadow|sudoers|ssh/ssh_host|ssl/private|letsencrypt)|root|proc|dev|home)\b|[.](?:key|pem|p12|env)\b|pass|secret|token|/(?:|etc)$"
)
_WALKS = frozenset({"find", "fd", "fdfind"})
"""Programs that start others, and not what lies in the folders that they are given."""


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
    """Return those that take any arguments, and of whose program nothing is known."""
    return [
        command
        for command, _ in free_commands(rules)
        if command.arguments is None and _base(command.program) not in _SHOWING | _ASKING and command.program != "ALL"
    ]


def unclear(rules: Sudoers) -> list[SudoCommand]:
    """Return the exact commands of packages' programs of which it is not known that they do no more than they say."""
    return [command for command, grant in free_commands(rules) if is_unclear(command, grant, rules)]


def is_unclear(command: SudoCommand, grant: Grant, rules: Sudoers) -> bool:
    """Say whether a packaged program is let run with exact arguments, and nothing here knows what these make of it."""
    if reason_of(command, grant, rules) or command.arguments is None or not _SYSTEM.fullmatch(command.program):
        return False
    name, text = _base(command.program), " ".join(command.arguments.replace("\\", "").split())
    if name == "timeout" and (inner := re.fullmatch(r"(?:-k \d+ )?\d+[smh]? (/\S+)(?: (.*))?", text)):
        return is_unclear(SudoCommand(f"{inner[1]} {inner[2] or ''}", inner[1], inner[2] or ""), grant, rules)
    if name in _SHOWING | _ASKING or (name in _KNOWN and re.fullmatch(_KNOWN[name], text)):
        return False
    if name in {"su", "runuser"}:  # as whom, has been judged
        return " -c" in f" {text}" or "--command" in text
    if name in ways()["pagers"]:
        return bool(_SECRET.search(text))
    if name in ways()["shells"]:  # a script of root's own, as files.root-runs sees it
        return not re.match(r"(?:-[a-zA-Z]*[^\WcemE] )*/", text)
    if name in ways()["reads"] - {"restic", "sysctl", "date", "bridge", "arp", "ssh-keygen", "ssh-keyscan", "as"}:
        return (
            bool(_SECRET.search(text))
            or _is_led(command, rules)
            or re.search(r"(?:^| )-[a-z]*[owi]\b|--output|--in-place", text) is not None
        )
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
        return next((word for word in words if not word.startswith("-")), "root") == "root"
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


def _is_named_in(names: Iterable[str]) -> bool:
    every = frozenset().union(*ways().values())
    return any(_base(name) in every for name in names)


def _base(path: str) -> str:
    """Return a program's name without folder and version."""
    name = posixpath.basename(path)
    while name not in frozenset().union(*ways().values()) and (shorter := _VERSION.sub("", name)) not in {"", name}:
        name = shorter
    return name
