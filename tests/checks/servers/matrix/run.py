"""Units and the clock. chronyd may not set the clock here and follows its source without (-x): this machine, at $STATION."""

from tests.checks.servers.matrix import Fault, Seed

_CHRONY = r"""
mkdir -p /etc/systemd/system/chrony.service.d
printf '[Unit]\nConditionCapability=\n' >/etc/systemd/system/chrony.service.d/portal.conf
printf 'DAEMON_OPTS="-x"\n' >/etc/default/chrony
printf '{source}\ncmdallow 127.0.0.1\n' >/etc/chrony/chrony.conf
systemctl daemon-reload; systemctl restart chrony
timeout 30 sh -c 'until chronyc -c tracking | grep -q {state}; do sleep 0.2; done'
"""
_FOLLOWING = _CHRONY.format(source="server '$STATION' iburst minpoll 4", state="Normal")
FAULTS = (
    Fault(
        "run.time-sync",
        "not-synchronised",
        good=_FOLLOWING,
        bad=_CHRONY.format(source="server 192.0.2.123", state="Not"),
        gone="rm -f $(command -v chronyc) $(command -v timedatectl)",
        unknown="command-missing",
    ),
    Fault(
        "run.failed-units",
        "unit-failed",
        good="systemctl reset-failed",
        bad="systemd-run --unit=portal-broken false; timeout 10 sh -c 'until systemctl is-failed -q portal-broken; do sleep 0.1; done'",
        gone="rm -f $(command -v systemctl)",
        unknown="command-missing",
    ),
)

_SERVICE = """
cat >/etc/systemd/system/portal-loop.service <<END
[Unit]
StartLimitIntervalSec=0
[Service]
{settings}
END
systemctl daemon-reload; systemctl start portal-loop; sleep {seconds}
"""
_NO_SERVICE = "systemctl stop portal-loop; systemctl reset-failed portal-loop || true; rm -f /etc/systemd/system/portal-loop.service; systemctl daemon-reload"
SEEDS = (
    Seed(
        "run.time-sync",
        "it follows itself",
        make=_CHRONY.format(source="local stratum 8", state="Normal"),
        undo=_FOLLOWING,
        fails="follows-itself",
    ),
    Seed(
        "run.time-sync",
        "its source listens at the host's own address",
        make="printf 'local stratum 5\\nport 1123\\ncmdport 0\\nbindcmdaddress /\\npidfile /run/portal-own.pid\\nallow\\n' >/root/own.conf; chronyd -x -f /root/own.conf\n"
        + _CHRONY.format(source="server 127.0.0.1 port 1123 iburst minpoll 4", state="Normal"),
        undo="kill $(cat /run/portal-own.pid)\n" + _FOLLOWING,
        fails="follows-itself",
    ),
    Seed(
        "run.time-sync",
        "one source of two is silent, and the own clock is a last resort",
        make=_CHRONY.format(
            source="server '$STATION' iburst minpoll 0 maxpoll 0\\nserver 192.0.2.123\\nlocal stratum 10",
            state="'$STATION'",
        )
        # as long as chronyd has few answers its error may grow by more than a second, and its own clock steps in
        + "sleep 12; timeout 30 sh -c 'until chronyc -c tracking | grep -q '$STATION'; do sleep 0.2; done'\n",
        undo=_FOLLOWING,
    ),
    Seed(
        "run.failed-units",
        "a service that fails and waits to be started again",
        make=_SERVICE.format(settings="ExecStart=/bin/false\nRestart=on-failure\nRestartSec=300", seconds=1),
        undo=_NO_SERVICE,
        fails="restart-loop",
    ),
    Seed(
        "run.failed-units",
        "a service that lives for a second at a time",
        make=_SERVICE.format(
            settings="ExecStart=/bin/sh -c 'sleep 0.9; exit 1'\nRestart=on-failure\nRestartSec=1ms", seconds=8
        ),
        undo=_NO_SERVICE,
        fails="restart-loop",
    ),
    Seed(
        "run.failed-units",
        "a job that begins again an hour after its good end",
        make=_SERVICE.format(settings="ExecStart=/bin/true\nRestart=always\nRestartSec=3600", seconds=1),
        undo=_NO_SERVICE,
    ),
    *(
        Seed(
            "run.failed-units",
            name,
            make=_SERVICE.format(settings=f"{settings}\n[Install]\nWantedBy=multi-user.target", seconds=1).replace(
                "start portal-loop", f"enable -q portal-loop; systemctl start portal-loop{more}"
            ),
            undo=f"systemctl disable -q portal-loop; {_NO_SERVICE}",
            fails=fails,
            unknown=unknown,
        )
        for name, settings, more, fails, unknown in (
            ("a job whose failure is ignored", "Type=oneshot\nExecStart=-/bin/false", "", "", "failure-ignored"),
            (
                "a job whose failure is forgotten",
                "Type=oneshot\nExecStart=/bin/true\nCollectMode=inactive-or-failed",
                "",
                "",
                "failure-forgotten",
            ),
            (
                "a job whose error is called a success",
                "Type=oneshot\nExecStart=/bin/sh -c 'exit 7'\nSuccessExitStatus=7",
                "",
                "",
                "failure-ignored",
            ),
            (
                "a job whose first step may fail",
                "Type=oneshot\nExecStartPre=-/bin/false\nExecStart=-/bin/true",
                "",
                "",
                "",
            ),
        )
    ),
    *(
        Seed(
            "run.failed-units",
            name,
            make="systemctl restart haproxy; sleep 3; mkdir -p /etc/systemd/system/haproxy.service.d\n" + make,
            undo="rm -r /etc/systemd/system/haproxy.service.d; sed -i /bindd/d /etc/haproxy/haproxy.cfg; sed -i /portal/d /etc/fstab; systemctl daemon-reload; systemctl restart haproxy",
            declared={"units": ["haproxy.service"]},
            unknown=unknown,
        )
        for name, make, unknown in (
            (
                "a declared service needs a mount that was never tried",
                "echo 'portal.invalid:/data /mnt/data nfs defaults,nofail 0 0' >>/etc/fstab\n"
                "printf '[Unit]\\nRequiresMountsFor=/mnt/data\\n' >/etc/systemd/system/haproxy.service.d/x.conf; systemctl daemon-reload",
                "declared-unit-requires",
            ),
            (
                "broken settings that no start has met",  # later than the start by more than the clocks may be off
                "sleep 4; echo 'bindd :80' >>/etc/haproxy/haproxy.cfg",
                "settings-newer",
            ),
            (
                "settings that a restart has loaded",
                "printf '[Service]\\nLimitNOFILE=4096\\n[Unit]\\nRequiresMountsFor=/var/lib/haproxy\\n' >/etc/systemd/system/haproxy.service.d/x.conf\n"
                "systemctl daemon-reload; touch /etc/haproxy/haproxy.cfg; systemctl restart haproxy",
                "",
            ),
        )
    ),
    Seed(
        "run.failed-units",
        "a service that never says that it runs",
        make=_SERVICE.format(
            settings="Type=notify\nTimeoutStartSec=infinity\nExecStart=/bin/sleep infinity", seconds=1
        ).replace("start portal-loop", "start --no-block portal-loop"),
        undo=_NO_SERVICE,
        unknown="between",
    ),
    Seed(
        "run.failed-units",
        "a long job that begins",
        make=_SERVICE.format(settings="Type=oneshot\nExecStart=/bin/sleep 300", seconds=1).replace(
            "start portal-loop", "start --no-block portal-loop"
        ),
        undo=_NO_SERVICE,
    ),
)
