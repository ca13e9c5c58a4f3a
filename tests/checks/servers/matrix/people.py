"""Accounts, passwords and keys that are not what they seem. Their faults are those of `acct`, whose people are those of `_base.py`."""

from tests.checks.servers.matrix import Seed
from tests.checks.servers.matrix._base import LOGIN, OLD_JOURNAL

_MD5 = "$1$abcdefgh$0123456789abcdefghijk."
_SHA = "$6$abcdefgh$0123456789abcdefghijk."


def _account(check: str, name: str, options: str, *, fails: str = "", account: str = "seed", more: str = "") -> Seed:
    """An account that is added, and removed again."""
    make = f"useradd -M {options} {account}; {more}:"
    return Seed(check, name, make=make, undo=f"userdel -f {account}; rm -rf /home/{account}", fails=fails)


def _line(name: str, edit: str, undo: str, *, check: str = "acct.empty-password", fails: str = "") -> Seed:
    """A line of /etc/passwd that no program wrote."""
    return Seed(check, name, make=f"sed -i '{edit}' /etc/passwd", undo=f"sed -i '{undo}' /etc/passwd", fails=fails)


def _rule(name: str, rule: str, *, fails: str = "") -> Seed:
    make = f"echo '{rule}' >/etc/sudoers.d/seed; chmod 440 /etc/sudoers.d/seed; visudo -cq"
    return Seed("acct.privileged", name, make=make, undo="rm /etc/sudoers.d/seed", fails=fails)


def _chi(check: str, name: str, make: str, *, undo: str = "", fails: str = "") -> Seed:
    """Keys of chi, who has none."""
    return Seed(
        check, name, make=f"cd ~chi/.ssh; {make}", undo=f"rm -f ~chi/.ssh/authorized_keys*; {undo}", fails=fails
    )


_STALE = "chage -d 2026-01-01 seed; "
SEEDS = (
    _line(
        "the number of root, written otherwise",
        "$a seed:x:00:100::/:/bin/sh",
        "/^seed:/d",
        check="acct.uid0",
        fails="second-root",
    ),
    _account("acct.uid0", "the first group of root", "-g 0"),
    _line("no password in the older file", "s/^chi:x:/chi::/", "s/^chi::/chi:x:/", fails="empty-password"),
    _line("a hash in the older file", f"s|^chi:x:|chi:{_SHA}:|", "s/^chi:[^:]*:/chi:x:/", fails="hash-in-passwd"),
    _account("acct.empty-password", "a form that is guessed in minutes", f"-p '{_MD5}'", fails="weak-hash"),
    _account("acct.empty-password", "no password, and locked", "-p '!'"),
    _account(
        "acct.default-names",
        "an account of images without a shell",
        f"-s /usr/sbin/nologin -p '{_SHA}'",
        account="ftpuser",
        fails="default-account-usable",
    ),
    _account("acct.default-names", "an account of images, locked", "", account="guest"),
    _account(
        "acct.default-names",
        "an account of images, locked, with a key",
        "",
        account="debian",
        more="install -d -o debian /home/debian/.ssh; install -o debian -m 600 /root/keys/an.pub /home/debian/.ssh/authorized_keys; ",
        fails="default-account-opened",
    ),
    Seed(
        "acct.password-age",
        "changed in the future",
        make="chage -d 2030-01-01 an",
        undo='chage -d "$(date +%F)" an',
        unknown="changed-in-future",
    ),
    Seed(
        "acct.password-age",
        "old, and locked",
        make="chage -d 2026-01-01 an; usermod -L an",
        undo='usermod -U an; chage -d "$(date +%F)" an',
    ),
    _rule("an account of no group may run everything", "chi ALL=(ALL:ALL) ALL", fails="undeclared-member"),
    _rule("everything but one command", "chi ALL=(root) ALL, !/usr/bin/su", fails="undeclared-member"),
    _rule("one command", "chi ALL=(root) /usr/bin/systemctl reload nginx.service"),
    _rule("everything as another account", "chi ALL=(www-data) ALL"),
    Seed(
        "acct.privileged",
        "a group of another name with the number of sudo",
        make="groupadd -o -g $(getent group sudo | cut -d: -f3) seed; sed -i 's/^seed:.*/&chi/' /etc/group",
        undo="sed -i '/^seed:/d' /etc/group /etc/gshadow",
        fails="undeclared-member",
    ),
    Seed(
        "acct.privileged",
        "sudo.conf names another file of rules",
        make=(
            "cp -p /etc/sudoers /etc/sudoers.alt; echo 'chi ALL=(ALL) ALL' >>/etc/sudoers.alt; cp /etc/sudo.conf /root/sudo.kept;"
            " echo 'Plugin sudoers_policy sudoers.so sudoers_file=/etc/sudoers.alt' >>/etc/sudo.conf"
        ),
        undo="cp /root/sudo.kept /etc/sudo.conf; rm /etc/sudoers.alt",
        fails="undeclared-member",
    ),
    Seed(
        "acct.privileged",
        "the administrator of a group takes himself in",
        make="gpasswd -A chi sudo",
        undo="gpasswd -A '' sudo",
        fails="undeclared-member",
    ),
    Seed(
        "acct.privileged",
        "a member in the shadow of the group alone",
        make="cp -p /etc/gshadow /root/gshadow.kept; sed -i 's/^sudo:.*/&,chi/' /etc/gshadow",
        undo="cp -p /root/gshadow.kept /etc/gshadow",
        fails="undeclared-member",
    ),
    Seed(
        "acct.privileged",
        "a password of the group sudo",
        make=f"cp -p /etc/gshadow /root/gshadow.kept; echo 'sudo:{_SHA}' | chgpasswd -e",
        undo="cp -p /root/gshadow.kept /etc/gshadow",
        fails="group-password",
    ),
    Seed(
        "acct.privileged",
        "an administrator and a password of a group without rights",
        make=f"cp -p /etc/gshadow /root/gshadow.kept; gpasswd -A chi games; echo 'games:{_SHA}' | chgpasswd -e",
        undo="cp -p /root/gshadow.kept /etc/gshadow",
    ),
    _chi(
        "acct.authorized-keys",
        "a key in a file that a wildcard finds",
        "ssh-keygen -q -t ed25519 -N '' -f /root/keys/seed; install -o chi -m 600 /root/keys/seed.pub .x.keys;"
        " echo 'AuthorizedKeysFile .ssh/authorized_keys .ssh/.*.keys' >/etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh",
        undo="rm -f /root/keys/seed* ~chi/.ssh/.x.keys /etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
        fails="unknown-key",
    ),
    Seed(
        "acct.authorized-keys",
        "keys of hosts",
        make="echo 'HostbasedAuthentication yes' >/etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
        undo="rm /etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
        unknown="keys-elsewhere",
    ),
    Seed(
        "acct.authorized-keys",
        "a server that was started with other files",
        make="cp /etc/default/ssh /root/ssh.kept; echo 'SSHD_OPTS=-oAuthorizedKeysFile=/home/%u/.ssh/authorized_keys' >/etc/default/ssh; systemctl restart ssh; sleep 0.5",
        undo="cp /root/ssh.kept /etc/default/ssh; systemctl restart ssh; sleep 0.5",
        unknown="keys-elsewhere",
    ),
    Seed(
        "acct.authorized-keys",
        "a wildcard that finds nothing",
        make="echo 'AuthorizedKeysFile .ssh/authorized_keys .ssh/*.keys' >/etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
        undo="rm /etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
    ),
    _chi(
        "acct.authorized-keys",
        "a key in the second file",
        "ssh-keygen -q -t ed25519 -N '' -f /root/keys/seed; install -o chi -m 600 /root/keys/seed.pub authorized_keys2",
        undo="rm /root/keys/seed*",
        fails="unknown-key",
    ),
    _chi(
        "acct.authorized-keys",
        "keys in a folder that others write, and sshd does not mind",
        "install -o chi -m 600 /root/keys/an.pub authorized_keys; chmod 777 .; echo 'StrictModes no' >/etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh",
        undo="chmod 700 ~chi/.ssh; rm /etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
        fails="loose-folder",
    ),
    _chi(
        "acct.authorized-keys",
        "keys in a folder that others write, which sshd refuses then",
        "install -o chi -m 600 /root/keys/an.pub authorized_keys; chmod 777 .",
        undo="chmod 700 ~chi/.ssh",
    ),
    _chi(
        "acct.authorized-keys",
        "a key in a comment",
        "ssh-keygen -q -t ed25519 -N '' -f /root/keys/seed; sed 's/^/# /' /root/keys/seed.pub >authorized_keys; chown chi authorized_keys; chmod 600 authorized_keys",
        undo="rm /root/keys/seed*",
    ),
    _account("acct.shared", "two accounts of one number", "-o -u $(id -u an)", fails="number-twice"),
    _chi(
        "acct.shared",
        "the key of another with options and another comment",
        "sed 's/^/restrict,pty /; s/ an$/ chi/' /root/keys/an.pub >authorized_keys; chown chi authorized_keys; chmod 600 authorized_keys",
        fails="key-in-two-accounts",
    ),
    Seed(
        "acct.shared",
        "a key twice in the files of one account",
        make="install -o an -m 600 /root/keys/an.pub ~an/.ssh/authorized_keys2",
        undo="rm ~an/.ssh/authorized_keys2",
    ),
    _account(
        "acct.stale",
        "a locked password, and a key",
        "-s /bin/sh",
        more=OLD_JOURNAL
        + _STALE
        + "install -d -o seed -m 700 ~seed/.ssh; install -o seed -m 600 /root/keys/binh.pub ~seed/.ssh/authorized_keys; ",
        fails="account-unused",
    ),
    *(
        Seed(
            check,
            "sshd logs which key it takes",
            make="echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5; "
            + LOGIN.format(name="an"),
            undo="rm /etc/ssh/sshd_config.d/seed.conf; systemctl reload ssh; sleep 0.5",
        )
        for check in ("acct.stale", "acct.login-attribution")
    ),
    _account("acct.stale", "a password, and no shell", f"-s /usr/sbin/nologin -p '{_SHA}'", more=_STALE),
)
