"""The host's own sshd, with files of settings beside those that Debian delivers."""

from tests.checks.servers.matrix import Fault, Seed

_SET = "printf '%b' '{text}' >/etc/ssh/sshd_config.d/{name}.conf; systemctl reload ssh"
_BROKEN = "echo 'NoSuchSetting yes' >/etc/ssh/sshd_config.d/zz-broken.conf"
FAULTS = (
    Fault(
        "ssh.root-login",
        "root-login-allowed",
        good=_SET.format(name="root", text="PermitRootLogin no\\n"),
        bad="rm -f /etc/ssh/sshd_config.d/root.conf; systemctl reload ssh",
        gone=_BROKEN,
        unknown="command-failed",  # what lists listening sockets is gone as well
    ),
    Fault(
        "ssh.password-auth",
        "password-allowed",
        good=_SET.format(
            name="passwords",
            text="PasswordAuthentication no\\nKbdInteractiveAuthentication no\\nChallengeResponseAuthentication no\\n",
        ),
        bad="rm -f /etc/ssh/sshd_config.d/passwords.conf; systemctl reload ssh",
        gone=_BROKEN,
        unknown="command-failed",  # what lists listening sockets is gone as well
        on="web2",
    ),
    Fault(
        "ssh.crypto",
        "weak-algorithms",
        good=_SET.format(
            name="crypto",
            text="Ciphers aes256-ctr,aes128-ctr\\nMACs hmac-sha2-256-etm@openssh.com,hmac-sha2-256\\n"
            "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256\\n",
        ),
        bad="rm -f /etc/ssh/sshd_config.d/crypto.conf; systemctl reload ssh",
    ),
    Fault(
        "acct.mfa",
        "one-factor",
        good=_SET.format(
            name="factors",
            text="KbdInteractiveAuthentication yes\\nAuthenticationMethods publickey,keyboard-interactive\\n"
            "Match User portalops\\nAuthenticationMethods publickey\\n",
        ),
        bad="rm -f /etc/ssh/sshd_config.d/factors.conf; systemctl reload ssh",
        gone=_BROKEN,
        unknown="command-failed",
        declared={"service_accounts": ["portalops"]},
        on="web2",
    ),
)


def dropin(check: str, name: str, file: str, text: str, *, fails: str = "", on: str = "web1") -> Seed:
    undo = f"rm -f /etc/ssh/sshd_config.d/{file}.conf; systemctl reload ssh; sleep 0.5"
    return Seed(check, name, make=f"{_SET.format(name=file, text=text)}; sleep 0.5", undo=undo, fails=fails, on=on)


SECOND = (
    "printf 'Port 2222\\nUsePAM yes\\nPidFile /run/second.pid\\n{text}' >/etc/ssh/second_config;"
    " /usr/sbin/sshd -f /etc/ssh/second_config; sleep 0.5"
)
NO_SECOND = "kill $(cat /run/second.pid); rm -f /etc/ssh/second_config; sleep 0.3"
_SHUT = "PermitRootLogin no\\nPasswordAuthentication no\\nKbdInteractiveAuthentication no\\nChallengeResponseAuthentication no\\n"
_BY_SOCKET = "systemctl stop ssh; systemctl start ssh.socket; sleep 0.5"
_NOT_BY_SOCKET = "systemctl stop ssh.socket ssh; systemctl start ssh; sleep 0.5"
_STRONG = "Ciphers aes256-ctr\\nMACs hmac-sha2-256\\nKexAlgorithms curve25519-sha256,ecdh-sha2-nistp256\\nHostKeyAlgorithms ssh-ed25519\\n"
SEEDS = (
    dropin(
        "ssh.password-auth",
        "match-user",
        "zz-chi",
        "Match User chi\\nPasswordAuthentication yes\\n",
        fails="password-in-match",
        on="web2",
    ),
    dropin(
        "ssh.password-auth",
        "match-group",
        "zz-group",
        "Match Group sudo\\nPasswordAuthentication yes\\n",
        fails="password-in-match",
        on="web2",
    ),
    dropin(
        "ssh.password-auth",
        "match-narrow-range",
        "zz-range",
        "Match Address 100.64.7.0/24,!100.64.7.0/25\\nPasswordAuthentication yes\\n",
        fails="password-in-match",
        on="web2",
    ),
    dropin(
        "ssh.password-auth",
        "match-local-port",
        "zz-port",
        "Match LocalPort 22\\nPasswordAuthentication yes\\n",
        fails="password-allowed",
        on="web2",
    ),
    Seed(
        "ssh.password-auth",
        "match-first-group-of-one-without-a-shell",
        fails="password-in-match",
        on="web2",
        make="groupadd drop; useradd -g drop -s /usr/sbin/nologin drop1; "
        + _SET.format(name="zz-drop", text="Match Group drop\\nPasswordAuthentication yes\\n")
        + "; sleep 0.5",
        undo="rm /etc/ssh/sshd_config.d/zz-drop.conf; systemctl reload ssh; userdel -f drop1; groupdel drop || true; sleep 0.5",
    ),
    Seed(
        "ssh.password-auth",
        "second-server",
        fails="password-allowed",
        on="web2",
        make=SECOND.format(text=""),
        undo=NO_SECOND,
    ),
    Seed(
        "ssh.password-auth",
        "corrected-and-not-loaded",
        fails="password-offered",
        on="web2",
        make=(
            "cd /etc/ssh/sshd_config.d; mv passwords.conf /root/; systemctl reload ssh; sleep 1; mv /root/passwords.conf ."
        ),
        undo="systemctl reload ssh; sleep 0.5",
    ),
    Seed(
        "ssh.password-auth",
        "corrected-with-an-old-date",
        fails="password-offered",
        on="web2",
        make=(
            "cd /etc/ssh/sshd_config.d; mv passwords.conf /root/; systemctl reload ssh; sleep 1;"
            " cp -p /root/passwords.conf .; touch -d 2020-01-01 passwords.conf"
        ),
        undo="systemctl reload ssh; sleep 0.5",
    ),
    Seed(
        "ssh.password-auth",
        "option-of-the-service",
        fails="password-allowed",
        on="web2",
        make="echo 'SSHD_OPTS=-oPasswordAuthentication=yes' >/etc/default/ssh; systemctl restart ssh; sleep 0.5",
        undo="echo 'SSHD_OPTS=' >/etc/default/ssh; systemctl restart ssh; sleep 0.5",
    ),
    dropin(
        "ssh.password-auth",
        "match-that-refuses-as-well",
        "zz-also",
        "Match User chi Address 10.0.0.0/8\\nPasswordAuthentication no\\nX11Forwarding no\\n",
        on="web2",
    ),
    dropin(
        "ssh.password-auth",
        "password-for-a-refused-user",
        "zz-denied",
        "DenyUsers chi\\nMatch User chi\\nPasswordAuthentication yes\\n",
        on="web2",
    ),
    Seed(
        "ssh.password-auth",
        "second-server-as-strict",
        on="web2",
        make=SECOND.format(text=_SHUT),
        undo=NO_SECOND,
    ),
    Seed(
        "ssh.root-login",
        "started-by-a-socket",
        fails="root-login-allowed",
        make=f"mv /etc/ssh/sshd_config.d/root.conf /root/; {_BY_SOCKET}",
        undo=f"mv /root/root.conf /etc/ssh/sshd_config.d/; {_NOT_BY_SOCKET}",
    ),
    Seed("ssh.root-login", "refused-and-started-by-a-socket", make=_BY_SOCKET, undo=_NOT_BY_SOCKET),
    dropin(
        "ssh.root-login",
        "match-user-and-address",
        "zz-root",
        "Match User root Address 10.20.0.0/16\\nPermitRootLogin prohibit-password\\n",
        fails="root-login-in-match",
    ),
    dropin(
        "ssh.root-login",
        "match-local-address",
        "zz-own",
        "Match LocalAddress 127.0.0.0/8,198.18.0.0/15\\nPermitRootLogin yes\\n",
        fails="root-login-in-match",
    ),
    Seed(
        "ssh.root-login",
        "second-server",
        fails="root-login-allowed",
        make=SECOND.format(text=""),
        undo=NO_SECOND,
    ),
    Seed(
        "ssh.root-login",
        "corrected-and-not-loaded",
        unknown="not-loaded",
        make="cd /etc/ssh/sshd_config.d; mv root.conf /root/; systemctl reload ssh; sleep 1; mv /root/root.conf .",
        undo="systemctl reload ssh; sleep 0.5",
    ),
    dropin(
        "ssh.root-login",
        "allow-users-without-root",
        "00-allow",
        "AllowUsers an binh portalops\\nPermitRootLogin yes\\n",
    ),
    dropin("ssh.root-login", "weaker-line-behind-the-first", "zz-behind", "PermitRootLogin yes\\n"),
    Seed(
        "ssh.crypto",
        "second-server",
        fails="weak-algorithms",
        make=SECOND.format(text="Ciphers aes256-cbc,aes256-ctr\\n"),
        undo=NO_SECOND,
    ),
    Seed(
        "ssh.crypto",
        "corrected-and-not-loaded",
        fails="weak-algorithms",
        make="cd /etc/ssh/sshd_config.d; mv crypto.conf /root/; systemctl reload ssh; sleep 1; mv /root/crypto.conf .",
        undo="systemctl reload ssh; sleep 0.5",
    ),
    Seed(
        "ssh.crypto",
        "second-server-as-strong",
        make=SECOND.format(text=_STRONG),
        undo=NO_SECOND,
    ),
    dropin("ssh.crypto", "weak-line-behind-the-first", "zz-behind", "Ciphers aes256-cbc\\nMACs hmac-sha1\\n"),
)
