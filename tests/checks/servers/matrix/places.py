"""Secrets, web roots, databases and logs."""

from tests.checks.servers.matrix import Fault
from tests.checks.servers.matrix._base import OLD_JOURNAL

_REDIS = "sed -i 's/^bind .*/bind {address}/; s/^protected-mode .*/protected-mode no/' /etc/redis/redis.conf; systemctl restart redis-server"
FAULTS = (
    Fault(
        "secrets.readable",
        "readable-by-all",
        good="rm -f /etc/portal.old /etc/portal.key /etc/portal.env.example /home/an/.env; cp /etc/ssh/ssh_host_ed25519_key.pub /etc/portal.key;"
        "echo DB_PASSWORD=secret >/etc/portal.env.example; install -o an -m 640 /dev/null /home/an/.env; echo DB_PASSWORD=Xuan2026 >/home/an/.env",
        bad="echo DB_PASSWORD=Xuan2026 >/etc/portal.old; chmod 644 /etc/portal.old",
        gone="rm -f $(command -v find)",
        unknown="command-missing",
        on="web2",
    ),
    Fault(
        "web.webroot-writable",
        "writable",
        # the web server may not write to it by its mode: an access list lets it; another one's list and a masked one do not
        good="install -d /var/www/html; cd /var/www/html; echo '<?php' >index.php; touch other masked; setfacl -b *;"
        "setfacl -m u:chi:rw other; setfacl -m u:www-data:rw,m::r masked",
        bad="setfacl -m u:www-data:rw /var/www/html/index.php",
        gone="rm -rf /var/www",
        unknown="no-webroot",
    ),
    Fault(
        "db.exposure",
        "exposed",
        good=_REDIS.format(address="127.0.0.1"),
        bad=_REDIS.format(address="0.0.0.0"),
        gone="rm -f $(command -v ss)",
        unknown="command-missing",
    ),
    Fault(
        "log.retention",
        "",  # a fail needs a disk that is older than the logs should be
        good=OLD_JOURNAL,
        gone="rm -f /var/log/journal/*/system@old*.journal",
        unknown="host-young",
        on="web2",
    ),
)
