"""What both hosts do together: share requests, keep each other's logs, follow a database, stand in for each other."""

from tests.checks.servers.matrix import Fault, Seed

_BALANCER = r"""
cat >/etc/haproxy/haproxy.cfg <<END
global
  user haproxy
  group haproxy
  stats socket /run/haproxy/admin.sock mode 660 level admin
defaults
  mode tcp
  timeout connect 2s
  timeout client 9s
  timeout server 9s
listen answers
  bind 127.0.0.1:8001
listen portal
  bind 127.0.0.1:8000
  server web1 127.0.0.1:8001 check inter 300ms
  server web2 127.0.0.1:8000 {check}
END
systemctl restart haproxy
timeout 30 sh -c 'until echo show stat | socat - UNIX-CONNECT:/run/haproxy/admin.sock | grep -q "^portal,web1.*,UP,"; do sleep 0.2; done'
"""
_SYSLOG = r"""
printf '%b' '{text}' >/etc/rsyslog.d/portal.conf
systemctl restart rsyslog; logger portal
"""
_COLLECTS = (
    'module(load="imtcp")\\ninput(type="imtcp" port="514")\\n'
    'template(name="own" type="string" string="/var/log/remote/%HOSTNAME%/syslog.log")\\n*.* action(type="omfile" dynaFile="own")\\n'
)
COLLECTS = _SYSLOG.format(text=_COLLECTS)
_SENDS = _SYSLOG.format(text="*.* @@'$PEER':514\\n")
_MARIADB = r"""
printf '[mysqld]\nserver_id = {number}\nskip_name_resolve = 1\ninnodb_buffer_pool_size = 32M\n{settings}' >/etc/mysql/mariadb.conf.d/99-portal.cnf
systemctl restart mariadb
mariadb -e "SET sql_log_bin = 0; CREATE USER IF NOT EXISTS portalops@localhost IDENTIFIED VIA unix_socket;
  GRANT SLAVE MONITOR ON *.* TO portalops@localhost; {sql}"
"""
_NEWEST = frozenset({13})
FAULTS = (
    Fault("ha.haproxy", "too-few-up", good=_BALANCER.format(check="check inter 300ms"), of="balancers"),
    Fault(
        "ha.haproxy",
        "too-few-up",
        good=_BALANCER.format(check="check inter 300ms"),
        bad=_BALANCER.format(check=""),
        gone="rm -f $(command -v socat)",
        unknown="command-missing",
        on="web2",
        of="balancers",
    ),
    Fault(
        "log.forwarded",
        "not-sent",
        good=COLLECTS,
        gone="systemctl stop rsyslog; rm -rf /var/log/remote",
        unknown="nothing-collected",
        of="logs",
    ),
    Fault(
        "log.forwarded",
        "not-sent",
        good=_SENDS,
        bad="rm -f /etc/rsyslog.d/portal.conf; systemctl restart rsyslog",
        on="web2",
        of="logs",
    ),
    *(
        Fault(
            "ha.spare-parity",
            fails,
            good="apt-get -q -y dist-upgrade",
            gone="rm -f $(command -v dpkg-query)",
            unknown="command-missing",
            on="web2",
            of="spares",
            releases=releases,
        )
        # the fault of patching.os-eol is there at the same time
        for fails, releases in (("systems-differ", frozenset({13})), ("packages-differ", frozenset({12, 11})))
    ),
    Fault(
        "ha.mysql-replica",
        "not-following",
        good=_MARIADB.format(
            number=1,
            settings="log_bin = bin\\nbind_address = 0.0.0.0\\n",
            sql="CREATE USER IF NOT EXISTS follower@'$PEER' IDENTIFIED BY 'Theo-doi-2026'; GRANT REPLICATION SLAVE ON *.* TO follower@'$PEER'",
        ),
        declared={"listeners": ["tcp/22", "tcp/514", "tcp/3306"]},
        of="databases",
        releases=_NEWEST,
    ),
    Fault(
        "ha.mysql-replica",
        "not-following",
        good=_MARIADB.format(
            number=2,
            settings="read_only = 1\\n",
            sql="STOP SLAVE; CHANGE MASTER TO MASTER_HOST='$PEER', MASTER_USER='follower', MASTER_PASSWORD='Theo-doi-2026',"
            " MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE",
        )
        + 'timeout 30 sh -c \'until mariadb -E -e "SHOW ALL SLAVES STATUS" | grep -q "Slave_IO_Running: Yes"; do sleep 0.2; done\'',
        bad="mariadb -e 'STOP SLAVE IO_THREAD'",
        gone="rm -f $(command -v mariadb)",
        unknown="command-missing",
        on="web2",
        of="databases",
        releases=_NEWEST,
    ),
    Fault(
        "db.exposure",
        "account-open",
        # the locked one without a name, the one of a socket and the one that may do nothing are harmless
        good="mariadb -e \"SET sql_log_bin = 0; DROP USER IF EXISTS web@'%'; DROP ROLE IF EXISTS nhom;"
        " CREATE OR REPLACE USER ''@localhost ACCOUNT LOCK; CREATE OR REPLACE USER an@'%' IDENTIFIED VIA unix_socket;"
        " GRANT ALL ON *.* TO an@'%'; CREATE OR REPLACE USER kiemtra@'192.0.2.5'\"",
        bad="mariadb -e \"SET sql_log_bin = 0; CREATE OR REPLACE USER web@'%'; CREATE OR REPLACE ROLE nhom;"
        " GRANT ALL ON *.* TO nhom; GRANT nhom TO web@'%'\"",
        gone="rm -f $(command -v mariadb)",
        unknown="command-missing",  # of what lists listening sockets
        on="web2",
        releases=_NEWEST,
    ),
)

SEEDS = (
    Seed(
        "log.forwarded",
        "mail alone is sent",
        make=_SYSLOG.format(text="mail.* @@'$PEER':514\\n"),
        undo=_SENDS,
        fails="without-logins",
        on="web2",
        of="logs",
    ),
    Seed(
        "log.forwarded",
        "the rule is there, and the program stands still",
        make="systemctl stop rsyslog syslog.socket",
        undo=_SENDS,
        fails="not-sent",
        on="web2",
        of="logs",
    ),
    Seed(
        "log.forwarded",
        "the rule in the newer form",
        make=_SYSLOG.format(text='action(type="omfwd" target="\'$PEER\'" port="514" protocol="tcp")\\n'),
        undo=_SENDS,
        on="web2",
        of="logs",
    ),
)
