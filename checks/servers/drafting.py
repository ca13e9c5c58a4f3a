"""A draft of a host's approved state: what the host last said, as the tables of `[checks.declared.host.ID]`.

It is to be read by somebody who knows what belongs there, before it is approved: whatever has crept in is in it too. What
could not be found out is left out and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from checks.servers.baseline import Baseline
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, Probe, shown
from checks.servers.probes import (
    addresses,
    apt_sources,
    authorized_keys,
    boot_units,
    cron_files,
    dnf_sources,
    enabled_units,
    etc_files,
    group,
    hosting,
    identity,
    passwd,
    serial,
)

PROBES: tuple[Probe[Any], ...] = (
    *(addresses.PROBE, apt_sources.PROBE, authorized_keys.PROBE, cron_files.PROBE, dnf_sources.PROBE),
    *(
        boot_units.PROBE,
        enabled_units.PROBE,
        etc_files.PROBE,
        group.PROBE,
        hosting.PROBE,
        identity.PROBE,
        passwd.PROBE,
        serial.PROBE,
    ),
)
"""What a draft is made of."""
CONFIG_FILES = (
    *("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*", "/etc/pam.d/*", "/etc/sudoers", "/etc/sudoers.d/*"),
    *("/etc/hosts", "/etc/nsswitch.conf", "/etc/fstab", "/etc/login.defs", "/etc/security/*", "/etc/ld.so.preload"),
    *(
        "/etc/sysctl.conf",
        "/etc/sysctl.d/*",
        "/etc/nftables.conf",
        "/etc/nftables.d/*",
        "/etc/ufw/*",
        "/etc/firewalld/*",
    ),
    *("/etc/fail2ban/*.local", "/etc/fail2ban/jail.d/*", "/etc/audit/*", "/etc/rsyslog.conf", "/etc/rsyslog.d/*"),
    *("/etc/apt/sources.list", "/etc/apt/sources.list.d/*", "/etc/apt/apt.conf.d/*", "/etc/yum.repos.d/*"),
    *("/etc/dnf/dnf.conf", "/etc/systemd/system/*", "/etc/chrony/*", "/etc/nginx/*", "/etc/apache2/*", "/etc/httpd/*"),
    *("/etc/php/*", "/etc/haproxy/*", "/etc/keepalived/*", "/etc/postgresql/*", "/etc/mysql/*", "/etc/my.cnf*"),
    *("/usr/local/libexec/*",),
)
"""Of the files that are looked at, those that a draft names: settings that decide who comes in and what runs."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def draft(facts: Facts) -> str:
    """Return TOML to be read and approved; it declares nothing that the configuration would refuse."""
    kept: dict[str, object] = {}
    left_out: dict[str, str] = {}
    for name, value in host_tables(facts):
        if isinstance(value, MissingFact):
            left_out[name] = shown(str(value.seen), 160)
            continue
        try:
            Baseline.model_validate({name: value})
        except ValidationError:
            left_out[name] = "what the host says cannot be declared as it stands"
        else:
            kept[name] = value
    lines = [f"# {name} is left out: {why}" for name, why in left_out.items()]
    return "\n".join((*lines, *written(("checks", "declared", "host", facts.host.id), kept), ""))


def host_tables(facts: Facts) -> Iterator[tuple[str, object]]:
    """Yield each table of an approved state with what the host said, or why that is missing."""
    names, number = facts.get(identity.PROBE), facts.get(serial.PROBE)
    lacking = facts.lacking(identity.PROBE, serial.PROBE)
    if lacking is not None:
        yield "identity", lacking
    elif not isinstance(names, MissingFact):
        yield "identity", {"machine_id": names.machine_id, "hostname": names.hostname, "serial": number}
    ground = facts.get(hosting.PROBE)
    yield (
        "hosting",
        ground
        if isinstance(ground, MissingFact)
        else {"vendor": ground.vendor, "virtualization": ground.virtualization},
    )
    held = facts.get(addresses.PROBE)
    yield (
        "address_ranges",
        held
        if isinstance(held, MissingFact)
        else sorted({str(one.address) for one in held if not (one.address.is_loopback or one.address.is_link_local)}),
    )
    yield "changes", {"since": facts.at.replace(microsecond=0)}
    accounts, groups = facts.get(passwd.PROBE), facts.get(group.PROBE)
    yield "accounts", accounts if isinstance(accounts, MissingFact) else sorted({one.name for one in accounts})
    yield (
        "login_accounts",
        accounts if isinstance(accounts, MissingFact) else sorted({one.name for one in accounts if one.has_shell}),
    )
    yield "groups", groups if isinstance(groups, MissingFact) else sorted({one.name for one in groups})
    units = facts.get(enabled_units.PROBE)
    boot = facts.get(boot_units.PROBE)
    extra = () if isinstance(boot, MissingFact) else boot.extra.values()
    yield "enabled_units", units if isinstance(units, MissingFact) else sorted({*units, *extra})
    cron = facts.get(cron_files.PROBE)
    yield "cron_files", cron if isinstance(cron, MissingFact) else dict(sorted(cron.items()))
    files = facts.get(etc_files.PROBE)
    yield "config_files", files if isinstance(files, MissingFact) else _deciding(files)
    apt, dnf = facts.get(apt_sources.PROBE), facts.get(dnf_sources.PROBE)
    if not isinstance(apt, MissingFact):
        yield "repositories", sorted(apt.names | apt.ways | apt.keys)
    else:
        yield "repositories", apt if isinstance(dnf, MissingFact) else sorted(dnf.names)
    keys = facts.get(authorized_keys.PROBE)
    yield (
        "members",
        keys if isinstance(keys, MissingFact) else _members([(one.account, one.fingerprint) for one in keys.keys]),
    )


def _deciding(files: Mapping[str, str]) -> dict[str, str]:
    return {
        path: files[path]
        for path in sorted(files)
        if not etc_files.is_keyed(files[path]) and any(fnmatchcase(path, pattern) for pattern in CONFIG_FILES)
    }


def _members(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return a member for each account, by the account's name: whose it is only a person knows."""
    return {
        account: {"keys": sorted({key for each, key in pairs if each == account}), "accounts": [account]}
        for account in sorted({account for account, _ in pairs})
    }


def written(path: tuple[str, ...], table: Mapping[str, object]) -> Iterator[str]:
    """Yield the lines of a table and of those in it as TOML."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if plain or len(table) == 0:
        if path:
            yield f"[{'.'.join(_key(part) for part in path)}]"
        for key, value in plain.items():
            yield f"{_key(key)} = {_value(value)}"
        yield ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from written((*path, key), value)


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)


def _value(value: object) -> str:
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Mapping):  # in a list; else it is a table of its own
        return "{ " + ", ".join(f"{_key(str(key))} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        inner = ",\n".join(f"    {_value(one)}" for one in value)
        return f"[\n{inner},\n]" if value else "[]"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    """Return a basic string of TOML; what does not print is escaped, whatever a host put in."""
    return (
        '"'
        + "".join(letter if letter.isprintable() and letter not in '"\\' else _escaped(letter) for letter in text)
        + '"'
    )


def _escaped(letter: str) -> str:
    return f"\\{letter}" if letter in '"\\' else f"\\U{ord(letter):08x}"
