"""What the host was when it was approved: its own draft, taken while everything is good."""

from tests.checks.servers.matrix import Fault, Seed

_SINCE = {"since": "$SINCE"}
_WINDOWS = {"windows": [{"start_at": "$SINCE", "end_at": "$LATER", "reference": "12/QD-SKHCN"}], "since": "$NOW"}
"""The approved state is what the host is once everything is good: a window alone would not prove what was done before."""
FAULTS = (
    Fault(
        "change.packages",
        "change-unapproved",
        good="apt-get -q -y purge portal-extra",
        bad="apt-get -q -y install portal-extra",
        gone="rm -f /var/log/apt/history.log*",
        unknown="log-empty",
        declared={"changes": _WINDOWS},
        declared_bad={"changes": _SINCE},
    ),
    Fault("change.reboots", "boot-unrecorded", gone="rm -f $(command -v journalctl)", unknown="command-missing"),
    Fault(
        "change.config",
        "config-changed",
        good="sed -i '/^# changed$/d' /etc/login.defs",
        bad="echo '# changed' >>/etc/login.defs",
        gone="rm -f $(command -v sha256sum)",
        unknown="command-missing",
    ),
    Fault(
        "change.package-files",
        "file-exchanged",
        good="[ ! -e /root/who ] || cp -p /root/who /usr/bin/who",
        bad="cp -p /usr/bin/who /root/who; cp /bin/true /usr/bin/who",
        gone="rm -f $(command -v dpkg)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "change.accounts",
        "accounts-changed",
        good="userdel intruder || [ $? = 6 ]",
        bad="useradd intruder",
        gone="rm -f $(command -v awk)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "change.autostart",
        "cron-changed",
        good="rm -f /etc/cron.d/portal",
        bad="mkdir -p /etc/cron.d; echo '* * * * * root /opt/x' >/etc/cron.d/portal",
        gone="rm -f $(command -v sha256sum)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "change.repos",
        "signature-waived",
        good="rm -f /etc/apt/sources.list.d/extra.list",
        bad="echo 'deb [trusted=yes] file:/srv/archive/made ./' >/etc/apt/sources.list.d/extra.list",
        gone="rm -rf /var/lib/apt/lists/*",
        unknown="no-package-lists",
    ),
)

_RELOAD = "systemctl daemon-reload"
_WANTED = "mkdir -p /etc/systemd/system/ssh.service.d; printf '[Unit]\\nWants=portal-evil.service\\n' >/etc/systemd/system/ssh.service.d/x.conf; printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/portal-evil.service"
_NOT_WANTED = f"rm -rf /etc/systemd/system/ssh.service.d /etc/systemd/system/portal-evil.service; {_RELOAD}"
SEEDS = (
    Seed(
        "change.accounts",
        "an account of the system gets a shell",
        make="usermod -s /bin/bash backup",
        undo="usermod -s /usr/sbin/nologin backup",
        fails="logins-changed",
        on="web2",
    ),
    Seed(
        "change.accounts",
        "another comment of an account",
        make="usermod -c Luu backup",
        undo="usermod -c backup backup",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "a drop-in wants a unit that nobody enabled",
        make=f"{_WANTED}; {_RELOAD}",
        undo=_NOT_WANTED,
        fails="units-changed",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "a drop-in that systemd has not loaded yet",
        make=_WANTED,
        undo=_NOT_WANTED,
        unknown="not-reloaded",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "a generator of nobody",
        make="mkdir -p /etc/systemd/system-generators; printf '#!/bin/sh\\n' >/etc/systemd/system-generators/zz; chmod 755 /etc/systemd/system-generators/zz",
        undo="rm -rf /etc/systemd/system-generators",
        fails="cron-changed",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "an account lingers, and has a unit of its own",
        make="loginctl enable-linger binh; cd ~binh; mkdir -p .config/systemd/user/default.target.wants;"
        " printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >.config/systemd/user/evil.service;"
        " ln -s ../evil.service .config/systemd/user/default.target.wants/; chown -R binh .config",
        undo="loginctl disable-linger binh; rm -rf ~binh/.config",
        fails="cron-changed",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "a unit of an account that does not linger",
        make="mkdir -p ~binh/.config/systemd/user; printf '[Service]\\nExecStart=/bin/true\\n' >~binh/.config/systemd/user/own.service",
        undo="rm -rf ~binh/.config",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "a daily job that is a link",
        make="printf '#!/bin/sh\\n' >/srv/job; chmod 755 /srv/job; ln -s /srv/job /etc/cron.daily/job",
        undo="rm -f /etc/cron.daily/job /srv/job",
        fails="cron-changed",
        on="web2",
    ),
    Seed(
        "change.autostart",
        "a generator is switched off, and a unit lies there that nothing wants",
        make=f"mkdir -p /etc/systemd/system-generators; ln -s /dev/null /etc/systemd/system-generators/systemd-gpt-auto-generator; printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/portal-evil.service; {_RELOAD}",
        undo=f"rm -rf /etc/systemd/system-generators; {_NOT_WANTED}",
        on="web2",
    ),
    Seed(
        "change.repos",
        "a list of any age is believed",
        make="echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/99portal",
        undo="rm -f /etc/apt/apt.conf.d/99portal",
        fails="age-waived",
    ),
    Seed(
        "change.repos",
        "a proxy stands between",
        make="echo 'Acquire::http::Proxy \"http://10.6.6.6:3128\";' >/etc/apt/apt.conf.d/99portal",
        undo="rm -f /etc/apt/apt.conf.d/99portal",
        unknown="way-not-declared",
    ),
    Seed(
        "change.repos",
        "no proxy for one host, and lists that are to be young",
        make='printf \'Acquire::http::Proxy::a.example.vn "DIRECT";\\nAcquire::Check-Valid-Until "true";\\n\' >/etc/apt/apt.conf.d/99portal',
        undo="rm -f /etc/apt/apt.conf.d/99portal",
    ),
    *(
        Seed(
            "change.repos",
            name,
            make=f"GNUPGHOME=/root/other; export GNUPGHOME; install -d -m 700 $GNUPGHOME; gpg --batch --quiet --passphrase '' --quick-generate-key la@example.vn ed25519 sign never 2>/dev/null; {make}",
            undo=f"rm -rf /root/other; {undo}",
            unknown=unknown,
        )
        for name, make, undo, unknown in (
            (
                "another's key in the keyring of a source",
                "cp -p /usr/share/keyrings/portal.gpg /root/kept; gpg --export >>/usr/share/keyrings/portal.gpg",
                "mv /root/kept /usr/share/keyrings/portal.gpg",
                "key-not-declared",
            ),
            (
                "a key of nobody among the trusted ones",
                "gpg --export --armor >/etc/apt/trusted.gpg.d/la.asc",
                "rm /etc/apt/trusted.gpg.d/la.asc",
                "key-not-declared",
            ),
            (
                "a key that apt does not read",
                "gpg --export >/usr/share/keyrings/la.gpg",
                "rm /usr/share/keyrings/la.gpg",
                "",
            ),
        )
    ),
    Seed(
        "change.config",
        "a link to a file of the same content",
        make="cp -p /etc/login.defs /srv/login.defs; cp -p /etc/login.defs /root/kept; ln -sf /srv/login.defs /etc/login.defs",
        undo="rm /etc/login.defs /srv/login.defs; mv /root/kept /etc/login.defs",
        fails="config-changed",
    ),
    Seed(
        "change.config",
        "written anew with the same content",
        make="cp /etc/login.defs /root/kept; cat /root/kept >/etc/login.defs; touch -d 2020-01-01 /etc/login.defs",
        undo="rm /root/kept",
    ),
    Seed(
        "change.package-files",
        "a program with another content and the same times",
        make="cp -p /usr/bin/tty /root/kept; cp /bin/false /usr/bin/tty; touch -r /root/kept /usr/bin/tty",
        undo="cp -p /root/kept /usr/bin/tty",
        fails="file-exchanged",
        on="web2",
    ),
    Seed(
        "change.package-files",
        "another program where one was diverted",
        make="dpkg-divert --rename --add /usr/bin/tty; cp /bin/false /usr/bin/tty",
        undo="rm /usr/bin/tty; dpkg-divert --rename --remove /usr/bin/tty",
        fails="file-exchanged",
        on="web2",
    ),
    Seed(
        "change.package-files",
        "a program that is gone",
        make="mv /usr/bin/tty /root/kept",
        undo="mv /root/kept /usr/bin/tty",
        fails="file-missing",
        on="web2",
    ),
    Seed(
        "change.package-files",
        "documents that are gone, and a program of another mode",
        make="cp -pr /usr/share/doc/sudo /root/doc; rm -r /usr/share/doc/sudo; chmod 700 /usr/bin/tty",
        undo="mv /root/doc /usr/share/doc/sudo; chmod 755 /usr/bin/tty",
        on="web2",
    ),
)
