"""Secrets, web roots, databases and logs."""

from tests.checks.servers.matrix import Fault, Seed
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
_READABLE = "readable-by-all"


def _file(name: str, path: str, text: str, *, mode: str = "644", fails: str = _READABLE, owner: str = "root") -> Seed:
    """A file with this text in it, and its folder if there is none."""
    make = f"install -d {path.rpartition('/')[0]}; printf '{text}' >{path}; chmod {mode} {path}; chown {owner} {path}"
    return Seed("secrets.readable", name, make=make, undo=f"rm -f {path}", fails=fails, on="web2")


def _web(name: str, make: str, *, undo: str = "", fails: str = "") -> Seed:
    """A file of the web root that is made as a script says."""
    return Seed(
        "web.webroot-writable",
        name,
        make=f"cd /var/www/html; touch seeded; {make}",
        undo=f"rm -rf /var/www/html/seeded; {undo}",
        fails=fails,
    )


def _account(name: str, sql: str, *, fails: str = "") -> Seed:
    return Seed(
        "db.exposure",
        name,
        make=f"""mariadb -e "SET sql_log_bin = 0; {sql}" """,
        undo="mariadb -N -e \"SELECT concat('DROP USER ', quote(user), '@', quote(host), ';') FROM mysql.global_priv"
        " WHERE user LIKE 'seed%' AND host != '' UNION ALL SELECT concat('DROP ROLE ', user, ';') FROM mysql.global_priv"
        " WHERE user LIKE 'seed%' AND host = ''\" | mariadb",
        fails=fails,
        on="web2",
        releases=frozenset({13}),
    )


_OPEN = "account-open"
SEEDS = (
    _file("copy of an environment", "/srv/portal/.env.old", "APP=portal\\nDB_PASSWORD=Xuan2026\\n"),
    _file(
        "environment of a unit",
        "/etc/systemd/system/portal.service.d/env.conf",
        "[Service]\\nEnvironment=DB_PASSWORD=Xuan2026\\n",
    ),
    _file(
        "program's settings under another name",
        "/var/www/html/wp-config.php.bak",
        '<?php\\ndefine("DB_PASSWORD", "Xuan2026");\\n',
    ),
    _file("hashes of passwords", "/etc/portal.users", "an:$apr1$abcdefgh$0123456789abcdefghijk.\\n"),
    _file("account in an address", "/opt/portal/worker.conf", "DATABASE_URL=postgres://portal:Xuan2026@db/portal\\n"),
    _file("one line of JSON", "/srv/portal/settings.json", '{"db":{"host":"db","password":"Tr0ub4dor3x"}}\\n'),
    _file(
        "connection string",
        "/srv/portal/app.settings",
        '{"x":"Server=db;User Id=sa;Password=Tr0ub4dor3x;Encrypt=true"}\\n',
    ),
    _file(
        "array of PHP",
        "/srv/portal/config.inc.php",
        '<?php\\n$cfg["Servers"][1]["password"] = "Tr0ub4dor3x";\\n',
    ),
    _file(
        "key of PuTTY",
        "/srv/portal/an.ppk",
        "PuTTY-User-Key-File-3: ssh-ed25519\\nEncryption: none\\nPrivate-Lines: 1\\nAAAA\\n",
    ),
    _file(
        "what a job gives a command", "/etc/cron.d/seed", "5 2 * * * root mysqldump -pTr0ub4dor3x portal >/dev/null\\n"
    ),
    Seed(
        "secrets.readable",
        "what a setting names as the file of a secret",
        make="install -d /etc/openvpn/client; printf 'an\\nxuanhathudong\\n' >/etc/openvpn/client/auth; echo 'auth-user-pass /etc/openvpn/client/auth' >/etc/openvpn/client/office.conf",
        undo="rm -r /etc/openvpn/client",
        fails=_READABLE,
        on="web2",
    ),
    _file(
        "what nobody chose as a name, behind a key",
        "/srv/portal/store.conf",
        "Endpoint=https;AccountKey=Xh0nW1pKqv8vN2mXy7Hf0AzQ3rT5uY8iO1pA4sD6fG7hJ9kL2zX4cV6bN8mQ0wE==\\n",
    ),
    _file("statement", "/usr/local/sbin/first", 'mariadb -e "CREATE USER a IDENTIFIED BY \\047Tr0ub4dor3x\\047"\\n'),
    _file("store of keys under any name", "/srv/portal/wallet", "\\376\\355\\376\\355\\000\\000\\000\\002"),
    _file(
        "text of two bytes a letter",
        "/srv/portal/windows.ini",
        "\\377\\376p\\0a\\0s\\0s\\0w\\0o\\0r\\0d\\0=\\0T\\0r\\0000\\0u\\0b\\0004\\0\\n\\0",
    ),
    _file(
        "code that names the environment",
        "/srv/portal/settings.py",
        'import os\\npassword = os.environ["PW"]\\ntoken = settings.TOKEN_1\\n',
        fails="",
    ),
    Seed(
        "secrets.readable",
        "private key under any name",
        make="ssh-keygen -q -t ed25519 -N '' -f /etc/portal-notes; chmod 644 /etc/portal-notes",
        undo="rm -f /etc/portal-notes /etc/portal-notes.pub",
        fails=_READABLE,
        on="web2",
    ),
    _file(
        "example with words alone",
        "/srv/portal/.env.example",
        "DB_PASSWORD=secret\\nAPP_KEY=\\nTOKEN=your_token_here\\n",
        fails="",
    ),
    _file(
        "references",
        "/opt/portal/compose.yml",
        "    environment:\\n      DB_PASSWORD: ${DB_PASSWORD}\\n      DB_PASSWORD_FILE: /run/secrets/db\\n",
        fails="",
    ),
    _file(
        "for the web server's group alone",
        "/var/www/html/wp-config.php",
        '<?php\\ndefine("DB_PASSWORD", "Xuan2026");\\n',
        mode="640",
        fails="",
        owner="root:www-data",
    ),
    Seed(
        "secrets.readable",
        "in a closed folder",
        make="install -d -m 750 /srv/closed; echo DB_PASSWORD=Xuan2026 >/srv/closed/.env",
        undo="rm -rf /srv/closed",
        on="web2",
    ),
    Seed(
        "secrets.readable",
        "certificate named key",
        make="cp /etc/ssh/ssh_host_ed25519_key.pub /etc/portal.key; echo -----BEGIN CERTIFICATE----- >/etc/portal.crt",
        undo="rm -f /etc/portal.key /etc/portal.crt",
        on="web2",
    ),
    _web("access list", "setfacl -m u:www-data:rw seeded", fails="writable"),
    _web("access list of its group", "setfacl -m g:www-data:rw seeded", fails="writable"),
    _web(
        "group that the web server was put into",
        "groupadd seeded; usermod -aG seeded www-data; chgrp seeded seeded; chmod 664 seeded",
        undo="gpasswd -d www-data seeded; groupdel seeded",
        fails="writable",
    ),
    _web(
        "folder behind a link",
        "install -d -o www-data /srv/seeded; rm seeded; ln -s /srv/seeded seeded",
        undo="rm -rf /srv/seeded",
        fails="writable",
    ),
    _web("access list of another account", "setfacl -m u:chi:rw seeded"),
    _web("access list behind a mask", "setfacl -m u:www-data:rw,m::r seeded"),
    _web("group of others", "chgrp sudo seeded; chmod 664 seeded"),
    _account("no password, all rights", "CREATE USER seed@'%'; GRANT ALL ON *.* TO seed@'%'", fails=_OPEN),
    _account(
        "no password, here alone", "CREATE USER seed@localhost; GRANT SELECT ON *.* TO seed@localhost", fails=_OPEN
    ),
    _account(
        "its name is its password",
        "CREATE USER seed@'%' IDENTIFIED BY 'seed'; GRANT SELECT ON *.* TO seed@'%'",
        fails=_OPEN,
    ),
    Seed(
        "db.exposure",
        "accounts that nobody is asked for",
        make="printf '[mysqld]\\nskip-grant-tables\\n' >/etc/mysql/mariadb.conf.d/99-seed.cnf; systemctl restart mariadb",
        undo="rm /etc/mysql/mariadb.conf.d/99-seed.cnf; systemctl restart mariadb",
        fails=_OPEN,
        on="web2",
        releases=frozenset({13}),
    ),
    Seed(
        "db.exposure",
        "second server at another port",
        make="systemd-run --unit=seed redis-server --port 7777 --bind 0.0.0.0 --protected-mode no; sleep 1",
        undo="systemctl stop seed",
        fails="exposed",
    ),
    *(
        Seed(
            "db.exposure",
            f"a socket of mode {mode}, {options or 'no password'}",
            make=f"systemd-run -q --unit=seed redis-server --port 0 --unixsocket /run/seed.sock --unixsocketperm {mode} {options}; sleep 1",
            undo="systemctl stop seed",
            fails="socket-open" if mode == "777" and not options else "",
        )
        for mode, options in (("777", ""), ("770", ""), ("777", "--requirepass Tr0ub4dor3x"))
    ),
    Seed(
        "db.exposure",
        "a password in the tables that the server has not loaded",
        make="mariadb -e \"SET sql_log_bin = 0; CREATE USER seed@'%'; GRANT ALL ON *.* TO seed@'%'; UPDATE mysql.global_priv SET priv ="
        " json_set(priv, '$.authentication_string', '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29') WHERE user = 'seed'\"",
        undo="mariadb -e \"SET sql_log_bin = 0; FLUSH PRIVILEGES; DROP USER seed@'%'\"",
        fails=_OPEN,
        on="web2",
        releases=frozenset({13}),
    ),
    Seed(
        "db.exposure",
        "accounts that nobody is asked for from the next start on",
        make="printf '[mysqld]\\nskip_grant_tables = ON\\n' >/etc/mysql/mariadb.conf.d/99-seed.cnf",
        undo="rm /etc/mysql/mariadb.conf.d/99-seed.cnf",
        fails=_OPEN,
        on="web2",
        releases=frozenset({13}),
    ),
    *(
        Seed(
            "db.exposure",
            name,
            make=f"printf '%s\\n' \"{sql}\" >/etc/mysql/seed.sql; chmod 644 /etc/mysql/seed.sql;"
            f" printf '[mysqld]\\ninit_file = /etc/mysql/seed.sql\\n' >/etc/mysql/mariadb.conf.d/99-seed.cnf{more}",
            undo=f"rm /etc/mysql/mariadb.conf.d/99-seed.cnf /etc/mysql/seed.sql{more}",
            unknown=unknown,
            on="web2",
            releases=frozenset({13}),
        )
        for name, sql, more, unknown in (
            ("an account that each start makes", "CREATE USER IF NOT EXISTS seed@'%';", "", "starts-not-understood"),
            (
                "an account that each start makes, and that was dropped since",
                "CREATE USER IF NOT EXISTS seed@'%';",
                "; systemctl restart mariadb; mariadb -e \"DROP USER IF EXISTS seed@'%'\"",
                "starts-not-understood",
            ),
            ("variables that each start sets", "SET GLOBAL max_connections = 100;", "", ""),
        )
    ),
    Seed(
        "db.exposure",
        "a rule of the firewall that leads others to loopback",
        make="printf 'table ip portal {\\n chain pre {\\n  type nat hook prerouting priority -100;\\n  ip saddr 192.0.2.77 tcp dport 22 dnat to 127.0.0.1:6379\\n }\\n}\\n' | nft -f -",
        undo="nft delete table ip portal",
        fails="led-to-loopback",
    ),
    Seed(
        "db.exposure",
        "a rule of the firewall that leads others to another address of loopback",
        make="printf 'table ip portal {\\n chain pre {\\n  type nat hook prerouting priority -100;\\n  tcp dport 6379 dnat to 127.0.0.9\\n }\\n}\\n' | nft -f -",
        undo="nft delete table ip portal",
    ),
    _account(
        "all rights, over the socket of another account",
        "CREATE USER seed@localhost IDENTIFIED VIA unix_socket AS 'chi'; GRANT ALL ON *.* TO seed@localhost",
        fails=_OPEN,
    ),
    _account(
        "over the socket of the account of its name, by that name",
        "CREATE USER seed@localhost IDENTIFIED VIA unix_socket AS 'seed'; GRANT ALL ON *.* TO seed@localhost",
    ),
    _account("locked, without a password", "CREATE USER seed@'%' ACCOUNT LOCK; GRANT ALL ON *.* TO seed@'%'"),
    _account("by its socket alone", "CREATE USER seed@'%' IDENTIFIED VIA unix_socket; GRANT ALL ON *.* TO seed@'%'"),
    _account("no password and no rights, for a balancer", "CREATE USER seed@'192.0.2.5'"),
    Seed(
        "db.exposure",
        "second server on loopback",
        make="systemd-run --unit=seed redis-server --port 7777 --bind 127.0.0.1; sleep 1",
        undo="systemctl stop seed",
    ),
    Seed(
        "log.retention",
        "the journal keeps warnings alone",
        make="install -d /etc/systemd/journald.conf.d; printf '[Journal]\\nMaxLevelStore=warning\\n' >/etc/systemd/journald.conf.d/portal.conf",
        undo="rm /etc/systemd/journald.conf.d/portal.conf",
        unknown="lines-dropped",
        on="web2",
    ),
    Seed(
        "log.retention",
        "the journal is written to memory",
        make="""
install -d /etc/systemd/journald.conf.d; printf '[Journal]\\nStorage=volatile\\n' >/etc/systemd/journald.conf.d/portal.conf
systemctl restart systemd-journald; logger portal; sleep 1
""",
        undo="""
rm /etc/systemd/journald.conf.d/portal.conf; systemctl restart systemd-journald; journalctl --flush; logger portal; sleep 1
""",
        fails="volatile",
        on="web2",
    ),
)
