"""What PAM makes of new passwords, umasks, and other ways to root. The people are those of `_base.py`."""

from tests.checks.servers.matrix import Fault, Seed

_FILE = "/etc/pam.d/common-password"
_END = "password requisite pam_deny.so\\npassword required pam_permit.so\\n"
_JUDGED = "password requisite pam_pwquality.so retry=3\\n"
_WRITES = "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass {form}\\n"
_GOOD = f"printf '{_JUDGED}{_WRITES.format(form='yescrypt')}{_END}' >{_FILE}; rm -rf /etc/security/pwquality.conf.d"
_PKLA = "/etc/polkit-1/localauthority/50-local.d/seed.pkla"
_RULES = "/etc/polkit-1/rules.d/10-seed.rules"
_UNITS = "org.freedesktop.systemd1.manage-units"
FAULTS = (
    Fault(
        "acct.pam-quality",
        "quality-not-asked",
        good=_GOOD,
        bad=f"sed -i '/pam_pwquality/d; s/use_authtok//' {_FILE}",
        gone=f"echo 'password include nowhere' >{_FILE}",
        unknown="pam-file-unread",
    ),
    Fault(
        "acct.pam-hashing",
        "weak-form",
        good=f"sed -i 's/ md5$//' {_FILE}",
        bad=f"sed -i 's/pam_unix.*/& md5/' {_FILE}",
        gone=f"echo 'password include nowhere' >{_FILE}",
        unknown="pam-file-unread",
    ),
    Fault(
        "acct.umask",
        "umask-open",
        good="rm -f /etc/profile.d/seed.sh",
        bad="echo 'umask 000' >/etc/profile.d/seed.sh",
        gone="rm -f $(command -v setpriv)",
        unknown="command-missing",
    ),
    Fault(
        "acct.other-ways-to-root",
        "undeclared-way",
        good=f"rm -f /etc/doas.conf {_RULES} {_PKLA}",
        bad="echo 'permit chi' >/etc/doas.conf; chmod 600 /etc/doas.conf",
        gone="echo 'permit an cmd \"/usr/bin/id\"' >/etc/doas.conf; chmod 600 /etc/doas.conf",
        unknown="command-missing",  # ss is taken away by other faults
        declared={"admins": ["an"], "service_accounts": ["portalops"]},
    ),
)


def _stack(check: str, name: str, text: str, *, fails: str = "", more: str = "") -> Seed:
    return Seed(check, name, make=f"printf '{text}{_END}' >{_FILE}; {more}:", undo=_GOOD, fails=fails)


def _doas(name: str, rules: str, *, fails: str = "") -> Seed:
    make = f"printf '{rules}\\n' >/etc/doas.conf; chmod 600 /etc/doas.conf; doas -C /etc/doas.conf"
    return Seed("acct.other-ways-to-root", name, make=make, undo="rm /etc/doas.conf", fails=fails)


def _polkit(name: str, condition: str, *, fails: str = "", unknown: str = "") -> Seed:
    rule = f"polkit.addRule(function(action, subject) {{ if ({condition}) {{ return polkit.Result.YES; }} }});"
    return Seed(
        "acct.other-ways-to-root",
        name,
        make=f"mkdir -p /etc/polkit-1/rules.d; cat >{_RULES} <<'END'\n{rule}\nEND\n",
        undo=f"rm {_RULES}",
        fails=fails,
        unknown=unknown,
        releases=frozenset({13, 12}),
    )


def _pam(service: str, line: str, *, fails: str = "pam-permits", unknown: str = "", more: str = "") -> Seed:
    file = f"/etc/pam.d/{service}"
    return Seed(
        "acct.other-ways-to-root",
        f"{line} for {service}",
        make=f"{more}[ -e {file} ] && cp {file} /root/pam.kept || cp /usr/lib{file[4:]} {file}; sed -i '1i auth {line}' {file}",
        undo=f"[ -e /root/pam.kept ] && mv /root/pam.kept {file} || rm {file}; rm -f /etc/doas.conf; gpasswd -d chi users || true",
        fails=fails,
        unknown=unknown,
    )


_YES = _WRITES.format(form="yescrypt")
SEEDS = (
    _stack(
        "acct.pam-quality",
        "the module is jumped over",
        "password [success=1 default=ignore] pam_permit.so\\n" + _JUDGED + _YES.replace("use_authtok", ""),
        fails="quality-not-held",
    ),
    _stack(
        "acct.pam-quality",
        "it refuses, and pam_unix asks again",
        _JUDGED.replace("requisite", "required") + _YES.replace("use_authtok try_first_pass", ""),
        fails="quality-not-held",
    ),
    _stack(
        "acct.pam-quality",
        "it warns and does no more",
        _JUDGED + _YES,
        more="mkdir -p /etc/security/pwquality.conf.d; echo 'enforcing = 0' >/etc/security/pwquality.conf.d/seed.conf; ",
        fails="quality-not-held",
    ),
    _stack(
        "acct.pam-quality",
        "credits halve the length",
        _JUDGED.replace("retry=3", "minlen=8 dcredit=1 ucredit=1 lcredit=1 ocredit=1") + _YES,
        fails="password-short",
    ),
    _stack(
        "acct.pam-quality",
        "it stands behind the module that writes",
        _YES.replace("use_authtok", "").replace("success=1", "success=2") + _JUDGED,
        fails="quality-not-held",
    ),
    _stack("acct.pam-quality", "optional, and nothing else is taken", _JUDGED.replace("requisite", "optional") + _YES),
    _stack(
        "acct.pam-quality",
        "an argument wins over a drop-in",
        _JUDGED.replace("retry=3", "minlen=12") + _YES,
        more="mkdir -p /etc/security/pwquality.conf.d; echo 'minlen = 6' >/etc/security/pwquality.conf.d/seed.conf; ",
    ),
    _stack("acct.pam-hashing", "the last form wins", _JUDGED + _WRITES.format(form="yescrypt md5"), fails="weak-form"),
    _stack("acct.pam-hashing", "few rounds", _JUDGED + _WRITES.format(form="sha512 rounds=1000"), fails="few-rounds"),
    _stack("acct.pam-hashing", "bcrypt by its default", _JUDGED + _WRITES.format(form="blowfish"), fails="few-rounds"),
    _stack("acct.pam-hashing", "a weak form that does not win", _JUDGED + _WRITES.format(form="md5 sha512")),
    _stack("acct.pam-hashing", "the form of login.defs", _JUDGED + _WRITES.format(form="")),
    Seed(
        "acct.umask",
        "an argument of PAM wins over login.defs",
        make="cp /etc/pam.d/common-session /root/kept; echo 'session optional pam_umask.so umask=000' >>/etc/pam.d/common-session",
        undo="cp /root/kept /etc/pam.d/common-session",
        fails="umask-open",
    ),
    Seed(
        "acct.umask",
        "a file that a profile reads",
        make="echo 'umask 0' >~chi/.extra; cp ~chi/.profile /root/kept; echo '. ~/.extra' >>~chi/.profile",
        undo="cp /root/kept ~chi/.profile; rm ~chi/.extra",
        fails="umask-open",
    ),
    Seed(
        "acct.umask",
        "the group of a person has another member",
        make="usermod -aG an binh; echo 'umask 002' >/etc/profile.d/seed.sh",
        undo="gpasswd -d binh an; rm /etc/profile.d/seed.sh",
        fails="umask-open",
    ),
    Seed(
        "acct.umask",
        "at each prompt",
        make="cp ~chi/.profile /root/kept; echo \"PROMPT_COMMAND='umask 000'\" >>~chi/.profile",
        undo="cp /root/kept ~chi/.profile",
        unknown="umask-unsure",
    ),
    Seed(
        "acct.umask",
        "a login shell of the host's own",
        make="printf '#!/bin/sh\\numask 000\\nexec bash\\n' >/usr/local/bin/seedsh; chmod 755 /usr/local/bin/seedsh; usermod -s /usr/local/bin/seedsh chi",
        undo="usermod -s /bin/bash chi; rm /usr/local/bin/seedsh",
        unknown="umask-unsure",
    ),
    Seed(
        "acct.umask",
        "SFTP with a umask of its own",
        make="printf 'Match User chi\\n  ForceCommand internal-sftp -u 0\\n' >/etc/ssh/sshd_config.d/zz-seed.conf",
        undo="rm /etc/ssh/sshd_config.d/zz-seed.conf",
        fails="umask-open",
    ),
    Seed(
        "acct.umask",
        "in some cases alone",
        make="printf 'if [ \"$TERM\" ]; then\\n  umask 0\\nfi\\n' >/etc/profile.d/seed.sh",
        undo="rm /etc/profile.d/seed.sh",
        unknown="umask-unsure",
    ),
    Seed(
        "acct.umask",
        "002 with groups of their own",
        make="echo 'umask 002' >/etc/profile.d/seed.sh",
        undo="rm /etc/profile.d/seed.sh",
    ),
    Seed(
        "acct.umask",
        "set again, in brackets, and in a comment",
        make="printf '# umask 0\\n(umask 0; true)\\numask 0\\numask 022\\n' >/etc/profile.d/seed.sh",
        undo="rm /etc/profile.d/seed.sh",
    ),
    Seed(
        "acct.umask",
        "rights by default let others write",
        make="setfacl -d -m o::rwx,m::rwx ~chi",
        undo="setfacl -k ~chi",
        fails="umask-open",
    ),
    Seed(
        "acct.umask",
        "rights by default in a folder of the home",
        make="install -d -o chi ~chi/in; setfacl -d -m u:binh:rwx ~chi/in",
        undo="rm -rf ~chi/in",
        unknown="umask-unsure",
    ),
    Seed(
        "acct.umask",
        "rights by default that let read",
        make="setfacl -d -m u:binh:rx,o::- ~chi",
        undo="setfacl -k ~chi",
    ),
    Seed(
        "acct.umask",
        "told while it is set",
        make="echo 'umask -S 000' >/etc/profile.d/seed.sh",
        undo="rm /etc/profile.d/seed.sh",
        fails="umask-open",
    ),
    Seed(
        "acct.umask",
        "in words",
        make="echo 'umask u=rwx,g=rx,o=' >/etc/profile.d/seed.sh",
        undo="rm /etc/profile.d/seed.sh",
    ),
    _pam(
        "doas", "sufficient pam_shells.so", more="echo 'permit an as root' >/etc/doas.conf; chmod 600 /etc/doas.conf; "
    ),
    _pam("su", "sufficient pam_wheel.so trust group=users", more="usermod -aG users chi; "),
    _pam("polkit-1", "sufficient pam_permit.so"),
    _pam("su", "sufficient pam_wheel.so trust group=src", fails=""),
    _pam("su", "required pam_wheel.so group=sudo", fails=""),
    _pam("su", "[success=3 default=ignore] pam_exec.so /srv/x", fails="", unknown="pam-unclear"),
    _doas("the last rule counts", "deny chi\\npermit :chi", fails="undeclared-way"),
    _doas("an editor for one file", "permit chi as root cmd /usr/bin/vim args /etc/motd", fails="undeclared-way"),
    _doas("settings of chi", "permit chi cmd /usr/bin/aide args -c /dev/shm/a.conf", fails="undeclared-way"),
    _doas("no password", "permit nopass an", fails="doas-nopass"),
    _doas("denied by a later rule", "permit :chi\\ndeny chi"),
    _doas(
        "one exact command, and another account",
        "permit nopass chi as www-data\\npermit chi cmd /usr/bin/systemctl args reload nginx",
    ),
    _polkit("units", f'action.id == "{_UNITS}" && subject.isInGroup("chi")', fails="undeclared-way"),
    _polkit("pkexec", 'action.id == "org.freedesktop.policykit.exec" && subject.user == "chi"', fails="undeclared-way"),
    _polkit("another form, by polkit's answer", '["chi"].indexOf(subject.user) >= 0', fails="undeclared-way"),
    _polkit(
        "a condition of another form at the console",
        'subject.local && ["chi"].indexOf(subject.user) >= 0',
        unknown="rule-not-read",
    ),
    _polkit(
        "one unit", f'action.id == "{_UNITS}" && action.lookup("unit") == "nginx.service" && subject.user == "chi"'
    ),
    _polkit("the power switch", 'action.id == "org.freedesktop.login1.reboot" && subject.isInGroup("chi")'),
    Seed(
        "acct.other-ways-to-root",
        "units, in the form of an older polkit",
        make=(
            "mkdir -p /etc/polkit-1/localauthority/50-local.d; printf "
            "'[seed]\\nIdentity=unix-user:chi\\nAction=org.freedesktop.systemd1.*\\nResultAny=yes\\n' >" + _PKLA
        ),
        undo="rm " + _PKLA,
        fails="undeclared-way",
        releases=frozenset({11}),
    ),
    *(
        Seed(
            "acct.other-ways-to-root",
            f"what others reach of root: {run}",
            make=f"systemd-run -q --unit=seed {run}; timeout 20 sh -c 'until ss -Htln sport = :2323 | grep -q .; do sleep 0.1; done'",
            undo="systemctl stop seed",
            unknown="root-serves" if not declared else "",
            declared={"root_services": list(declared)},
        )
        for run, declared in (
            ("python3 -m http.server 2323 --bind 127.0.0.1", ()),
            ("python3 -m http.server 2323 --bind 127.0.0.2", ("seed.service",)),
        )
    ),
    Seed(
        "acct.other-ways-to-root",
        "a socket unit whose service is a shell of root",
        make="printf '[Socket]\\nListenStream=/run/seed.sock\\nAccept=yes\\n' >/etc/systemd/system/seed.socket; "
        "printf '[Service]\\nExecStart=/bin/sh\\nStandardInput=socket\\n' >/etc/systemd/system/seed@.service; systemctl daemon-reload; systemctl start seed.socket",
        undo="systemctl stop seed.socket; rm /etc/systemd/system/seed.socket /etc/systemd/system/seed@.service; systemctl daemon-reload",
        unknown="root-serves",
    ),
    Seed(
        "acct.other-ways-to-root",
        "a socket unit whose service is another account's",
        make="printf '[Socket]\\nListenStream=/run/seed.sock\\nAccept=yes\\n' >/etc/systemd/system/seed.socket; "
        "printf '[Service]\\nUser=chi\\nExecStart=/bin/cat\\nStandardInput=socket\\n' >/etc/systemd/system/seed@.service; systemctl daemon-reload; systemctl start seed.socket",
        undo="systemctl stop seed.socket; rm /etc/systemd/system/seed.socket /etc/systemd/system/seed@.service; systemctl daemon-reload",
    ),
    _pam("login", "sufficient pam_shells.so"),
)
