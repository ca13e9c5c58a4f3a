"""The host's own sshd, with files of settings beside those that Debian delivers."""

from tests.checks.servers.matrix import Fault

_SET = "printf '%b' '{text}' >/etc/ssh/sshd_config.d/{name}.conf; systemctl reload ssh"
_BROKEN = "echo 'NoSuchSetting yes' >/etc/ssh/sshd_config.d/zz-broken.conf"
FAULTS = (
    Fault(
        "ssh.root-login",
        "root-login-allowed",
        good=_SET.format(name="root", text="PermitRootLogin no\\n"),
        bad="rm -f /etc/ssh/sshd_config.d/root.conf; systemctl reload ssh",
        gone=_BROKEN,
        unknown="command-failed",
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
        unknown="command-failed",
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
