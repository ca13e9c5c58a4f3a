"""Second factors of SSH: where two are asked for, a password alone is never enough, so these rows stand apart from those of `ssh`."""

from tests.checks.servers.matrix import Seed
from tests.checks.servers.matrix.ssh import NO_SECOND, SECOND, dropin

SEEDS = (
    dropin(
        "acct.mfa",
        "one account by its key alone",
        "00-one",
        "Match User chi\\nAuthenticationMethods publickey\\n",
        fails="one-factor",
        on="web2",
    ),
    dropin(
        "acct.mfa",
        "two steps of one factor from a network",
        "00-two",
        "Match Address 10.0.0.0/8\\nAuthenticationMethods publickey,publickey\\n",
        fails="one-factor",
        on="web2",
    ),
    Seed("acct.mfa", "second-server", fails="one-factor", on="web2", make=SECOND.format(text=""), undo=NO_SECOND),
    Seed(
        "acct.mfa",
        "PAM lets in who has the key",
        fails="pam-permits",
        on="web2",
        make="sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/sshd",
        undo="sed -i 1d /etc/pam.d/sshd",
    ),
    Seed(
        "acct.mfa",
        "PAM jumps over the password",
        fails="pam-permits",
        on="web2",
        make="sed -i '1i auth [success=2 default=ignore] pam_permit.so' /etc/pam.d/common-auth",
        undo="sed -i 1d /etc/pam.d/common-auth",
    ),
    Seed(
        "acct.mfa",
        "PAM counts failures with pam_faillock",
        on="web2",
        make="sed -i '1i auth required pam_faillock.so preauth' /etc/pam.d/common-auth",
        undo="sed -i 1d /etc/pam.d/common-auth",
    ),
    dropin(
        "acct.mfa",
        "another order of the two for one account",
        "00-order",
        "Match User chi\\nAuthenticationMethods keyboard-interactive,publickey\\n",
        on="web2",
    ),
)
