"""Accounts, their passwords and keys. The people are those of `_base.py`."""

from tests.checks.servers.matrix import Fault
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
        unknown="command-missing",
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
