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
)
SEEDS = (
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
)
