"""Who may become whom by sudo, with which commands: `cvtsudoers -f json`, as cvtsudoers(1) has it; it follows the included files.

The file is the one that sudo itself names as that of its policy (`sudo -V`), for sudo.conf(5) may name another; where it names
none, the policy is another one. Filters of cvtsudoers.conf are left out.

Before it, the host's name, where else sudo looks for rules and where the host looks for groups (nsswitch.conf(5)), and of each path that a rule names, be it a program or an argument, what it is in
truth, and whether somebody else than root can change it or a folder above it. Where sudo keeps the PATH of whoever calls, that is told too:

    host web1
    sources files
    groups files systemd
    setting !secure_path
    program|/usr/local/bin/deploy|/usr/local/bin/deploy|kept

An older sudo, or one of a package apart, has no such program; then nothing is known of its rules.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.servers.probe import Output, Probe, Unparseable
from checks.servers.redaction import JSON
from portalops.json_text import read_json
from portalops.model.message import msg

_SCRIPT = r"""
command -v cvtsudoers >/dev/null || {
  command -v sudo >/dev/null || exit 127
  echo "sudo without cvtsudoers" >&2
  exit 1
}
V=$(LC_ALL=C sudo -V 2>/dev/null </dev/null)
F=$(printf '%s\n' "$V" | sed -n 's/^Sudoers path: //p' | tr : '\n' | while IFS= read -r f; do
  [ ! -e "$f" ] || { printf '%s\n' "$f"; break; }
done)
J=$(cvtsudoers -c /dev/null -f json "${F:-/etc/sudoers}") || exit 1
[ "$F" ] || echo 'policy other'
case $V in *"override user's "*) ;; *'Sudoers path: '*'preserve:'*) echo 'setting !secure_path' ;; esac
for f in /usr/lib/*/systemd/libsystemd-shared-[0-9]*.so /usr/lib/systemd/libsystemd-shared-[0-9]*.so /lib/systemd/libsystemd-shared-[0-9]*.so; do
  [ ! -f "$f" ] || { f=${f##*-shared-}; echo "systemd ${f%%[!0-9]*}"; break; }
done
printf 'host %s\n' "$(uname -n)"
printf 'sources %s\n' "$(echo $(sed -n 's/^sudoers:\([^#]*\).*/\1/p' /etc/nsswitch.conf 2>/dev/null))"
printf 'groups %s\n' "$(echo $(sed -n 's/^group:\([^#]*\).*/\1/p' /etc/nsswitch.conf 2>/dev/null))"
pam() {
  [ "$2" -lt 5 ] && sed 's/#.*//' "/etc/pam.d/$1" 2>/dev/null | while read -r T C R; do
    M=${R%%[[:space:]]*}
    case "$T $C" in
    @include\ *) pam "$C" $(($2 + 1)) ;;
    auth\ include | auth\ substack | -auth\ include | -auth\ substack) pam "$M" $(($2 + 1)) ;;
    auth\ \[* | -auth\ \[*)
      L="$C $R" Q=${R#*]}
      Q=${Q#"${Q%%[![:space:]]*}"} Q=${Q%%[[:space:]]*}
      echo "pam ${L%%]*}] ${Q##*/}" ;;
    auth\ * | -auth\ *) echo "pam $C ${M##*/}" ;;
    esac
  done
}
pam sudo 0
printf '%s\n' "$J" | sed -n 's/^.*"command": "\(\/[^"]*\)".*/\1/p' | tr ' ' '\n' | sed -nE 's/^(-[^\/]*|[^\/=]*=)?(\/.+)$/\2/p' |
grep -v -e '[][*?\\|]' | sort -u | head -n 400 |
while IFS= read -r p; do
  r=$(readlink -f -- "$p" 2>/dev/null)
  w=$(printf '%s\n%s\n' "$p" "$r" | awk -F/ '/^\// { x = ""; for (i = 2; i <= NF; i++) { x = x "/" $i; print x } }' | sort -u |
    xargs -d '\n' stat -L -c '%u %g %A' -- / 2>/dev/null |
    awk '$1 != 0 || substr($3, 9, 1) == "w" || (substr($3, 6, 1) == "w" && $2 != 0) { w = 1 } END { print w ? "loose" : "kept" }')
  printf 'program|%s|%s|%s\n' "$p" "$(printf %s "$r" | tr '|\n' '??')" "$w"
done
printf '%s\n' "$J"
"""
_ROOT = frozenset({"root", "#0", "ALL"})
_MOST_NESTED = 32


@dataclass(frozen=True, slots=True)
class SudoCommand:
    """One command of a rule."""

    text: str
    """As sudoers(5) has it: a path, perhaps with arguments, `sudoedit` and a path, or `ALL`."""
    program: str
    """Its path, or `sudoedit`, or `ALL`."""
    arguments: str | None
    """None where every argument is allowed; empty where none is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule: who may run what as whom on this host."""

    who: tuple[str, ...]
    """Accounts, `%group`, `+netgroup`, `#number` or `ALL`; aliases resolved, at any depth."""
    commands: tuple[SudoCommand, ...]
    """Those that are allowed, with aliases resolved; what is forbidden beside `ALL` forbids nothing, as sudoers(5) says."""
    is_password_asked: bool
    is_password_off_by_default: bool
    """A `Defaults` line turns it off for this rule."""
    targets: frozenset[str]
    """As whom they run."""
    is_as_root: bool
    """As root; as everybody, even with root excepted; or with a group that is as good."""
    is_noexec: bool
    sets_environment: bool
    """Whoever calls may set every variable, LD_PRELOAD among them."""


@dataclass(frozen=True, slots=True)
class SudoProgram:
    """What a rule's program is."""

    real: str
    """Behind symbolic links; empty where nothing is there."""
    is_loose: bool
    """Somebody else than root owns or may write it or a folder above it."""


@dataclass(frozen=True, slots=True)
class Sudoers:
    """All rules for this host."""

    grants: tuple[Grant, ...]
    unlogged_by: str = ""
    """The setting by which sudo writes some uses not into the system's log, or in another form, for everyone or for some; empty
    where there is none: it writes them by default."""
    kept_for_ever: str = ""
    """The setting by which one password counts until the next boot, or for more than a day."""
    sources: tuple[str, ...] = ()
    """Where else than in files sudo looks for rules; `sudo.conf` where another policy than that of sudoers decides."""
    programs: Mapping[str, SudoProgram] = field(default_factory=dict)
    pam: tuple[tuple[str, str], ...] = ()
    """Control and module of each step by which PAM knows who calls sudo, included files followed; none in answers of versions
    before it was asked."""
    services: tuple[str, ...] = ("sudo", "sudo-i")
    """Of PAM, by which sudo knows who calls it: for commands, and for logins."""
    odd_settings: tuple[str, ...] = ()
    """Settings by which a command may do something else than it does by itself, or of which that is not known."""
    group_sources: tuple[str, ...] | None = None
    """Where the host looks for groups; None in answers of versions before it was asked."""
    systemd: int = 0
    """Its version; 0 where there is none that is known."""


def parse(output: Output) -> Sudoers:
    """Read what stands before the JSON of cvtsudoers, and that."""
    head, brace, text = output.text.replace("\r\n", "\n").partition("{")
    notes = [line for line in head.splitlines() if line.strip()]
    try:
        hostname = next((line.split()[1] for line in notes if line.startswith("host ") and len(line.split()) > 1), "")
        sources = next((line.split()[1:] for line in notes if line.startswith("sources")), [])
        sources += ["sudo.conf" for line in notes if line.startswith("policy ")]
        groups = next((line.split()[1:] for line in notes if line.startswith("groups")), None)
        systemd = next((int(line.split()[1]) for line in notes if line.startswith("systemd ")), 0)
        programs = {}
        for line in notes:
            if line.startswith("program|"):
                _, path, real, state = line.split("|")
                programs[path] = SudoProgram(real, {"loose": True, "kept": False}[state.strip()])
        steps = [line[4:].rsplit(" ", 1) for line in notes if line.startswith("pam ")]
        pam = tuple((control.strip(), module) for control, module in steps)
        document = read_json(brace + text)
        rules = _Rules(document, hostname)
        grants = tuple(rules.grants())
        unlogged_by = next((each for entry in document.get("Defaults", ()) for each in _unlogged(entry)), "")
        named = {
            str(value)
            for entry in document.get("Defaults", ())
            for option in entry.get("Options", ())
            for name, value in option.items()
            if name in {"pam_service", "pam_login_service", "pam_askpass_service"}
        }
        odd = [line.removeprefix("setting ").strip() for line in notes if line.startswith("setting ")]
        odd += [each for entry in document.get("Defaults", ()) for each in _odd(entry)]
        odd += [each for spec in document["User_Specs"] for one in spec["Cmnd_Specs"] for each in _odd(one)]
        sources += ["group_plugin" for one in odd if one.startswith("group_plugin=")]
        kept = next((each for entry in document.get("Defaults", ()) for each in _kept_for_ever(entry)), "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unparseable(msg("the rules of sudo cannot be parsed")) from error
    return Sudoers(
        grants,
        unlogged_by,
        kept,
        tuple(one for one in sources if one != "files" and one[0] != "["),
        programs,
        pam,
        tuple(dict.fromkeys(("sudo", "sudo-i", *sorted(named)))),
        tuple(dict.fromkeys(odd)),
        None if groups is None else tuple(one for one in groups if not re.search(r"[]=[]", one)),
        systemd,
    )


def _unlogged(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings of sudoers(5) without which a use would be in the system's log, in sudo's own form."""
    for option in entry.get("Options", ()):
        for name, value in option.items():
            is_off = name in {"syslog", "log_allowed"} and value is False
            is_nowhere = name == "syslog_goodpri" and value in {False, "none"}
            if is_off or is_nowhere or (name == "log_format" and value != "sudo"):
                yield f"!{name}" if value is False else f"{name}={value}"


def _kept_for_ever(entry: Mapping[str, Any]) -> Iterator[str]:
    for option in entry.get("Options", ()):
        for name, value in option.items():
            if name == "timestamp_timeout" and not 0 <= float(value) <= _A_DAY:
                yield f"{name}={value}"


_UNDERSTOOD = re.compile(
    r"(?:always_query_group_plugin|always_set_home|admin_flag|apparmor_profile|authenticate|authfail_message|badpass_message|case_insensitive_\w+|closefrom"
    r"|cmddenial_message|command_timeout|compress_io|editor|env_editor|env_reset|exec_background|exempt_group|fast_glob|fdexec|fqdn|ignore_\w+|insults|intercept\w*"
    r"|iolog_\w+|lecture(?!_file)\w*|listpw|log_\w+|logfile|loglinelen|long_otp_prompt|mail(?!erpath|erflags)\w+|match_group_by_gid|maxseq|netgroup_tuple|noexec|noninteractive_auth"
    r"|notafter|notbefore|pam_\w+|passprompt\w*|passwd_timeout|passwd_tries|path_info|preserve_groups|pwfeedback|requiretty|rlimit_\w+|role|root_sudo"
    r"|rootpw|runas_allow_unknown_id|runas_check_shell|runas_default|runaspw|runcwd|secure_path|selinux|sendmail|server_\w+|set_home|set_logname|set_utmp"
    r"|setenv|shell_noargs|stay_setuid|sudoedit_checkdir|sudoedit_follow|sudoers_locale|syslog\w*|targetpw|timestamp_timeout|timestamp_type|tty_tickets|type|umask|umask_override|use_loginclass|use_netgroups|use_pty|user_command_timeouts|utmp_runas|verifypw|visiblepw|xauth\w*)"
)
"""Settings of sudoers(5) by which no command does more than it does by itself, whatever their value is; others are told."""
_PLAIN_VARIABLES = re.compile(
    r"(?:LANG|LANGUAGE|LINGUAS|LC_\*|LC_[A-Z]+|_XKB_CHARSET|TZ|TERM|COLORTERM|COLORS|(?:LS|DPKG|GREP)_COLORS?|DISPLAY|XAUTHORITY|XAUTHORIZATION|HOSTNAME"
    r"|HISTSIZE|KDEDIR|QTDIR|MAIL|PS1|PS2|PATH|USER|USERNAME|LOGNAME|SSH_(?:AUTH_SOCK|AGENT_PID|CLIENT|CONNECTION|TTY)|GPG_AGENT_INFO|\w+_proxy|[A-Z]+_PROXY|(?:DEB)?EMAIL|DEBFULLNAME"
    r"|GIT_(?:AUTHOR|COMMITTER)_\*|XDG_(?:CURRENT_DESKTOP|RUNTIME_DIR|SEAT|VTNR|SESSION_\w+)|KRB5CCNAME|EDITOR|VISUAL|SUDO_\w+|DEBIAN_FRONTEND|TMOUT|WINDOWID)"
)
"""Variables of the caller that programs do not take orders from; `PATH` gives way to `secure_path`, and editors are judged as such."""
_LOOSE = re.compile(r"(?:^|:)(?:/home|/tmp|/var/tmp|/srv|/opt|[^/]|:|$)")
"""A folder of programs that somebody else than root may write, perhaps."""
_A_DAY = 1440.0
_AS_BUILT = {
    ("mailerpath", "/usr/sbin/sendmail"),
    ("mailerflags", "-t"),
    ("timestampdir", "/run/sudo/ts"),
    ("timestampowner", "root"),
}
"""Settings that say what holds without them."""


def _odd(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the settings that are not understood, as `NAME=VALUE`."""
    binding = [_kind(one) for one in entry.get("Binding", ())]
    if binding and all(one in {("username", "root"), ("userid", "0")} for one in binding):
        return
    for option in entry.get("Options", ()):
        is_removal = option.get("operation") == "list_remove"
        for name, value in option.items():
            if name == "operation":
                continue
            if name == "env_keep" and isinstance(value, list):
                names = () if is_removal else (str(one).partition("=")[0] for one in value)
                yield from (f"env_keep={each}" for each in names if not _PLAIN_VARIABLES.fullmatch(each))
            elif name in {"env_check", "env_delete"}:
                if is_removal or value is False or option.get("operation") == "list_assign":
                    yield name
            elif (name, value) in _AS_BUILT:
                continue
            elif (name, value) in {("secure_path", False), ("sudoedit_checkdir", False), ("sudoedit_follow", True)}:
                yield name if value else f"!{name}"
            elif value is not False and (
                not _UNDERSTOOD.fullmatch(name) or (name == "secure_path" and _LOOSE.search(str(value)))
            ):
                yield f"{name}={value}"


_Member = Mapping[str, Any]


class _Rules:
    """The document with what its aliases and defaults stand for."""

    def __init__(self, document: Mapping[str, Any], hostname: str) -> None:
        self._document = document
        self._hostname = hostname.lower()
        self._defaults: Sequence[_Member] = document.get("Defaults", ())
        self._default_target = next(
            (str(value) for entry in self._defaults if (value := _option(entry.get("Options", ()), "runas_default"))),
            "root",
        )

    def grants(self) -> Iterator[Grant]:
        for spec in self._document["User_Specs"]:
            if not self._is_here(spec.get("Host_List", ())):
                continue
            who = self._names(spec["User_List"], "User_Aliases", "useralias")
            for each in spec["Cmnd_Specs"]:
                options = each.get("Options", ())
                groups = self._names(each.get("runasgroups", ()), "Runas_Aliases", "runasalias")
                targets = self._targets(each)
                authenticate = _option(options, "authenticate")
                yield Grant(
                    who,
                    tuple(self._commands(each["Commands"])),
                    authenticate is not False,
                    authenticate is None and self._is_off(who),
                    targets,
                    bool(targets & _ROOT) or bool({one.removeprefix("%") for one in groups} & _AS_GOOD),
                    _option(options, "noexec") is True or self._default("noexec"),
                    _option(options, "setenv") is True
                    or self._default("setenv")
                    or not self._default("env_reset", other=True),
                )

    def _targets(self, each: _Member) -> frozenset[str]:
        if "runasusers" in each:
            # everybody but some is everybody: sudoers(5) warns of lists that forbid
            members = [one for one in each["runasusers"] if not one.get("negated")]
            return frozenset(self._names(members, "Runas_Aliases", "runasalias")) - {""}
        return frozenset() if "runasgroups" in each else frozenset({self._default_target})

    def _is_here(self, hosts: Sequence[_Member], depth: int = 0) -> bool:
        """Say whether a list of hosts may mean this one: the last that matches counts; what is no plain name may match."""
        is_here = not hosts
        for one in hosts:
            (kind, value), negated = _kind(one), bool(one.get("negated"))
            if kind == "hostalias":
                matches = depth < _MOST_NESTED and self._is_here(self._alias("Host_Aliases", value), depth + 1)
                certain = True
            elif kind == "hostname" and value != "ALL":
                own = {self._hostname, self._hostname.partition(".")[0]}
                matches = not self._hostname or any(
                    fnmatch.fnmatchcase(name, pattern)
                    for name in own
                    for pattern in {value.lower(), value.lower().partition(".")[0]}
                )
                certain = bool(self._hostname)
            else:
                matches, certain = True, value == "ALL"
            if matches and (certain or not negated):
                is_here = not negated
        return is_here

    def _names(self, members: Sequence[_Member], table: str, kind_of_alias: str, depth: int = 0) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for one in members:
            kind, value = _kind(one)
            if kind == kind_of_alias:
                names = (
                    self._names(self._alias(table, value), table, kind_of_alias, depth + 1)
                    if depth < _MOST_NESTED
                    else ("ALL",)
                )
            else:
                names = (f"{_PREFIX.get(kind, '')}{value}",)
            for name in names:
                if one.get("negated"):
                    found.pop(name, None)
                else:
                    found[name] = None
        return tuple(found)

    def _commands(self, members: Sequence[_Member]) -> list[SudoCommand]:
        found: dict[str, SudoCommand] = {}
        for text, negated in self._texts(members):
            if not negated:
                found[text] = _command(text)
            elif text == "ALL":
                found.clear()
            else:
                found.pop(text, None)
        return list(found.values())

    def _texts(
        self, members: Sequence[_Member], *, negated: bool = False, depth: int = 0
    ) -> Iterator[tuple[str, bool]]:
        for one in members:
            kind, value = _kind(one)
            is_negated = negated != bool(one.get("negated"))
            if kind != "cmndalias":
                yield value, is_negated
            elif depth < _MOST_NESTED and value in self._document.get("Command_Aliases", {}):
                yield from self._texts(self._alias("Command_Aliases", value), negated=is_negated, depth=depth + 1)
            elif not is_negated:
                yield "ALL", False

    def _alias(self, table: str, name: str) -> Sequence[_Member]:
        found: Sequence[_Member] = self._document.get(table, {})[name]
        return found

    def _is_off(self, who: Sequence[str]) -> bool:
        """Say whether a line of Defaults turns the password off for these accounts."""
        for entry in self._defaults:
            options = entry.get("Options", ())
            if _option(options, "authenticate") is not False and not _option(options, "exempt_group"):
                continue
            binding = entry.get("Binding", ())
            kinds = {_kind(one)[0] for one in binding}
            if kinds & {"hostname", "hostalias", "networkaddr"}:
                if self._is_here(binding):
                    return True
            elif kinds & {"username", "usergroup", "useralias", "userid", "usergid", "netgroup"}:
                bound = set(self._names(binding, "User_Aliases", "useralias"))
                # a group may hold an account, and a rule for all is one for each
                if bound & set(who) or "ALL" in bound | set(who) or any(one[:1] in "%+#" for one in (*bound, *who)):
                    return True
            else:  # for everybody, or for some targets or commands
                return True
        return False

    def _default(self, name: str, *, other: bool = False) -> bool:
        found = [_option(entry.get("Options", ()), name) for entry in self._defaults]
        return bool(next((each for each in reversed(found) if each is not None), other))


_PREFIX = {"usergroup": "%", "nonunixgroup": "%:", "netgroup": "+", "userid": "#", "usergid": "%#"}
_AS_GOOD = frozenset(
    {"ALL", "root", "#0", "shadow", "disk", "docker", "lxd", "incus-admin", "libvirt", "sudo", "wheel", "admin"}
)
"""Groups by which one becomes root."""


def _command(text: str) -> SudoCommand:
    program, blank, arguments = text.partition(" ")
    if text.startswith("^"):  # a regular expression of sudo 1.9.10
        return SudoCommand(text, program, arguments)
    return SudoCommand(text, program, "" if arguments.strip() == '""' else arguments.strip() if blank else None)


def _kind(member: _Member) -> tuple[str, str]:
    """Return what a member is, and its value; digests stand beside it."""
    return next(
        (
            (str(name), str(value))
            for name, value in member.items()
            if name != "negated" and not re.fullmatch("sha[0-9]+", name)
        ),
        ("", ""),
    )


def _option(options: Sequence[Mapping[str, object]], name: str) -> object:
    return next((option[name] for option in options if name in option), None)


PROBE = Probe("acct.sudoers", ("sh", "-c", _SCRIPT), parse, needs_root=True, form=JSON)
