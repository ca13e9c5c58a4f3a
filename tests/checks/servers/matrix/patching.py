"""Fixes of the maker: a signed archive on the host itself, of what is installed and of two fixes."""

from tests.checks.servers.matrix import Fault, Seed

_NO_RELEASE = "sed -i 's/^VERSION_ID=.*/VERSION_ID=\"99\"/' /usr/lib/os-release"
_NO_LISTS = "rm -rf /var/lib/apt/lists/*"
FAULTS = (
    Fault(
        "patching.held",
        "security-fix-held",
        good="apt-mark unhold portal-lib; apt-get -q -y install portal-lib",
        bad="apt-get -q -y --allow-downgrades install portal-lib=1; apt-mark hold portal-lib",
        gone=f"apt-mark hold portal-lib; {_NO_LISTS}",
        unknown="no-security-source",
    ),
    Fault(
        "patching.security-updates",
        "updates-waiting",
        good="apt-get -q -y dist-upgrade",
        bad="apt-get -q -y --allow-downgrades install portal-tool=1",
        gone=_NO_LISTS,
        unknown="lists-empty",
    ),
    Fault(
        "patching.list-age",
        "lists-old",
        good="rm -f /var/lib/apt/lists/*Release; apt-get -q -y update; touch /var/lib/apt/periodic/update-success-stamp",
        bad=(
            "touch -d '5 days ago' /var/lib/apt/lists/partial; rm -f /var/lib/apt/periodic/update*-stamp;"
            " sed -i \"s/^Date:.*/Date: $(date -Ru -d '5 days ago')/\" /var/lib/apt/lists/*Release"
        ),
        gone=_NO_LISTS,
        unknown="lists-empty",
    ),
    Fault(
        "patching.security-source",
        "no-security-source",
        good="mv -n /root/security.list /etc/apt/sources.list.d/ || true; apt-get -q -y update",
        bad="mv /etc/apt/sources.list.d/security.list /root/; apt-get -q -y update",
        gone=_NO_LISTS,
        unknown="lists-empty",
        on="web2",
    ),
    Fault(
        "patching.unattended",
        "pattern-matches-nothing",
        good=(
            "rm -f /etc/apt/apt.conf.d/52portal;"
            " printf 'APT::Periodic::%s \"1\";\\n' Update-Package-Lists Unattended-Upgrade >/etc/apt/apt.conf.d/20auto-upgrades;"
            " systemctl start apt-daily.timer;"
            " rm -f /var/lib/apt/periodic/*upgrade*stamp; /usr/lib/apt/apt.systemd.daily install"
        ),
        bad=(
            "printf '#clear Unattended-Upgrade::Origins-Pattern;\\nUnattended-Upgrade::Origins-Pattern"
            ' { "origin=Debian,codename=buster,label=Debian-Security"; };\\n\' >/etc/apt/apt.conf.d/52portal'
        ),
        gone=_NO_LISTS,
        unknown="no-security-source",
    ),
    Fault(
        "patching.foreign-packages",
        "foreign-packages",
        good="dpkg -P portal-foreign",
        bad="dpkg -i /srv/archive/made/portal-foreign_1_all.deb",
        gone=_NO_LISTS,
        unknown="lists-empty",
    ),
    Fault(
        "patching.reboot-required",
        "older-kernel",
        good='dpkg -P "linux-image-9$(uname -r)"',
        bad='dpkg -i "/srv/archive/debian/linux-image-9$(uname -r)_1_all.deb"',
        gone='dpkg -P "linux-image-$(uname -r)"',
        unknown="no-kernel-package",
    ),
    Fault(
        "patching.os-eol",
        "past-end-of-support",
        good="sed -i 's/^VERSION_ID=.*/VERSION_ID=\"13\"/' /usr/lib/os-release",
        bad="sed -i 's/^VERSION_ID=.*/VERSION_ID=\"10\"/' /usr/lib/os-release",
        gone=_NO_RELEASE,
        unknown="unknown-release",
        on="web2",
        releases=frozenset({13}),
    ),
    Fault(
        "patching.os-eol",
        "past-end-of-support",
        gone=_NO_RELEASE,
        unknown="unknown-release",
        declared={"support": "lts"},
        declared_bad={"support": "standard"},
        on="web2",
        releases=frozenset({12}),
    ),
    Fault(
        "patching.os-eol",
        "past-end-of-support",
        gone=_NO_RELEASE,
        unknown="unknown-release",
        declared={"support": "elts"},
        declared_bad={"support": "lts"},
        on="web2",
        releases=frozenset({11}),
    ),
    Fault(
        "patching.runtime-eol",
        "past-end-of-support",
        good="rm -rf /opt/node",
        bad=(
            "install -d /opt/node/bin; printf '#!/bin/sh\\necho v16.20.2\\n' >/opt/node/bin/node;"
            " chmod 755 /opt/node/bin/node"
        ),
        gone=_NO_RELEASE,
        unknown="unknown-release",
    ),
)


def _list(kind: str, expression: str) -> str:
    """Return what gives unattended-upgrades a list of one expression."""
    return f"printf '%s\\n' 'Unattended-Upgrade::Package-{kind} {{ \"{expression}\"; }};' >/etc/apt/apt.conf.d/53portal"


def _pin(which: str) -> str:
    """Return what keeps away all that an archive has."""
    return f"printf '%s\\n' 'Package: *' 'Pin: release {which}' 'Pin-Priority: -1' >/etc/apt/preferences.d/portal"


_SERVICE = "/etc/systemd/system/apt-daily-upgrade.service.d"
_RUN = "rm -f /var/lib/apt/periodic/*upgrade*stamp; /usr/lib/apt/apt.systemd.daily install"
_NO_LIST = "rm -f /etc/apt/apt.conf.d/53portal"
_NOT_PINNED = "rm -f /etc/apt/preferences.d/portal; apt-get -q -y dist-upgrade"
SEEDS = (
    Seed(
        "patching.unattended",
        "a blacklist that matches every name",
        make=_list("Blacklist", ".*"),
        undo=_NO_LIST,
        fails="packages-left-out",
    ),
    Seed(
        "patching.unattended",
        "a whitelist of one package",
        make=_list("Whitelist", "sudo"),
        undo=_NO_LIST,
        fails="packages-left-out",
    ),
    Seed(
        "patching.unattended",
        "all periodic jobs of apt switched off",
        make="printf 'APT::Periodic::Enable \"0\";\\n' >/etc/apt/apt.conf.d/53portal",
        undo=_NO_LIST,
        fails="not-enabled",
    ),
    Seed(
        "patching.unattended",
        "on Sundays alone",
        make="printf 'Unattended-Upgrade::Update-Days {\"Sun\";};\\n' >/etc/apt/apt.conf.d/53portal",
        undo=_NO_LIST,
        fails="too-rare",
    ),
    Seed(
        "patching.unattended",
        "dpkg refuses each run",
        make=(
            "apt-get -q -y --allow-downgrades install portal-tool=1;"
            " printf 'DPkg::Pre-Invoke {\"/bin/false\";};\\n' >/etc/apt/apt.conf.d/53portal;"
            f" {_RUN}"
        ),
        undo=f"{_NO_LIST}; apt-get -q -y dist-upgrade; {_RUN}",
        fails="run-failed",
    ),
    Seed(
        "patching.unattended",
        "once a year",
        make="printf 'APT::Periodic::Unattended-Upgrade \"365\";\\n' >/etc/apt/apt.conf.d/53portal",
        undo=_NO_LIST,
        fails="too-rare",
    ),
    Seed(
        "patching.unattended",
        "a masked timer",
        make="systemctl mask --now apt-daily-upgrade.timer",
        undo="systemctl unmask apt-daily-upgrade.timer; systemctl start apt-daily-upgrade.timer",
        unknown="not-started-by-apt",
    ),
    Seed(
        "patching.unattended",
        "a timer that elapses once in four years",
        make="mkdir -p /etc/systemd/system/apt-daily-upgrade.timer.d; printf '[Timer]\\nOnCalendar=\\nOnCalendar=*-02-29\\nPersistent=false\\n' >/etc/systemd/system/apt-daily-upgrade.timer.d/x.conf; systemctl daemon-reload; systemctl restart apt-daily-upgrade.timer",
        undo="rm -r /etc/systemd/system/apt-daily-upgrade.timer.d; systemctl daemon-reload; systemctl restart apt-daily-upgrade.timer",
        fails="next-run-far",
    ),
    Seed(
        "patching.unattended",
        "a timer that elapses tomorrow, and once a month",
        make="mkdir -p /etc/systemd/system/apt-daily-upgrade.timer.d; printf '[Timer]\\nOnCalendar=\\nOnCalendar=*-*-%s 00:00\\nPersistent=false\\n' $(date -d tomorrow +%d) >/etc/systemd/system/apt-daily-upgrade.timer.d/x.conf; systemctl daemon-reload; systemctl restart apt-daily-upgrade.timer",
        undo="rm -r /etc/systemd/system/apt-daily-upgrade.timer.d; systemctl daemon-reload; systemctl restart apt-daily-upgrade.timer",
        fails="timer-too-rare",
    ),
    *(
        Seed(
            "patching.unattended",
            name,
            make=f"mkdir -p {_SERVICE}; printf '[Service]\\n{lines}\\n' >{_SERVICE}/x.conf; systemctl daemon-reload",
            undo=f"rm -r {_SERVICE}; systemctl daemon-reload",
            unknown=unknown,
        )
        for name, lines, unknown in (
            ("a timer whose service does nothing", "ExecStart=\\nExecStart=/bin/true", "not-started-by-apt"),
            (
                "a timer whose service fetches lists alone",
                "ExecStart=\\nExecStart=/usr/lib/apt/apt.systemd.daily update",
                "not-started-by-apt",
            ),
            ("a service with settings of its own", "Environment=APT_CONFIG=/opt/none.conf", "start-not-understood"),
            ("a service that gives way to others", "Nice=10", ""),
        )
    ),
    Seed(
        "patching.unattended",
        "another program of that name",
        make="ln -s /bin/true /usr/local/sbin/unattended-upgrade",
        undo="rm /usr/local/sbin/unattended-upgrade",
        unknown="start-not-understood",
    ),
    *(
        Seed(
            "patching.unattended",
            name,
            make=f"printf '%s\\n' '{line}' >/etc/apt/apt.conf.d/53portal; chmod {mode} /etc/apt/apt.conf.d/53portal",
            undo=_NO_LIST,
            unknown=unknown,
        )
        for name, line, mode, unknown in (
            ("lists that nothing refreshes", 'APT::Periodic::Update-Package-Lists "0";', 644, "lists-not-refreshed"),
            ("dpkg that does nothing", 'DPkg::Options { "--no-act"; };', 644, "settings-not-understood"),
            ("an apt that prints what it would do", 'Debug::pkgDPkgPM "1";', 644, "settings-not-understood"),
            ("a command that was never tried", 'DPkg::Pre-Invoke { "/opt/before"; };', 644, "settings-not-understood"),
            ("settings for root's eyes alone", 'DPkg::Pre-Invoke { "/opt/before"; };', 600, "settings-not-understood"),
            ("a command that does nothing", 'DPkg::Post-Invoke { "/bin/true"; };', 644, ""),
            ("files of settings as they are kept", 'DPkg::Options { "--force-confdef"; "--force-confold"; };', 644, ""),
            ("how much is downloaded at once", 'Acquire { Retries "3"; http::Dl-Limit "700"; };', 644, ""),
            ("mail and reboots", 'Unattended-Upgrade { Mail "root"; Automatic-Reboot "true"; };', 644, ""),
        )
    ),
    Seed(
        "patching.unattended",
        "a command with which fixes came",
        make=(
            "apt-get -q -y --allow-downgrades install portal-tool=1;"
            " printf 'DPkg::Pre-Invoke {\"test -d /\";};\\n' >/etc/apt/apt.conf.d/53portal; sleep 1;"
            f" {_RUN}"
        ),
        undo=f"{_NO_LIST}; apt-get -q -y dist-upgrade",
    ),
    Seed(
        "patching.unattended",
        "a run that installed, and found no program to send mail with",
        make=(
            "apt-get -q -y --allow-downgrades install portal-tool=1;"
            f" printf 'Unattended-Upgrade::Mail \"root\";\\n' >/etc/apt/apt.conf.d/53portal; {_RUN}"
        ),
        undo=f"{_NO_LIST}; apt-get -q -y dist-upgrade",
    ),
    Seed(
        "patching.unattended",
        "a package whose dependency is not there, since the last run",
        make=(
            "dpkg-deb -R /srv/archive/made/portal-foreign_1_all.deb /root/broken; echo 'Depends: portal-nothing' >>/root/broken/DEBIAN/control;"
            " dpkg-deb -b /root/broken /root/broken.deb; dpkg -i --force-depends /root/broken.deb"
        ),
        undo="rm -r /root/broken /root/broken.deb; dpkg -P portal-foreign",
        unknown="command-failed",
    ),
    Seed(
        "patching.unattended",
        "a blacklist of the kernel alone",
        make=_list("Blacklist", "linux-image"),
        undo=_NO_LIST,
    ),
    Seed(
        "patching.held",
        "a pin that lowers security archives",
        make=_pin("l=Debian-Security").replace("-1", "100"),
        undo="rm -f /etc/apt/preferences.d/portal",
        unknown="pinned",
    ),
    Seed(
        "patching.held",
        "a pin that prefers security archives",
        make=_pin("l=Debian-Security").replace("-1", "990"),
        undo="rm -f /etc/apt/preferences.d/portal",
    ),
    Seed(
        "patching.security-updates",
        "a fix that a pin keeps away",
        make="apt-get -q -y --allow-downgrades install portal-tool=1; " + _pin("l=Debian-Security"),
        undo=_NOT_PINNED,
        fails="updates-pinned",
    ),
    Seed(
        "patching.security-updates",
        "a fix that a default release keeps away",
        make=(
            "apt-get -q -y --allow-downgrades install portal-tool=1;"
            " echo 'APT::Default-Release \"l=Debian\";' >/etc/apt/apt.conf.d/54portal"
        ),
        undo="rm /etc/apt/apt.conf.d/54portal; apt-get -q -y dist-upgrade",
        fails="updates-pinned",
    ),
    Seed(
        "patching.security-updates",
        "settings of apt that root alone may read",
        make="echo 'APT::Solver \"dump\";' >/etc/apt/apt.conf.d/54portal; chmod 600 /etc/apt/apt.conf.d/54portal",
        undo="rm /etc/apt/apt.conf.d/54portal",
        unknown="apt-elsewhere",
    ),
    *(
        Seed(
            check,
            f"apt reads another {setting}",
            make=f"mkdir -p /opt/prefs.d; cp /var/lib/dpkg/status /opt/; echo 'Dir::{setting} \"{path}\";' >/etc/apt/apt.conf.d/54portal",
            undo="rm /etc/apt/apt.conf.d/54portal",
            unknown="apt-elsewhere",
        )
        for check, setting, path in (
            ("patching.held", "Etc::preferencesparts", "/opt/prefs.d"),
            ("patching.security-updates", "State::status", "/opt/status"),
        )
    ),
    Seed(
        "patching.security-updates",
        "a pin on an archive that the host does not have",
        make=_pin("n=experimental"),
        undo=_NOT_PINNED,
    ),
    *(
        Seed(
            "patching.runtime-eol",
            name,
            make=f"install -d {path.rpartition('/')[0]}; printf '#!/bin/sh\\necho {says}\\n' >{path}; chmod 755 {path}",
            undo=f"rm {path}",
            fails=fails,
        )
        for name, path, says, fails in (
            ("its name has a version", "/usr/local/bin/php7.4", '"PHP 7.4.33 (cli)"', "past-end-of-support"),
            ("a server of PHP alone", "/opt/php/sbin/php-fpm", '"PHP 8.1.2 (fpm-fcgi)"', "past-end-of-support"),
            ("of the portal's own folder", "/srv/portal/bin/python3.9", "Python 3.9.2", "past-end-of-support"),
            ("a series that gets fixes", "/usr/local/bin/node", "v24.1.0", ""),
        )
    ),
    Seed(
        "patching.reboot-required",
        "another package asks for it",
        make="echo libc6 >/run/reboot-required.pkgs; touch /run/reboot-required",
        undo="rm /run/reboot-required*",
        fails="reboot-asked",
    ),
    Seed(
        "patching.foreign-packages",
        "another package is declared",
        make="dpkg -i /srv/archive/made/portal-foreign_1_all.deb",
        undo="dpkg -P portal-foreign",
        fails="foreign-packages",
        declared={"foreign_packages": ["portal-tool"]},
    ),
    *(
        Seed(
            "patching.foreign-packages",
            f"a version from a file, {which} than the archive's",
            make=(
                "dpkg-deb -R /srv/archive/debian/portal-extra_1_all.deb /root/extra;"
                f" sed -i 's/^Version:.*/Version: {version}/' /root/extra/DEBIAN/control;"
                " dpkg-deb -b /root/extra /root/extra.deb; dpkg -i /root/extra.deb"
            ),
            undo="rm -r /root/extra /root/extra.deb; dpkg -P portal-extra",
            fails=fails,
        )
        for which, version, fails in (("newer", 3, "foreign-packages"), ("older", 0, ""))
    ),
    Seed(
        "patching.foreign-packages",
        "a package that is declared",
        make="dpkg -i /srv/archive/made/portal-foreign_1_all.deb",
        undo="dpkg -P portal-foreign",
        declared={"foreign_packages": ["portal-foreign"]},
    ),
)
