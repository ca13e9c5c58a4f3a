"""Whether dnf's fixes install themselves: the timers of dnf-automatic, their last runs, and two settings. RHEL and AlmaLinux.

Sources: dnf-automatic(8), dnf.conf(5), systemctl(1). Only two settings are read; the rest of the file may hold the password of a mail
server. Of the other ones that dnf heeds, and of the units' directives, those are named that are not known to leave a run alone. Captured with systemd 257 on Debian and units of these names; not run on RHEL or AlmaLinux.

    LastTriggerUSec=Thu 2026-11-26 08:47:25 UTC
    Result=success
    Id=dnf-automatic.timer
    LoadState=loaded
    ActiveState=active
    UnitFileState=enabled

    Result=success
    ExecMainExitTimestamp=Thu 2026-11-26 08:47:31 UTC
    Id=dnf-automatic.service
    LoadState=loaded
    ActiveState=inactive
    UnitFileState=static

    set upgrade_type = default
    set apply_updates = no
    end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.probes.systemd_units import refuse_without_systemd
from portalops.model.message import msg

_SCRIPT = r"""
command -v dnf >/dev/null || exit 127
systemctl show --no-pager -p Id,LoadState,ActiveState,UnitFileState,LastTriggerUSec,Result,ExecMainExitTimestamp \
  dnf-automatic.timer dnf-automatic-install.timer dnf5-automatic.timer \
  dnf-automatic.service dnf-automatic-install.service dnf5-automatic.service || exit $?
echo
for f in /usr/share/dnf5/dnf5-plugins/automatic.conf /etc/dnf/automatic.conf; do
  [ -f "$f" ] || continue
  awk '/^[ \t]*\[/ { s = $0; gsub(/^[ \t]*\[|\].*/, "", s); next }
    !/^[ \t]*[A-Za-z_.]+[ \t]*[=:]/ { next }
    { k = $0; gsub(/^[ \t]+|[ \t]*[=:].*/, "", k) }
    s == "commands" && k ~ /^(apply_updates|upgrade_type)$/ { sub(/^[ \t]*/, ""); print "set " $0; next }
    s == "commands" && k !~ /^(random_sleep|network_online_timeout|download_updates|reboot|reboot_command)$/ || s == "base" && k != "debuglevel" { print "other " s ":" k }' "$f" || exit $?
done
[ ! -f /etc/dnf/dnf.conf ] || awk '
  /^[ \t]*[A-Za-z_.]+[ \t]*=/ { k = $0; gsub(/^[ \t]+|[ \t]*=.*/, "", k)
    if (k !~ /^(gpgcheck|localpkg_gpgcheck|repo_gpgcheck|installonly_limit|clean_requirements_on_remove|best|skip_if_unavailable|fastestmirror|max_parallel_downloads|keepcache|defaultyes|assumeyes|debuglevel|errorlevel|color|deltarpm|ip_resolve|minrate|timeout|retries|throttle|bandwidth|metadata_expire|install_weak_deps|protected_packages|zchunk|exclude|excludepkgs|includepkgs|proxy(_[a-z]+)?|sslverify|sslcacert|user_agent|countme|strict|tsflags|log_.*|logfilelevel|history_record)$/) print "other dnf:" k }' /etc/dnf/dnf.conf
systemctl cat dnf-automatic.timer dnf-automatic-install.timer dnf5-automatic.timer dnf-automatic.service dnf-automatic-install.service dnf5-automatic.service 2>/dev/null | awk '
  /^[ \t]*([#;[]|$)/ { next }
  { sub(/^[ \t]+/, ""); sub(/[ \t]*=[ \t]*/, "=") }
  /^(Description|Documentation|After|TimeoutStopSec|Nice|IOScheduling[A-Za-z]*|CPUScheduling[A-Za-z]*|CPUWeight|IOWeight|OnCalendar|OnBootSec|OnUnit(Ina|A)ctiveSec|RandomizedDelaySec|AccuracySec|Persistent|WakeSystem|WantedBy|OnFailure|OnSuccess)=/ { next }
  /^(ConditionPathExists=!\/run\/ostree-booted|Type=oneshot|Wants=network-online\.target|Environment="?ABRT_IGNORE_PYTHON=1"?|ExecStart=\/usr\/bin\/(dnf-automatic \/etc\/dnf\/automatic\.conf --timer( --installupdates --no-downloadupdates| --[a-z-]+)*|dnf5? automatic --timer))$/ { next }
  { sub(/=.*/, ""); gsub(/[^!-~]/, "?"); print "other unit:" substr($0, 1, 60) }'
echo end
"""
_SETTING = re.compile(r"set (apply_updates|upgrade_type)\s*[=:]\s*(\S*)$")
_OTHER = re.compile(r"other (\S{1,80})$")
_MOMENT = re.compile(r"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
_SWITCHES = {
    **dict.fromkeys(("1", "yes", "true", "on"), True),
    **dict.fromkeys(("0", "no", "false", "off"), False),
}
_NEVER = frozenset({"", "n/a", "0"})
_ALWAYS = "dnf-automatic-install.timer"
"""It installs whatever `apply_updates` says (dnf-automatic(8))."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer that the host has."""

    name: str
    is_on: bool
    """It is enabled and waits now."""
    always_installs: bool
    ran_at: datetime | None
    """When it last started its service; None if it never did."""
    result: str
    """Of the service's last run: `success`, `exit-code`, ... Before a first run, too, it is `success`."""
    is_result_lost: bool
    """The service has not ended since the host started: systemd keeps when the timer ran, and not how that ended."""


@dataclass(frozen=True, slots=True)
class DnfAutomatic:
    """How dnf-automatic is set up."""

    timers: tuple[Timer, ...]
    applies: bool
    """`apply_updates`, which is off where it is not written."""
    upgrade_type: str
    """`default` is all updates, `security` those with an advisory."""
    others: tuple[str, ...] = ()
    """Settings that are not known to leave a run alone: `base:excludepkgs`, `dnf:installroot`, `unit:Environment`."""


def parse(output: Output) -> DnfAutomatic:
    """Read the units and the settings, of which the last one counts."""
    refuse_without_systemd(output)
    text = output.text.replace("\r\n", "\n").rstrip()
    shown_units, _, rest = text.rpartition("\n\n")
    if not text.endswith("\nend"):
        raise Unparseable(msg("the listing of dnf-automatic is cut short"))
    settings = {"apply_updates": "no", "upgrade_type": "default"}
    others: list[str] = []
    for line in rest.strip().split("\n")[:-1]:
        if other := _OTHER.match(line.strip()):
            others.append(other[1])
            continue
        match = _SETTING.match(line.strip())
        if match is None:
            raise Unparseable(msg("a line of dnf-automatic's settings cannot be parsed: {line}", line=shown(line, 80)))
        settings[match[1]] = match[2]
    if settings["apply_updates"].lower() not in _SWITCHES:
        raise Unparseable(msg("dnf-automatic's apply_updates is {seen}", seen=shown(settings["apply_updates"], 20)))
    blocks = (dict(line.split("=", 1) for line in one.split("\n") if "=" in line) for one in shown_units.split("\n\n"))
    units = {one["Id"]: one for one in blocks if "Id" in one}
    if "dnf-automatic.timer" not in units:
        raise Unparseable(msg("systemd did not report whether dnf-automatic is installed"))
    timers = tuple(
        _timer(name, one, units.get(name.replace(".timer", ".service"), {}))
        for name, one in units.items()
        if name.endswith(".timer") and one.get("LoadState") == "loaded"
    )
    return DnfAutomatic(
        timers, _SWITCHES[settings["apply_updates"].lower()], settings["upgrade_type"], tuple(dict.fromkeys(others))
    )


def _timer(name: str, timer: dict[str, str], service: dict[str, str]) -> Timer:
    is_on = timer.get("UnitFileState") == "enabled" and timer.get("ActiveState") == "active"
    ran_at = _moment(timer.get("LastTriggerUSec", ""))
    is_lost = service.get("ExecMainExitTimestamp", "?") in _NEVER
    return Timer(name, is_on, name == _ALWAYS, ran_at, service.get("Result", ""), is_lost)


def _moment(said: str) -> datetime | None:
    if said in _NEVER:
        return None
    match = _MOMENT.fullmatch(said)
    try:
        if match is not None:
            return datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise Unparseable(msg("systemd wrote a time that cannot be parsed: {seen}", seen=shown(said, 40)))


PROBE = Probe("dnf.automatic", ("sh", "-c", _SCRIPT), parse, exit_codes=frozenset({0, 1}))
