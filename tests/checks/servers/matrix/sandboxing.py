"""What strangers reach, and how the kernel confines it."""

from tests.checks.servers.matrix import Fault, Seed

_SERVICE = """
cat >/etc/systemd/system/portal-web.service <<'END'
[Service]
ExecStart=/usr/bin/python3 -m http.server 8089
{settings}
END
systemctl daemon-reload; systemctl restart portal-web
timeout 20 sh -c 'until ss -Htln sport = :8089 | grep -q .; do sleep 0.1; done'
"""
_NO_SERVICE = "systemctl stop portal-web; rm -f /etc/systemd/system/portal-web.service; systemctl daemon-reload"
_AS_ROOT = _SERVICE.format(settings="")
FAULTS = (
    Fault(
        "run.sandboxing",
        "as-root",
        good=f"[ ! -e /etc/systemd/system/portal-web.service ] || {{ {_NO_SERVICE}; }}",
        bad=_AS_ROOT,
        gone="rm -f $(command -v ss)",
        unknown="command-missing",
        on="web2",
    ),
)


def _seed(name: str, settings: str, fails: str = "", unknown: str = "") -> Seed:
    made = _SERVICE.format(settings=settings)
    return Seed("run.sandboxing", name, make=made, undo=_NO_SERVICE, fails=fails, unknown=unknown, on="web2")


SEEDS = (
    _seed(
        "root with mounts of its own and every capability",
        "NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=strict",
        fails="as-root",
    ),
    _seed(
        "another account that may read every file", "User=nobody\nAmbientCapabilities=CAP_DAC_OVERRIDE", fails="as-root"
    ),
    _seed("another account in the group disk", "User=nobody\nSupplementaryGroups=disk", fails="as-root"),
    _seed(
        "root with a filter that hinders nothing",
        "NoNewPrivileges=yes\nPrivateTmp=yes\nRestrictRealtime=yes",
        unknown="confinement-unproved",
    ),
    _seed("root in a name space of users that maps it to root", "PrivateUsers=yes", fails="as-root"),
    _seed("another account, without more", "User=nobody"),
    _seed(
        "root that the kernel confines",
        "NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=strict\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nSystemCallFilter=@system-service\n"
        "ProtectHome=yes\nPrivateDevices=yes\nProtectKernelTunables=yes\nTemporaryFileSystem=/run",
    ),
    *(
        _seed(
            name,
            "NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=strict\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nSystemCallFilter=@system-service\n"
            f"ProtectHome=yes\nProtectKernelTunables=yes\n{settings}",
            unknown="confinement-unproved",
        )
        for name, settings in (
            ("root that reaches the devices", "TemporaryFileSystem=/run"),
            (
                "root that may write units",
                "PrivateDevices=yes\nTemporaryFileSystem=/run\nReadWritePaths=/etc/systemd/system",
            ),
            (
                "root that finds /etc at another place",
                "PrivateDevices=yes\nTemporaryFileSystem=/run\nBindPaths=/etc:/mnt",
            ),
            ("root that reaches what bans", "PrivateDevices=yes\nInaccessiblePaths=-/run/systemd/private -/run/dbus"),
        )
    ),
    Seed(
        "run.sandboxing",
        "root on loopback",
        make=_AS_ROOT.replace("8089\n", "8089 --bind 127.0.0.1\n", 1),
        undo=_NO_SERVICE,
        unknown="root-behind-loopback",
        on="web2",
    ),
    _seed(
        "root without capabilities that may write what root owns",
        "NoNewPrivileges=yes\nPrivateTmp=yes\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nSystemCallFilter=~@clock",
        unknown="confinement-unproved",
    ),
    Seed(
        "run.sandboxing",
        "a service that is declared",
        make=_AS_ROOT,
        undo=_NO_SERVICE,
        declared={"root_services": ["portal-web.service"]},
        on="web2",
    ),
)
