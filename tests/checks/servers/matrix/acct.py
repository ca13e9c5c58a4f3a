"""Accounts, their passwords and keys. The people are those of `_base.py`."""

from tests.checks.servers.matrix import Fault, Seed
from tests.checks.servers.matrix._base import LOGIN, OLD_JOURNAL

_DIRECTORY = "grep -q '^+' /etc/passwd || echo '+::::::' >>/etc/passwd"
_MEMBERS = {
    "portalops": {"keys": ["$PORTALOPS_KEY"], "accounts": ["portalops"]},
    "an": {"keys": ["$AN_KEY"], "accounts": ["an"]},
    "binh": {"keys": ["$BINH_KEY"], "accounts": ["binh"]},
}
FAULTS = (
    Fault(
        "acct.uid0",
        "second-root",
        good="sed -i '/^toor:/d' /etc/passwd /etc/shadow",
        bad="useradd -o -u 0 -g 100 toor",
        gone=_DIRECTORY,
        unknown="directory-accounts",
    ),
    Fault(
        "acct.empty-password",
        "empty-password",
        good="userdel -f empty || [ $? = 6 ]",
        bad="useradd empty; passwd -d empty",
        gone=_DIRECTORY,
        unknown="directory-accounts",
    ),
    Fault(
        "acct.default-names",
        "default-account-usable",
        good="userdel -f guest || [ $? = 6 ]",
        bad="useradd guest; echo guest:Guest-2026 | chpasswd",
        gone=_DIRECTORY,
        unknown="directory-accounts",
    ),
    Fault(
        "acct.password-age",
        "password-old",
        good='chage -d "$(date +%F)" an',
        bad="chage -d 2026-01-01 an",
        gone="chage -d 0 an",
        unknown="no-day",
        declared={"admins": ["an"], "service_accounts": ["portalops"]},
    ),
    Fault(
        "acct.privileged",
        "undeclared-member",
        good="gpasswd -d chi adm || true",
        bad="usermod -aG adm chi",
        gone=_DIRECTORY,
        unknown="directory-accounts",
        declared={"admins": ["an"], "service_accounts": ["portalops"]},
    ),
    Fault(
        "acct.authorized-keys",
        "weak-key",
        good="rm -f ~chi/.ssh/authorized_keys",
        bad=(
            "rm -f /root/keys/weak; ssh-keygen -q -t rsa -b 2048 -N '' -f /root/keys/weak;"
            " install -o chi -g chi -m 600 /root/keys/weak.pub ~chi/.ssh/authorized_keys"
        ),
        gone="echo 'NoSuchSetting yes' >/etc/ssh/sshd_config.d/zz-broken.conf",
        unknown="command-failed",
        declared={"members": _MEMBERS},
    ),
    Fault(
        "acct.shared",
        "key-in-two-accounts",
        good="rm -f ~chi/.ssh/authorized_keys2",
        bad="install -o chi -g chi -m 600 /root/keys/an.pub ~chi/.ssh/authorized_keys2",
        gone="echo 'NoSuchSetting yes' >/etc/ssh/sshd_config.d/zz-broken.conf",
        unknown="command-failed",
    ),
    Fault(
        "acct.stale",
        "account-unused",
        good=f"usermod -L chi; {LOGIN.format(name='an')}",
        bad="usermod -U chi; chage -d 2026-01-01 chi",
        gone=_DIRECTORY,
        unknown="directory-accounts",
    ),
    Fault(
        "acct.sudo-nopasswd",
        "nopasswd-all",
        good="rm -f /etc/sudoers.d/chi",
        bad="echo 'chi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/chi",
        gone="rm -f $(command -v cvtsudoers)",
        unknown="command-failed",
    ),
    Fault(
        "acct.login-attribution",
        "login-unattributed",
        good=OLD_JOURNAL,
        bad=LOGIN.format(name="binh"),
        gone="rm -f $(command -v journalctl)",
        unknown="command-missing",
        declared={"members": _MEMBERS, "admin_ranges": ["$NETWORK"]},
        declared_bad={"members": {name: _MEMBERS[name] for name in ("portalops", "an")}},
    ),
)


def _rules(name: str, text: str, *, fails: str = "", unknown: str = "", more: str = "") -> Seed:
    lines = text.replace("\n", "\\n")
    make = f"{more}printf '{lines}\\n' >/etc/sudoers.d/seed; chmod 440 /etc/sudoers.d/seed; visudo -cq"
    return Seed(
        "acct.sudo-nopasswd", name, fails=fails, unknown=unknown, make=make, undo="rm -rf /etc/sudoers.d/seed /opt/seed"
    )


_SCRIPT = "install -d -m 755 /opt/seed; printf '#!/bin/sh\\n' >/opt/seed/deploy; chmod {mode} /opt/seed/deploy; {more}"
_ALT = (
    "cp -p /etc/sudoers /etc/sudoers.alt; echo '{more}' >>/etc/sudoers.alt; cp /etc/sudo.conf /root/sudo.kept;"
    " echo 'Plugin sudoers_policy sudoers.so sudoers_file=/etc/sudoers.alt' >>/etc/sudo.conf"
)
_NO_ALT = "cp /root/sudo.kept /etc/sudo.conf; rm /etc/sudoers.alt"
SEEDS = (
    Seed(
        "acct.sudo-nopasswd",
        "sudo.conf names another file of rules",
        make=_ALT.format(more="chi ALL=(ALL) NOPASSWD: ALL"),
        undo=_NO_ALT,
        fails="nopasswd-all",
    ),
    Seed("acct.sudo-nopasswd", "sudo.conf names a copy", make=_ALT.format(more="# a copy"), undo=_NO_ALT),
    Seed(
        "acct.sudo-nopasswd",
        "another service of PAM for sudo",
        make=(
            "echo 'Defaults pam_service=seed' >/etc/sudoers.d/seed; chmod 440 /etc/sudoers.d/seed;"
            " echo 'auth required pam_permit.so' >/etc/pam.d/seed"
        ),
        undo="rm /etc/sudoers.d/seed /etc/pam.d/seed",
        fails="pam-permits",
    ),
    Seed(
        "acct.sudo-nopasswd",
        "filters of cvtsudoers",
        make=(
            "echo 'match = user=an' >/etc/cvtsudoers.conf; echo 'prune_matches = true' >>/etc/cvtsudoers.conf;"
            " echo 'chi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/seed; chmod 440 /etc/sudoers.d/seed"
        ),
        undo="rm /etc/sudoers.d/seed /etc/cvtsudoers.conf",
        fails="nopasswd-all",
    ),
    Seed(
        "acct.sudo-nopasswd",
        "PAM permits before it asks",
        make="sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/sudo",
        undo="sed -i '1{/pam_permit/d}' /etc/pam.d/sudo",
        fails="pam-permits",
    ),
    Seed(
        "acct.sudo-nopasswd",
        "PAM permits for sudo -i alone",
        make="sed -i '1i auth [default=2] pam_warn.so' /etc/pam.d/sudo-i",
        undo="sed -i '1{/pam_warn/d}' /etc/pam.d/sudo-i",
        fails="pam-permits",
        releases=frozenset({13, 12}),
    ),
    _rules("bash", "chi ALL=(ALL) NOPASSWD: /bin/bash", fails="nopasswd-shell"),
    _rules("su", "chi ALL=(ALL) NOPASSWD: /usr/bin/su", fails="nopasswd-shell"),
    _rules("an upgrade that may ask", "chi ALL=(root) NOPASSWD: /usr/bin/apt-get upgrade", fails="nopasswd-shell"),
    _rules(
        "a pager of systemd", "chi ALL=(root) NOPASSWD: /usr/bin/systemctl status nginx, /usr/bin/journalctl -u nginx"
    ),
    _rules(
        "alias-of-alias",
        "Cmnd_Alias EDIT = /bin/sh, /usr/bin/vim\nCmnd_Alias WORK = EDIT\nchi ALL = NOPASSWD: WORK",
        fails="nopasswd-shell",
    ),
    _rules("all-but-su", "chi ALL=(ALL) NOPASSWD: ALL, !/usr/bin/su", fails="nopasswd-all"),
    _rules("everybody-but-root", "chi ALL=(ALL, !root) NOPASSWD: ALL", fails="nopasswd-all"),
    _rules("number-of-root", "chi ALL=(#0) NOPASSWD: /usr/bin/env", fails="nopasswd-shell"),
    _rules("wildcard", "chi ALL = NOPASSWD: /usr/bin/chown portalops /srv/*", fails="nopasswd-pattern"),
    _rules("folder", "chi ALL = NOPASSWD: /usr/bin/", fails="nopasswd-pattern"),
    _rules("environment", "chi ALL = NOPASSWD: SETENV: /usr/bin/true", fails="nopasswd-environment"),
    _rules("exact-file-in-a-pager", "chi ALL = NOPASSWD: /usr/bin/less /etc/hosts", fails="nopasswd-shell"),
    _rules(
        "kept variable",
        'Defaults env_keep += PERL5OPT\nchi ALL = NOPASSWD: /usr/bin/true ""',
        unknown="setting-unknown",
    ),
    _rules("own path", 'Defaults !secure_path\nchi ALL = NOPASSWD: /usr/bin/true ""', unknown="setting-unknown"),
    _rules(
        "exact command that gives rights",
        "chi ALL = NOPASSWD: /usr/bin/setfacl -m u\\\\:chi\\\\:rw /etc/passwd",
        unknown="command-unjudged",
    ),
    _rules("module of Python", "chi ALL = NOPASSWD: /usr/bin/python3 -m tasks", fails="nopasswd-shell"),
    _rules(
        "exact commands that are understood",
        "chi ALL = NOPASSWD: /usr/sbin/nginx -t, /usr/bin/apt-get update, /usr/sbin/service nginx reload, /usr/bin/journalctl -u nginx",
    ),
    _rules("any arguments", "chi ALL = NOPASSWD: /usr/bin/ssh-copy-id", unknown="arguments-free"),
    _rules(
        "usual settings",
        'Defaults env_keep += "LANG http_proxy"\nDefaults use_pty, logfile=/var/log/sudo.log\nchi ALL = NOPASSWD: /usr/bin/systemctl restart nginx',
    ),
    _rules("asked-once", "Defaults timestamp_timeout = -1", fails="password-kept"),
    _rules("default-for-a-group", "Defaults:%%sudo !authenticate", fails="authenticate-off"),
    _rules("through-another", "chi ALL=(binh) NOPASSWD: ALL\nbinh ALL = NOPASSWD: /usr/bin/perl", fails="nopasswd-all"),
    _rules(
        "script-that-anybody-writes",
        'chi ALL = NOPASSWD: /opt/seed/deploy ""',
        fails="nopasswd-writable",
        more=_SCRIPT.format(mode=777, more=""),
    ),
    _rules(
        "script-in-a-folder-of-chi",
        'chi ALL = NOPASSWD: /opt/seed/deploy ""',
        fails="nopasswd-writable",
        more=_SCRIPT.format(mode=755, more="chown chi /opt/seed; "),
    ),
    _rules(
        "link-to-a-shell",
        "chi ALL = NOPASSWD: /opt/seed/menu",
        fails="nopasswd-shell",
        more="install -d -m 755 /opt/seed; ln -s /bin/dash /opt/seed/menu; ",
    ),
    _rules(
        "nested-aliases-of-exact-commands",
        "Cmnd_Alias WEB = /usr/bin/systemctl restart nginx.service\nCmnd_Alias DAILY = WEB\nchi ALL = NOPASSWD: DAILY",
    ),
    _rules(
        "settings-of-chi",
        "chi ALL = NOPASSWD: /usr/sbin/rsyslogd -N1 -f /opt/seed/r.conf",
        fails="nopasswd-shell",
        more="install -d -o chi /opt/seed; ",
    ),
    _rules("another-account", "chi ALL=(www-data) NOPASSWD: ALL"),
    _rules("another-host", "chi web9=(ALL) NOPASSWD: ALL"),
    _rules(
        "script-of-root",
        'chi ALL = NOPASSWD: /opt/seed/deploy ""',
        more=_SCRIPT.format(mode=755, more=""),
    ),
    _rules("all-with-a-password", "chi ALL = NOPASSWD: /usr/bin/true, PASSWD: ALL"),
    Seed(
        "acct.privileged",
        "a record of systemd that makes a member",
        # as libnss-systemd sets it, which the hosts do not have
        make="mkdir -p /etc/userdb; touch /etc/userdb/chi:sudo.membership; cp /etc/nsswitch.conf /root/nss.kept; sed -i 's/^group:.*/group: files systemd/' /etc/nsswitch.conf",
        undo="rm -r /etc/userdb; cp /root/nss.kept /etc/nsswitch.conf",
        unknown="directory-groups",
    ),
    Seed(
        "acct.uid0",
        "another source of accounts",
        make="cp /etc/nsswitch.conf /root/nss.kept; sed -i 's/^passwd:.*/passwd: files systemd extrausers/' /etc/nsswitch.conf",
        undo="cp /root/nss.kept /etc/nsswitch.conf",
        unknown="directory-accounts",
    ),
)
