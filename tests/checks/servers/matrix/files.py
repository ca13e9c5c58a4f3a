"""Files that give an account more rights: setuid, capabilities, and where they give nobody anything."""

from tests.checks.servers.matrix import Fault, Seed

FAULTS = (
    Fault(
        "files.setuid",
        "setuid-of-no-package",
        good="rm -f /srv/.hidden",
        bad="cp /bin/sh /srv/.hidden; chmod 4755 /srv/.hidden",
        gone="rm -f $(command -v find)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "files.root-runs",
        "writable-by-others",
        good="rm -f /etc/cron.d/portal-night /srv/night.php",
        bad="mkdir -p /etc/cron.d; touch /srv/night.php; chown www-data /srv/night.php; "
        "echo '5 2 * * * root php -q /srv/night.php' >/etc/cron.d/portal-night",
        gone="rm -f $(command -v find)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "files.account-files",
        "account-file-open",
        good="chmod 640 /etc/shadow /etc/shadow-",  # programs that write one keep its mode in the other
        bad="chmod 644 /etc/shadow",
        gone="rm -f $(command -v ls)",
        unknown="command-missing",
        on="web2",
    ),
)


def _unit(name: str, file: str, service: str, *, enabled: str, fails: str = "", unknown: str = "") -> Seed:
    """A service that is enabled and was never started, with a file /srv/run."""
    return Seed(
        "files.root-runs",
        name,
        make=f"printf '#!/bin/sh\\n' >/srv/run; {file}; printf '[Service]\\n{service}\\n' >/etc/systemd/system/seed.service; "
        f"systemctl daemon-reload; systemctl enable -q {enabled}",
        undo=f"systemctl disable -q {enabled}; rm -f /srv/run /etc/systemd/system/seed.*; systemctl daemon-reload",
        fails=fails,
        unknown=unknown,
    )


def _hook(name: str, where: str, text: str, *, fails: str = "") -> Seed:
    """A file of settings of root that names what an account owns."""
    make = f"install -d -o games /opt/seed; install -o games -m 755 /lib/*/libm.so.6 /opt/seed/hook; install -d {where.rpartition('/')[0]}; cat >{where} <<'END'\n{text}\nEND\n"
    return Seed("files.root-runs", name, make=make, undo=f"rm -r {where} /opt/seed", fails=fails)


SEEDS = (
    Seed(
        "files.account-files",
        "a copy of shadow beside it that all may read",
        make="cp /etc/shadow /etc/shadow.bak; chmod 644 /etc/shadow.bak",
        undo="rm /etc/shadow.bak",
        fails="account-file-open",
    ),
    Seed(
        "files.root-runs",
        "harmless: a unit that is masked",
        make="systemctl mask -q debug-shell.service",
        undo="systemctl unmask -q debug-shell.service",
    ),
    Seed(
        "files.setuid",
        "setuid on a program of a package that runs others",
        make="chmod u+s $(command -v find)",
        undo="chmod u-s $(command -v find)",
        fails="setuid-changed",
    ),
    Seed(
        "files.setuid",
        "a copy of a shell beside programs of packages, with the time of one",
        make="cp /bin/sh /usr/lib/openssh/ssh-keysign.dpkg; touch -r /bin/sh /usr/lib/openssh/ssh-keysign.dpkg; "
        "chmod 4755 /usr/lib/openssh/ssh-keysign.dpkg",
        undo="rm /usr/lib/openssh/ssh-keysign.dpkg",
        fails="setuid-of-no-package",
    ),
    Seed(
        "files.setuid",
        "no setuid, but a capability that makes root",
        make="cp /bin/sh /opt/tool; setcap cap_setuid=ep /opt/tool",
        undo="rm /opt/tool",
        fails="setuid-of-no-package",
    ),
    Seed(
        "files.setuid",
        "setgid of the group that reads password hashes",
        make="cp /bin/cat /opt/reader; chgrp shadow /opt/reader; chmod 2755 /opt/reader",
        undo="rm /opt/reader",
        fails="setuid-of-no-package",
    ),
    Seed(
        "files.setuid",
        "a store that further rights open",
        make="mkdir -m 700 /srv/store; setfacl -m u:games:x /srv/store; cp /bin/sh /srv/store/su; chmod 4755 /srv/store/su",
        undo="rm -r /srv/store",
        unknown="not-searched",
    ),
    Seed(
        "files.setuid",
        "a store that root alone can enter",
        make="mkdir -m 700 /srv/store; cp /bin/sh /srv/store/su; chmod 4755 /srv/store/su",
        undo="rm -r /srv/store",
    ),
    Seed(
        "files.setuid",
        "a file system where setuid has no effect",
        make="mkdir -p /srv/nosuid; mount -t tmpfs -o nosuid tmpfs /srv/nosuid; cp /bin/sh /srv/nosuid/sh; chmod 4755 /srv/nosuid/sh",
        undo="umount /srv/nosuid; rmdir /srv/nosuid",
    ),
    Seed(
        "files.setuid",
        "a low port for a program of the portal",
        make="cp /bin/true /opt/node; setcap cap_net_bind_service=ep /opt/node",
        undo="rm /opt/node",
    ),
    Seed(
        "files.setuid",
        "a file that is declared",
        make="cp /bin/true /usr/local/bin/portal-helper; chmod 4750 /usr/local/bin/portal-helper",
        undo="rm /usr/local/bin/portal-helper",
        declared={"privileged_files": ["/usr/local/bin/portal-helper"]},
    ),
    Seed(
        "files.root-runs",
        "a script of root in a folder of an account",
        make="mkdir -p /etc/cron.d /opt/jobs; printf '#!/bin/sh\n' >/opt/jobs/night.sh; chmod 700 /opt/jobs/night.sh; chown www-data /opt/jobs; "
        "echo '5 2 * * * root cd /opt/jobs && nice -n 5 ./night.sh >/dev/null 2>&1' >/etc/cron.d/night",
        undo="rm -r /opt/jobs /etc/cron.d/night",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "a script of root that runs one of an account",
        make="printf '#!/bin/sh\nset -e\n. /srv/settings.sh\n' >/usr/local/sbin/night; chmod 755 /usr/local/sbin/night; "
        "echo x >/srv/settings.sh; chown www-data /srv/settings.sh; mkdir -p /var/spool/cron/crontabs; "
        "echo '@daily /usr/local/sbin/night' >/var/spool/cron/crontabs/root",
        undo="rm /usr/local/sbin/night /srv/settings.sh /var/spool/cron/crontabs/root",
        fails="writable-by-others",
    ),
    *(
        Seed(
            "files.root-runs",
            name,
            make=f"install -d -o games /srv/hooks.d; install -o games /dev/null /srv/hooks.d/list; install -d /etc/cron.d; cat >/usr/local/sbin/night <<'END'\n#!/bin/sh\n{text}\nEND\n"
            "chmod 755 /usr/local/sbin/night; echo '5 2 * * * root /usr/local/sbin/night' >/etc/cron.d/night",
            undo="rm -r /usr/local/sbin/night /srv/hooks.d /etc/cron.d/night",
            fails=fails,
            unknown=unknown,
        )
        for name, text, fails, unknown in (
            (
                "a script that runs what lies in a folder",
                'for f in /srv/hooks.d/*; do "$f"; done',
                "writable-by-others",
                "",
            ),
            (
                "a script that runs what find tells",
                "find /srv/hooks.d -type f -exec sh {} \\;",
                "writable-by-others",
                "",
            ),
            (
                "a script that runs what a list tells",
                "while read -r c; do\n  $c\ndone </srv/hooks.d/list",
                "",
                "runner-unseen",
            ),
            (
                "a script that packs what lies in a folder",
                'for f in /srv/hooks.d/*; do tar cf /root/x.tar "$f"; done',
                "",
                "",
            ),
        )
    ),
    Seed(
        "files.root-runs",
        "a folder of programs for sudo",
        make="install -d -o games /opt/seed; echo 'Defaults secure_path=/opt/seed:/usr/sbin:/usr/bin' >/etc/sudoers.d/seed",
        undo="rm -r /opt/seed /etc/sudoers.d/seed",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "a copy from an account's folder into settings of root",
        make="install -d -o games /srv/own; echo 'games ALL=(root) /usr/bin/cp /srv/own/x.cfg /etc/seed.cfg' >/etc/sudoers.d/seed",
        undo="rm -r /srv/own /etc/sudoers.d/seed",
        unknown="runner-unseen",
    ),
    Seed(
        "files.root-runs",
        "a service of root by a link to a file that all may write",
        make="cp /bin/true /srv/job; chmod 777 /srv/job; ln -s /srv/job /usr/local/bin/job; "
        "printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/job\n' >/etc/systemd/system/job.service; "
        "systemctl daemon-reload; systemctl start job",
        undo="systemctl stop job; rm /srv/job /usr/local/bin/job /etc/systemd/system/job.service; systemctl daemon-reload",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "a folder of programs that an account may write",
        make="mkdir -p /opt/bin; chown www-data /opt/bin; echo 'PATH=/opt/bin:/usr/sbin:/usr/bin' >>/root/.profile",
        undo="sed -i '$d' /root/.profile; rmdir /opt/bin",
        fails="writable-by-others",
    ),
    _unit(
        "an account that may become root by its capabilities",
        "chown games /srv/run; chmod 755 /srv/run",
        "User=games\\nAmbientCapabilities=CAP_DAC_OVERRIDE CAP_SETUID\\nExecStart=/srv/run\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "PermissionsStartOnly leaves to root what is not the start",
        "chown games /srv/run; chmod 755 /srv/run",
        "User=games\\nPermissionsStartOnly=true\\nExecStartPre=/srv/run\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "capabilities of a server of an account",
        "chown games /srv/run; chmod 755 /srv/run",
        "User=games\\nAmbientCapabilities=CAP_NET_BIND_SERVICE\\nExecStart=/srv/run\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
    ),
    _unit(
        "a shell reads what an account owns",
        "chown games /srv/run",
        "StandardInput=file:/srv/run\\nExecStart=/bin/sh\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "a program of an account lies in the place of one of root",
        "chown games /srv/run",
        "BindReadOnlyPaths=/srv/run:/usr/bin/tty\\nExecStart=/usr/bin/tty\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "a step of root in a unit of another account",
        "chmod 755 /srv/run; chown games /srv/run",
        "User=games\\nExecStartPre=+/srv/run\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "a program behind another name",
        "chmod 755 /srv/run; chown games /srv/run",
        "ExecStart=@/srv/run ls\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "settings that an argument names",
        "chown games /srv/run",
        "ExecStart=/usr/sbin/rsyslogd -n -f /srv/run\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        unknown="runner-unseen",
    ),
    _unit(
        "a folder that a unit may write, and its log",
        "chown games /srv/run",
        "ExecStart=/bin/true\\nReadWritePaths=/srv/run\\nStandardOutput=append:/srv/run\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
    ),
    *(
        Seed(
            "files.root-runs",
            name,
            make=f"install -d /etc/cron.d /etc/tmpfiles.d; install -d -o games /opt/seed; install -o games -m 755 /bin/true /opt/seed/job; {make}",
            undo=f"rm -rf /opt/seed; {undo}",
            fails=fails,
        )
        for name, make, undo, fails in (
            (
                "a script of root that names an interpreter of an account",
                "printf '#!/opt/seed/job\\n' >/usr/local/sbin/seed; chmod 755 /usr/local/sbin/seed; echo '5 2 * * * root /usr/local/sbin/seed' >/etc/cron.d/seed",
                "rm /etc/cron.d/seed /usr/local/sbin/seed",
                "writable-by-others",
            ),
            (
                "a program of root beside libraries of an account",
                "install -d /opt/own/bin; install -d -o games /opt/own/lib; cp /bin/true /opt/own/bin/job; echo '5 2 * * * root /opt/own/bin/job' >/etc/cron.d/seed",
                "rm -r /etc/cron.d/seed /opt/own",
                "writable-by-others",
            ),
            (
                "root's shell reads a file that looks in a folder of an account",
                "cp -p /root/.bashrc /root/bashrc.kept; echo '. ~/.seed' >>/root/.bashrc; echo 'export PATH=/opt/seed:$PATH' >/root/.seed",
                "cp -p /root/bashrc.kept /root/.bashrc; rm /root/.seed /root/bashrc.kept",
                "writable-by-others",
            ),
            (
                "a script that sudo lets others run, and that runs one of an account",
                "printf '#!/bin/sh\\ncd /opt/seed && sh ./job\\n' >/usr/local/sbin/seed; chmod 755 /usr/local/sbin/seed; "
                "echo 'games ALL=(root) NOPASSWD: /usr/local/sbin/seed' >/etc/sudoers.d/seed; chmod 440 /etc/sudoers.d/seed",
                "rm /etc/sudoers.d/seed /usr/local/sbin/seed",
                "writable-by-others",
            ),
            (
                "a crontab that looks for programs in a folder of an account",
                "printf 'PATH=/opt/seed:/usr/bin\\n5 2 * * * root job\\n' >/etc/cron.d/seed",
                "rm /etc/cron.d/seed",
                "writable-by-others",
            ),
            (
                "a path behind a variable",
                "printf 'D=/opt/seed\\n5 2 * * * root $D/job\\n' >/etc/cron.d/seed",
                "rm /etc/cron.d/seed",
                "writable-by-others",
            ),
            (
                "what tmpfiles copies into /etc",
                "echo 'C /etc/systemd/system/x.conf - - - - /opt/seed/job' >/etc/tmpfiles.d/seed.conf",
                "rm /etc/tmpfiles.d/seed.conf",
                "writable-by-others",
            ),
            (
                "rules of the firewall that an account writes",
                "cp -p /etc/nftables.conf /root/nft; echo 'include \"/opt/seed/*.nft\"' >>/etc/nftables.conf",
                "cp -p /root/nft /etc/nftables.conf",
                "writable-by-others",
            ),
            (
                "a program of an account by a link",
                "ln -s /opt/seed/job /usr/local/bin/seed",
                "rm /usr/local/bin/seed",
                "writable-by-others",
            ),
            (
                "a copy of what an account owns, and a job of its own",
                "printf 'PATH=/opt/seed:/usr/bin\\n5 2 * * * games job\\n' >/etc/cron.d/seed; "
                "echo '6 2 * * * root cd /opt/seed && tar czf /root/seed.tgz . && rsync -a /opt/seed/ /srv/copy' >/etc/cron.d/copy",
                "rm /etc/cron.d/seed /etc/cron.d/copy",
                "",
            ),
        )
    ),
    Seed(
        "files.root-runs",
        "a service of D-Bus that an account owns",
        make="install -d /usr/local/share/dbus-1/system-services; printf '[D-BUS Service]\nName=org.seed.Nine\nExec=/srv/nine\nUser=root\n'"
        " >/usr/local/share/dbus-1/system-services/org.seed.Nine.service; install -o games -m 755 /bin/true /srv/nine",
        undo="rm -r /usr/local/share/dbus-1 /srv/nine",
        fails="writable-by-others",
    ),
    _unit(
        "a script with further rights, that a service of the next boot runs",
        "chmod 755 /srv/run; setfacl -m u:games:rwx /srv/run",
        "ExecStart=/srv/run\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "a timer of the next boot, whose service runs a script of an account",
        "chmod 755 /srv/run; chown games /srv/run; printf '[Timer]\\nOnCalendar=daily\\n[Install]\\nWantedBy=timers.target\\n' >/etc/systemd/system/seed.timer",
        "Type=oneshot\\nExecStart=/srv/run",
        enabled="seed.timer",
        fails="writable-by-others",
    ),
    _unit(
        "an environment that an account writes",
        "chmod 600 /srv/run; chown games /srv/run",
        "EnvironmentFile=-/srv/run\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
        fails="writable-by-others",
    ),
    _unit(
        "a service of the next boot that runs as the account whose script it is",
        "chmod 755 /srv/run; chown games /srv/run",
        "User=games\\nExecStart=/srv/run\\n[Install]\\nWantedBy=multi-user.target",
        enabled="seed.service",
    ),
    *(
        _hook(name, where, text, fails="writable-by-others")
        for name, where, text in (
            ("a library for every program", "/etc/ld.so.preload", "/opt/seed/hook"),
            ("a folder of libraries", "/etc/ld.so.conf.d/00seed.conf", "/opt/seed"),
            ("what apt calls", "/etc/apt/apt.conf.d/99seed", 'DPkg::Post-Invoke { "/opt/seed/hook"; };'),
            ("what udev calls", "/etc/udev/rules.d/99-seed.rules", 'SUBSYSTEM=="net", RUN+="/opt/seed/hook"'),
            (
                "what logrotate calls",
                "/etc/logrotate.d/seed",
                "/var/log/seed {\n postrotate\n  /opt/seed/hook\n endscript\n}",
            ),
            ("what rsyslog calls", "/etc/rsyslog.d/seed.conf", 'action(type="omprog" binary="/opt/seed/hook")'),
        )
    ),
    *(
        _hook(name, where, text, fails="writable-by-others")
        for name, where, text in (
            ("what dpkg calls", "/etc/dpkg/dpkg.cfg.d/seed", "post-invoke=/opt/seed/hook"),
            ("what modprobe calls", "/etc/modprobe.d/seed.conf", "install dccp /opt/seed/hook"),
            ("what the message of the day calls", "/etc/update-motd.d/99-seed", "#!/bin/sh\n/opt/seed/hook --all"),
            (
                "where services load Python from",
                "/etc/systemd/system.conf.d/seed.conf",
                "[Manager]\nDefaultEnvironment=A=b PYTHONPATH=/opt/seed",
            ),
        )
    ),
    Seed(
        "files.root-runs",
        "a folder from which every program of Python loads",
        make="d=$(ls -d /usr/lib/python3.[0-9]* | head -n 1); d=/usr/local${d#/usr}/dist-packages; install -d $d; chown games $d",
        undo="chown root /usr/local/lib/python3.*/dist-packages",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "what PAM calls at a login",
        make="install -d -o games /opt/seed; install -o games -m 755 /bin/true /opt/seed/hook; cp -p /etc/pam.d/sshd /root/sshd.pam; "
        "echo 'session optional pam_exec.so quiet /opt/seed/hook' >>/etc/pam.d/sshd",
        undo="cp -p /root/sshd.pam /etc/pam.d/sshd; rm -r /opt/seed",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "what fail2ban calls at its start",
        make="install -d -o games /opt/seed; install -o games -m 755 /bin/true /opt/seed/hook; install -d /etc/fail2ban/action.d; "
        "printf '[Definition]\\nactionstart = /opt/seed/hook <name>\\n' >/etc/fail2ban/action.d/seed.conf",
        undo="rm -r /opt/seed /etc/fail2ban/action.d/seed.conf",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "a setting of the network that an account owns",
        make="install -d /etc/network; echo '# none' >/etc/network/interfaces; chown games /etc/network/interfaces",
        undo="chown root /etc/network/interfaces",
        fails="writable-by-others",
    ),
    Seed(
        "files.root-runs",
        "a program that a setting names, of a service that nobody knows",
        make="install -o games -m 755 /bin/true /srv/notify; install -d /etc/seed; echo 'notify_master /srv/notify' >/etc/seed/seed.conf",
        undo="rm -r /srv/notify /etc/seed",
        unknown="runner-unseen",
    ),
    Seed(
        "files.root-runs",
        "a folder of data and a log that settings name",
        make="install -d -o www-data /srv/data; install -o www-data -m 644 /dev/null /srv/data/x.log; install -d /etc/seed; "
        "printf 'root /srv/data;\\nlog /srv/data/x.log\\n# run /opt/seed/hook\\n' >/etc/seed/seed.conf; "
        "install -D -o games -m 755 /bin/true /opt/seed/hook",
        undo="rm -r /srv/data /etc/seed /opt/seed",
    ),
    _hook(
        "what apt may not call any more", "/etc/apt/apt.conf.d/99seed", '// DPkg::Post-Invoke { "/opt/seed/hook"; };'
    ),
    _hook("a folder that logrotate turns files of", "/etc/logrotate.d/seed", "/opt/seed/*.log {\n daily\n}"),
    Seed(
        "files.root-runs",
        "a job of another account",
        make="mkdir -p /etc/cron.d; touch /srv/own.php; chown www-data /srv/own.php; echo '5 2 * * * www-data php /srv/own.php' >/etc/cron.d/own",
        undo="rm /srv/own.php /etc/cron.d/own",
    ),
    Seed(
        "files.root-runs",
        "what root's job writes, and a job that gives root's rights up",
        make="mkdir -p /etc/cron.d; touch /srv/job.log /srv/own.sh; chown www-data /srv/job.log /srv/own.sh; "
        "printf '5 2 * * * root find /srv/job.log -mtime +9 -delete\n6 2 * * * root su www-data -s /bin/sh -c /srv/own.sh\n' >/etc/cron.d/own",
        undo="rm /srv/job.log /srv/own.sh /etc/cron.d/own",
    ),
    Seed(
        "files.root-runs",
        "a group that may write, and has no member",
        make="groupadd -f nobody-in; printf '#!/bin/sh\n' >/usr/local/sbin/night; chgrp nobody-in /usr/local/sbin/night; chmod 775 /usr/local/sbin/night; "
        "mkdir -p /etc/cron.d; echo '5 2 * * * root /usr/local/sbin/night' >/etc/cron.d/night",
        undo="rm /usr/local/sbin/night /etc/cron.d/night; groupdel nobody-in",
    ),
    Seed(
        "files.account-files",
        "further rights to read the hashes",
        make="setfacl -m u:www-data:r /etc/shadow",
        undo="setfacl -b /etc/shadow",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a member of the group that reads the hashes",
        make="usermod -aG shadow www-data",
        undo="gpasswd -d www-data shadow",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a backup of the hashes that all may read",
        make="cp -p /etc/shadow- /root/kept; chmod 644 /etc/shadow-",
        undo="cp -p /root/kept /etc/shadow-",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a folder of rules of PAM that an account owns",
        make="chown www-data /etc/pam.d",
        undo="chown root /etc/pam.d",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a file that a rule of PAM includes from a folder of an account",
        make="install -d -o chi /opt/pam; echo '# nothing' >/opt/pam/x; cp /etc/pam.d/su /root/kept; echo '@include /opt/pam/x' >>/etc/pam.d/su",
        undo="cp /root/kept /etc/pam.d/su; rm -rf /opt/pam",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a folder of settings of sshd where nothing is yet",
        make="install -d -o chi /opt/ssh; echo 'Include /opt/ssh/*.conf' >/etc/ssh/sshd_config.d/seed.conf",
        undo="rm -rf /opt/ssh /etc/ssh/sshd_config.d/seed.conf",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a list of accounts that an account writes, and that a rule of PAM names",
        make="install -D -o chi /dev/null /opt/pam/list; cp /etc/pam.d/su /root/kept; "
        "echo 'auth sufficient pam_listfile.so item=user sense=allow file=/opt/pam/list' >>/etc/pam.d/su",
        undo="cp /root/kept /etc/pam.d/su; rm -rf /opt/pam",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "settings of sshd that an account owns",
        make="echo '# nothing' >/etc/ssh/sshd_config.d/seed.conf; chown chi /etc/ssh/sshd_config.d/seed.conf",
        undo="rm /etc/ssh/sshd_config.d/seed.conf",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "a rule of PAM that is a link into a home",
        make="echo 'auth required pam_deny.so' >~chi/seed; chown root ~chi/seed; ln -s ~chi/seed /etc/pam.d/seed",
        undo="rm -f /etc/pam.d/seed ~chi/seed",
        fails="account-file-open",
    ),
    Seed(
        "files.account-files",
        "files of root that rules and settings include",
        make="install -d /opt/pam; echo '# nothing' >/opt/pam/x; cp /etc/pam.d/su /root/kept; echo '@include /opt/pam/x' >>/etc/pam.d/su;"
        " echo 'Include /opt/pam/*.conf' >/etc/ssh/sshd_config.d/seed.conf",
        undo="cp /root/kept /etc/pam.d/su; rm -rf /opt/pam /etc/ssh/sshd_config.d/seed.conf",
    ),
    Seed(
        "files.account-files",
        "further rights to read what all may read",
        make="setfacl -m u:www-data:r /etc/passwd",
        undo="setfacl -b /etc/passwd",
    ),
    Seed(
        "files.account-files",
        "a file that the group root may write",
        make="chmod 664 /etc/login.defs",
        undo="chmod 644 /etc/login.defs",
    ),
)
