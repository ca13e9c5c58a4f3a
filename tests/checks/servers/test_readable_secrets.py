"""What is in a file tells whether it is a secret, and who may enter its folders whether all may read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.servers.probe import MissingFact, ProbeResult, fact_of
from checks.servers.probes import readable_secrets
from checks.servers.probes.readable_secrets import OpenFile, Search

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n-----END OPENSSH PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----\n"
MOUNTS = Path("/proc/self/mounts")
FOLDERS = "/etc /var/www /home /srv /opt /usr/local/etc /usr/local/bin /usr/local/sbin /var/backups /root"


def answer(root: Path, awk: str = "awk", path: str = "", mounts: Path = MOUNTS) -> object:
    """What the probe's own command makes of a folder, with an awk of one kind."""
    script = readable_secrets.PROBE.command[2]
    assert all(one in script for one in (FOLDERS, ' awk "$A" ||', str(MOUNTS)))
    done = subprocess.run(
        [
            "sh",
            "-c",
            script.replace(FOLDERS, str(root))
            .replace(' awk "$A" ||', f' {awk} "$A" ||')
            .replace(str(MOUNTS), str(mounts)),
        ],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{path}{os.environ['PATH']}"},
        timeout=60,
        check=False,
    )
    return fact_of(
        readable_secrets.PROBE, ProbeResult("secrets.readable", done.returncode, done.stdout, done.stderr, 0)
    )


def search(root: Path, awk: str = "awk", mounts: Path = MOUNTS) -> Search:
    found = answer(root, awk, mounts=mounts)
    assert isinstance(found, Search), found
    return found


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # others may not enter the folders of tmp_path
        os.chmod(folder, 0o755)
        yield Path(folder)


def put(path: Path, text: str | bytes, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


SECRETS: dict[str, str | bytes] = {
    ".env": "APP_NAME=portal\nDB_PASSWORD=Kh@nhHoa-2026\n",
    "env-quoted": 'export DB_PASSWORD="mot hai ba bon"\n',
    "settings.bak": "DB_PASSWORD=secret\n",
    "url": "DATABASE_URL=postgres://portal:Xuan2026@db/portal\n",
    "compose.yml": "services:\n  db:\n    environment:\n      MYSQL_ROOT_PASSWORD: Xuan2026\n      - SMTP_PASSWORD=Ha2026\n",
    "parameters.yml": "parameters:\n    database_password: Xuan2026\n",
    "wp-config.php.old": "<?php\ndefine( 'DB_PASSWORD', 'Xuan2026' );\n",
    "settings.php": "<?php\n$databases['default']['default'] = array (\n  'database' => 'portal',\n  'password' => 'Xuan',\n",
    "laravel.php": "<?php return ['password' => 'Xuan2026!', 'host' => 'x'];\n",
    "configuration.php": "<?php\nclass JConfig {\n public $host = 'localhost';\n public $password = 'Xuanha';\n",
    "my.cnf": "[client]\nuser=root\npassword=Xuan2026\n",
    "app.json": '{"database": {"user": "a", "password": "Xuan2026"}}\n{\n  "password": "Xuan2026"\n',
    "docker.json": '{\n"auths": {"x": {\n"auth": "YWRtaW46WHVhbjIwMjY="\n}}}',
    "notes.txt": KEY,
    "account.json": '{"private_key": "-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\\n"}\n',
    "dkim": KEY.replace("OPENSSH", "RSA").replace("\nb3", "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nb3"),
    "htpasswd": "an:$apr1$abcdefgh$0123456789abcdefghijk.\n",
    "wg0.conf": "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
    "rndc": 'key "rndc-key" {\n\tsecret "Xh0nW1pKqv8vN2mXy7Hf0A==";\n};\n',
    ".pgpass": "db:5432:*:portal:Xuan2026\n",
    ".netrc": "machine db login an password Xuan\n",
    ".git-credentials": "https://an:ghp_abcdefgh@example.vn\n",
    "aws": "[default]\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE\n",
    ".env.example": "APP_KEY=base64:4f8a1bC09d2E77aa31b6c5D4e3F2a1b0\n",
    "crlf.env": "DB_PASSWORD=Xuan2026\r\n",
    "line.json": '{"db":{"host":"db","password":"Tr0ub4dor3x"}}',
    "weak.json": '{"db":{"host":"localhost","port":3306,"user":"an","password":"matkhau"}}',
    "signs.json": '{"db":{"user":"an","dbPassword":"Kh@nhHoa!"}}',
    "config.ini.php": "; <?php exit; ?> DO NOT REMOVE THIS LINE\n[database]\npassword = Tr0ub4dor3x\n",
    "users.xml": '<users>\n  <user name="an" password="Tr0ub4dor3x" roles="all"/>\n</users>\n',
    "settings.xml": "<settings><server><password>Tr0ub4dor3x</password></server></settings>\n",
    "plain.xml": "<server>\n  <password>matkhau</password>\n</server>\n",
    "web.config": '<add key="DbPassword" value="Tr0ub4dor3x" />\n<x/>',
    "appsettings": '{"ConnectionStrings":{"x":"Server=db;User Id=sa;Password=Tr0ub4dor3x;"}}\n',
    "odbc.ini": "Connection = Server=db;Uid=sa;Pwd=matkhau;\n",
    "jdbc.conf": "jdbc:mysql://db/portal?user=an&password=Tr0ub4dor3x\n",
    "config.inc.php": "<?php\n$cfg['Servers'][1]['password'] = 'Tr0ub4dor3x';\n",
    "object.php": "<?php\n$CFG->dbpass = 'Tr0ub4dor3x';\n",
    "Db.java": 'class Db {\n  private static final String PASSWORD = "Tr0ub4dor3x";\n}\n',
    "app.py": "import x\nconnect(host='db', user='an', password=b'Tr0ub4dor3x')\n",
    "literal.py": "password = 'Tr0ub4dor3x'\n",
    "key.ppk": "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: an\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nAAAA\n",
    "gnupg.key": "Created: 20261201T020524\nKey: (private-key (ecc (curve Ed25519)(flags eddsa)(q\n  #4050F2176807856C#)\n (d #BE0160F536DD8B30#)\n ))\n",
    "gnupg-of-before.key": b"(11:private-key(3:rsa(1:n257:\x00\xc1\x02)(1:e3:\x01\x00\x01)(1:d256:\x11)))",
    "redis.conf": "bind 127.0.0.1\nrequirepass Tr0ub4dor3x\n",
    "ldap.conf": "binddn cn=x\nbindpw matkhau\n",
    "haproxy.cfg": "userlist all\n  user an insecure-password Tr0ub4dor3x\n",
    "upsmon.conf": "MONITOR ups@localhost 1 portal matkhau primary\n",
    "sasl_passwd": "[smtp.example.vn]:587 an@example.vn:matkhau\n",
    "relay": "smtp.example.vn an:Tr0ub4dor3x\n",
    "dump.sh": "#!/bin/sh\nmysqldump -u root -pTr0ub4dor3x portal | gzip >/srv/x.gz\n",
    "night.sh": "cd /srv; mysql -uroot -pab-pc=d portal | head; ssh -p2222 an@host\n",
    "fetch.sh": "#!/bin/sh\ncurl -s -u an:Tr0ub4dor3x https://example.vn/x\n",
    "psql.sh": "#!/bin/sh\ncd /srv && PGPASSWORD=matkhau psql -h db portal\n",
    "header.sh": "curl -H 'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9abc' https://x\n",
    "docker-line.json": '{"auths":{"x":{"auth":"YWRtaW46WHVhbjIwMjY="}}}',
    "remote": '[remote "origin"]\n\turl = https://an:ghp_a1b2c3d4e5@example.vn/x.git\n',
    "utf16.ini": "\ufeff[db]\r\npassword=Tr0ub4dor3x\r\n".encode("utf-16-le"),
    "utf16be.env": "\ufeffDB_PASSWORD=Tr0ub4dor3x\n".encode("utf-16-be"),
    "kubeconfig": "users:\n- name: an\n  user:\n    token: eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrIn0.c2ln\n",
    "age.txt": "# created: 2026-11-30\n# public key: age1x\nAGE-SECRET-KEY-1QJEPNTLKGYZ0PZXTTHVQZ5Z3F2K2U0ZL0J2Y8XTS3W4V5R6T7Y8UQ9P0A\n",
    "folded.yml": "db:\n  password: >-\n    Tr0ub4dor3x\n",
    "literal.yml": "db:\n  password: |\n    Tr0ub4dor3x\n",
    "keepalived.conf": "vrrp_instance a {\n  authentication {\n    auth_type PASS\n    auth_pass matkhau\n  }\n}\n",
    "users.acl": "user default off\nuser admin on >Tr0ub4dor3x ~* &* +@all\n",
    "userlist.txt": '"app" "matkhau"\n',
    "chrony.keys": "# keys\n1 SHA256 HEX:8A5C9D1E2F3B4A6978C0D1E2F3A4B5C6\n",
    "github": "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8\n",
    "hook": "url=https://hooks.slack.com/services/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\n",
    ".google_authenticator": 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n" RATE_LIMIT 3 30\n" TOTP_AUTH\n12345678\n',
    "ghichu.txt": "Máy chủ: db\nMật khẩu: Tr0ub4dor3x\n",
    "ghichu.ini": "mat_khau = Tr0ub4dor3x\n",
    "storage.conf": "DefaultEndpointsProtocol=https;AccountName=p;AccountKey=Xh0nW1pKqv8vN2mXy7Hf0AzQ3rT5uY8iO1pA4sD6fG7hJ9kL2zX4cV6bN8mQ0wE==\n",
    "bot.sh": "curl -s https://api.telegram.org/bot918273645:AAEhBP0av28fG3kdPq9ZxWvT1uYcRlMn5oE/sendMessage\n",
    "fstab": "//nas/share /mnt/share cifs username=an,password=Tr0ub4dor3x,uid=33 0 0\n",
    "setup.sql": "CREATE USER app@localhost IDENTIFIED BY 'Tr0ub4dor3x';\n",
    "roles.sql": "ALTER ROLE app WITH LOGIN PASSWORD 'Tr0ub4dor3x';\n",
    "first.sh": "#!/bin/sh\necho 'root:Xuan2026' | chpasswd\n",
    "cache.sh": "redis-cli -a Tr0ub4dor3x ping\n",
    "directory.sh": "ldapsearch -x -D cn=admin -w Tr0ub4dor3x\n",
    "share.sh": "smbclient -U an%Tr0ub4dor3x //nas/share -c ls\n",
    "backup.sh": "tool backup --passphrase=Tr0ub4dor3x /srv\n",
    "sign.sh": "openssl rsa -in k -passin pass:Tr0ub4dor3x\n",
    "proxy.conf": 'location / { proxy_set_header Authorization "Basic YWRtaW46VHIwdWI0ZG9yM3g="; }\n',
    "radius.conf": "client nas {\n  secret = Tr0ub4dor3x\n}\n",
    "frr.conf": "router bgp 65000\n neighbor 192.0.2.1 password Tr0ub4dor3x\n",
    "entry.xml": '<properties><entry key="db.password">Tr0ub4dor3x</entry></properties>\n',
    "deployment.yml": "env:\n  - name: DB_PASSWORD\n    value: Xuanha\n",
    "task.json": '{"environment": [{"name": "DB_PASSWORD", "value": "Xuanha"}]}\n',
    "Dockerfile": "FROM debian:13\nENV DB_PASSWORD Tr0ub4dor3x\n",
    "site.conf": "SetEnv DB_PASSWORD Tr0ub4dor3x\nfastcgi_param DB_PASSWORD Tr0ub4dor3x;\n",
    "pool.conf": "env[DB_PASSWORD] = Tr0ub4dor3x\n",
    "rails.yml": "production:\n  secret_key_base: 0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9\n",
    "update.key": "key hmac-sha256:ddns Xh0nW1pKqv8vN2mXy7Hf0AzQ3rT5uY8iO1pA4sD6fG7=\n",
    "privatekey": "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
    "wallet": b"\xfe\xed\xfe\xed\x00\x00\x00\x02",
    "service.keytab": b"\x05\x02\x00\x00\x00\x3a\x00\x02\x00\x07",
    "vault": b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5",
    "ed": b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70",
    ".npmrc": "//npm.example.vn/:_authToken=3f2b8a1c-7d5e-4f60-9a8b-1c2d3e4f5a6b\n",
    "again.sh": "#!/bin/sh\necho Tr0ub4dor3x | sudo -S true\n",
    "ipsec.secrets": '192.0.2.1 192.0.2.2 : PSK "Tr0ub4dor3x"\n',
    "chap-secrets": "# client server secret addresses\nan * Xuanha *\n",
    "ppp/chap-secrets": "an * Xuanha 192.0.2.7\n",
    "copy.pgpass": "db.example.vn:postgresql:portal:an:Xuanha\n",
    "heading.xml": "<h2>Key</h2>\n<p>key</p>\n<access><key>\n</key><token>Tr0ub4dor3x</token></access>\n",
    "long.py": "import os\n\n\ndef f(keys):\n    return keys\n\n\npasswd = 'Tr0ub4dor3x'\n",
    "pack.sh": "#!/bin/sh\n7z a -pTr0ub4dor3x /srv/b.7z /var/www\n",
    "spread.yml": "db:\n  # kept\n  password: |\n    Tr0ub4dor3x\n  other: x\n",
    "digest": "an:portal:5f4dcc3b5aa765d61d8327deb882cf99\n",
    "der.key": b"\x30\x82\x04\xa4\x02\x01\x00\x02\x82\x01\x01\x00\xc1",
    "store.p12": b"\x30\x82\x09\x51\x02\x01\x03\x30\x82\x09\x17\x06\x09",
    "tls.yaml": "data:\n  tls.key: LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0KYjNCbGJuTnph\n",
    "night-zip.sh": "#!/bin/sh\nzip -P matkhau -r /srv/b.zip /var/www\n",
    "login.exp": 'spawn ssh an@db\nexpect "assword:"\nsend "Xuanha\\r"\n',
    "mysqli.php": '<?php\n$db = new mysqli("localhost", "portal", "matkhau", "portal");\n',
    "Base.java": 'Connection c = DriverManager.getConnection("jdbc:oracle:thin:@db:1521:p", "portal", "Xuanha");\n',
    "smbpasswd": f"portal:1001:{'X' * 32}:8846F7EAEE8FB117AD06BDD830B7586C:[U          ]:LCT-5F0C0000:\n",
    "number.sh": "wget https://api.telegram.org/bot7123456789:AAFPde0IgxLd6GncfBAepfJBd0Kh8oOOL8d/sendMessage\n",
    "account.conf": "EndpointsProtocol=https;AccountName=p;AccountKey=EnnHREOTQIoIJ3jOJ0iSo4glTPCYHmIxCCYA7qgPx/AJOTjTJfFBT/V5Vdn75PEEU502TjKI8sHLDIKF625drA==;EndpointSuffix=x\n",
    "master.key": "d5a4fd12aabfe228f219e9cb0eb53f16\n",
    ".erlang.cookie": "TSKEWQTUVXBOYVZRMMMM",
    ".mysql_history": "set password for 'portal'@'%' = password('Xuanha');\n",
    "users.csv": "username,password,role\nadmin,Tr0ub4dor3x,admin\n",
    "wp.sql": "INSERT INTO `wp_users` VALUES (1,'admin','$P$BHbn88HxjSI6bWHtP3fS2qHx6kwXoII','a@b.vn');\n",
    "bcrypt.sql": "INSERT INTO t VALUES ('admin','$2y$10$XGvOoNZYW2mZp0zVZomHFwUbbYrEqmSM9wCZ7Uw9xfogoEmvnEN5N');\n",
    "ssha.sql": "INSERT INTO t VALUES (1,'{SSHA512}MTEDygWtpF6HeUpbmdfRxmPItJ+OeWqBJse3/WHIbUda637OKFywb1y0PYKOHWYj7CME4e31GT9mT+SD2+8G');\n",
    "md5.sql": "INSERT INTO `users` (`name`,`pw`) VALUES ('admin','5f4dcc3b5aa765d61d8327deb882cf99');\n",
    "list.yml": 'services:\n  app:\n    command: ["--db-user=portal","--db-pass=Tr0ub4dor3x"]\n',
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiIsImV4cCI6MTk5OTk5OTk5OX0.jL5DZPjN0MEQ7wjJJibaZUPgHV7iB3m03nbqnsGpWLu\n",
    "second": "otpauth://totp/Portal:admin?secret=Q2IDW52IJB4LAJLJ6HDU6GDPMRCG4BE4&issuer=Portal\n",
    "sites.xml": '<Server><User>portal</User><Pass encoding="base64">S3g4dGFtMlpx</Pass></Server>\n',
    "hosts.ini": "[web]\nweb1 ansible_user=an ansible_ssh_pass=matkhau\n",
    "sql.conf": "SQLConnectInfo portal@localhost portal matkhau\n",
    "freetds.ini": "[p]\nDriver=FreeTDS\nUID=sa\nPWD=Tr0ub4dor3x\n",
    "engine.py": "engine = create_engine(URL.create('mysql', 'portal', 'Xuanha', 'db'))\n",
    "svn.simple": "K 8\npassword\nV 7\nmatkhau\nK 8\nusername\nV 2\nan\nEND\n",
    "crypt.txt": "encryption_key=a68ef786e4d3cea27d26934b484e73cf575dcad6ba2b0aee0ca923732881584d\n",
}
HARMLESS: dict[str, str | bytes] = {
    "portal.crt": CERTIFICATE,
    "public.key": CERTIFICATE,
    "archive.key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w\n",
    "empty.key": "",
    "cert.der": b"\x30\x82\x03\x77\x30\x82\x02\x5f\xa0\x03\x02\x01\x02",
    "ids_of_articles": "1\n2\n",
    ".env.example": "DB_PASSWORD=secret\nAPP_KEY=\nSMTP_PASSWORD=your_password_here\nAPI_TOKEN=<token>\n",
    "env-references": "DB_PASSWORD=${DB_PASSWORD}\nDB_PASSWORD_FILE=/run/secrets/db\nDB_PASSWORD=\n#DB_PASSWORD=Xuan2026\nTOKEN=$1\n",
    "compose.yml": "services:\n  db:\n    environment:\n      MYSQL_ROOT_PASSWORD: ${ROOT_PASSWORD}\n      MYSQL_PASSWORD_FILE: /run/secrets/db\n",
    "config.php": "<?php\n$password = $_POST['password'];\n'password' => env('DB_PASSWORD', ''),\n'password' => 'required|string|min:8',\n",
    "vi.php": "<?php return ['password' => 'Mật khẩu', 'host' => 'Máy chủ'];\n",
    "vi.json": '{\n  "password": "Mật khẩu",\n  "token": "Mã"\n}\n',
    "en.yml": "password: Password\ntoken: Token\npassword_reset: Reset your password\n",
    "pam": "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n",
    "manual.md": "The file begins with -----BEGIN PRIVATE KEY----- and goes on.\n",
    "nsswitch.conf": "passwd:         files systemd\nshadow: files\n",
    "php.ini": "mysqli.default_pw =\nsession.use_only_cookies = 1\npassword = \n",
    "environ.py": 'import os\npassword = os.environ["PW"]\nPASSWORD = os.environ["PW"]\ndb_password = os.environ.get("PW")\n',
    "variable.py": "password = password1\nself.token = settings.TOKEN_9\nx = dict(password=other1, token='x')\nd['password'] = form1\n",
    "node.js": "const password = process.env.DB_PASSWORD1;\nmodule.exports = {password: secret1, token: argv[2]}\n",
    "Env.java": 'String password = System.getenv("DB_PASSWORD1");\n',
    "environ.rb": "production:\n  password = ENV['PW']\n  token: ENV.fetch('PW1')\n",
    "environ.conf": 'password = os.environ["PW"]\nsecret_key = process.env.SECRET1\n',
    "form.html": '<label for="password">Password</label><input type="password" name="password" value="" autocomplete="new-password">\n',
    "messages.json": '{"password":"Mật khẩu","passwordRules":"8 chars","token":"punctuation.heading.1","pass":"","secret":"your_secret_1"}\n',
    "line.json": '{"host":"Host","username":"User","password":"Passwort","pass":"Password!","port":"Port"}\n',
    "empty.xml": '<x password="" secret="${SECRET}"><password></password><password>${env.PW1}</password><token>%TOKEN%</token></x>\n',
    "strings.xml": '<resources><string name="password">Password1</string><key name="password" value=""/></resources>\n',
    "empty.conf": "Server=db;User Id=sa;Password=;\nx=Server=db;Uid=sa;Pwd=${PW1};\njdbc:mysql://db/x?user=an&password={1}\n",
    "array.php": "<?php\n$cfg['Servers'][1]['password'] = getenv('PW1');\n$cfg['Servers'][1]['password'] = '';\n$CFG->dbpass = $x['pass1'];\n",
    "dump.sh": '#!/bin/sh\nmysqldump -u root -p"$PW" portal\nmysql -p portal\nmysql -pPASSWORD\nmysql --password=$1\ncurl -u "an:$PW" x\ncurl -u $U:$P x\nPGPASSWORD=$PW psql\nmysql portal; ssh -p2222 an@host\nmkdir -p /srv/mysql /srv/x\n',
    "readme.md": "Run `mysqldump -uroot -pmatkhau db` or curl -u user:password https://user:password@host/\nrequirepass foobared\n",
    "redis.conf": "# requirepass foobared\n",
    "pam.conf": "password\tsufficient\npassword include common\n",
    "vi.yml": "mat_khau: Mật khẩu\ntoken: punctuation.heading.level.12\npassword: >-\n  Nhập mật khẩu mới\nhint: |\n  Tr0ub4dor3x\n",
    "vi.txt": "Mật khẩu: dài ít nhất 12 ký tự\nĐổi mật khẩu: https://portal.example.vn/matkhau\n",
    "gnupg-with-passphrase.key": "Created: 20261201T020524\nKey: (protected-private-key (ecc (curve Ed25519)(flags eddsa)(q\n  #409D889BBA9830F4#)\n",
    "tokens.md": "Set ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, or glpat-your-token-1234567890123456.\nAGE-SECRET-KEY-1...\n",
    "redis.acl": "user default off\nuser an on nopass ~cache:* +get\n",
    "userlist.txt": '"app" ""\n',
    "chrony.keys": "# 1 SHA256 HEX:...\n",
    "translations.strings": '"Password" "Mật khẩu"\n',
    "publickey": "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n",
    "authorized": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8x4Yw0QmZ1Tn7rVb2Kc9Ld5Gf3Hs6Ja8Wp0Xe4Uy1 key of an\n",
    "root.anchor": ". 172800 IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN\n",
    "lock.json": '{"node_modules/keyv": {"resolved": "https://registry/keyv-4.5.4.tgz", "integrity": "sha512-oxVHkHR/EJf2CNXnWxRLW6mg7JyCCUcG0DtEGmL2ctUo1PNTin1PUil+r/+4r5MpVgC/fn1kjsx7mjSujKqIpw=="}}\n',
    "keys.conf": "keyfile /etc/chrony/chrony.keys\nssl_certificate_key /etc/letsencrypt/live/portal/privkey.pem;\nkey_algorithm Ed25519WithSha512AndContext1\ntoken_names AccessTokenForUser1OfPortal2\n",
    "user.sql": "CREATE USER app IDENTIFIED BY '%s';\nALTER USER app IDENTIFIED BY '${PW1}';\n",
    "rename.sh": '#!/bin/sh\necho "$U:$P" | chpasswd\nredis-cli -a "$PW" ping\ntool --password-file=/etc/x1 --token "$T1"\n[ -n "$DB_PASSWORD" ] || echo DB_PASSWORD must be set\n',
    "env.yml": "env:\n  - name: DB_PASSWORD\n    valueFrom: {secretKeyRef: {name: db, key: password}}\n  - name: LOG\n    value: Tr0ub4dor3x\n",
    "image": b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0d",
    "request.csr": b"\x30\x82\x02\x8a\x30\x82\x01\x72\x02\x01\x00",
    "archive.gpg": b"\x99\x02\x0d\x04\x5f\x00\x00\x00",
    "limits.conf": "token_timeout = 3600\npassword_min_length = 12\n",
    "SHA256SUMS": "a68ef786e4d3cea27d26934b484e73cf575dcad6ba2b0aee0ca923732881584d  portal.iso\n5f4dcc3b5aa765d61d8327deb882cf99  key.zip\n",
    "machine": "5f4dcc3b5aa765d61d8327deb882cf99\n",
    "hashing.md": "A hash looks like `$2y$10$XGvOoNZYW2mZp0zVZomHFwUbbYrEqmSM9wCZ7Uw9xfogoEmvnEN5N` or $P$BHbn88HxjSI6bWHtP3fS2qHx6kwXoII.\nSend `Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln`.\n",
    "hashing.php": "<?php\n$dummy = '$2y$10$XGvOoNZYW2mZp0zVZomHFwUbbYrEqmSM9wCZ7Uw9xfogoEmvnEN5N';\n// $P$BHbn88HxjSI6bWHtP3fS2qHx6kwXoII\n",
    "METADATA": "Name: jwt\n\n>>> eyJhbGciOiJIUzI1NiJ9.eyJzb21lIjoicGF5bG9hZCJ9.4twFt5NiznN84AWoo1d7KO1T_yoc0Z6XOpOVswacPZg\n",
    "public.yaml": "data:\n  tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURkekND\n  x: LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0K\n",
    "where.sh": '#!/bin/sh\nPWD=/srv/portal2\nOLDPWD=/srv/x1\nmv "$1$2" "$1$PREFIX/share/pixmaps/icon48.png"\nzip -P "$PW" x.zip a\nunzip -p x.zip\n',
    "mysqli_env.php": "<?php\n$db = new mysqli($host, $user, getenv('PW1'), 'portal');\n$x = new PDO($dsn, 'portal', '');\n",
    "show.exp": 'expect "Password:"\nsend "$password\\r"\nexpect "# "\nsend "show2run\\r"\n',
    "people.csv": "name,unit,password_changed\nAn,Phong2,2026-11-30\n",
    "articles.sql": "INSERT INTO `files` VALUES (1,'5f4dcc3b5aa765d61d8327deb882cf99');\n",
}


AWKS = [name for name in ("mawk", "gawk", "original-awk") if shutil.which(name)]


@pytest.mark.parametrize("awk", AWKS)
def test_secret_that_all_may_read_is_told_by_what_is_in_it(root: Path, awk: str) -> None:
    paths = {str(put(root / "portal" / name, text)) for name, text in SECRETS.items()}

    found = search(root, awk).files

    assert {one.path for one in found} == paths
    assert {one.mode for one in found} == {"644"}


@pytest.mark.parametrize("awk", AWKS)
def test_what_looks_like_a_secret_and_is_none_is_not_told(root: Path, awk: str) -> None:
    for name, text in HARMLESS.items():
        put(root / name, text)

    assert search(root, awk).files == ()


def test_file_that_a_setting_names_as_that_of_a_secret_is_told(root: Path) -> None:
    named = put(root / "vpn" / "auth", "an\nxuanhathudong\n")
    hidden = put(root / "closed" / "auth", "an\nxuanhathudong\n")
    (root / "closed").chmod(0o750)
    rsync = put(root / "rsync", "an:xuanhathudong\n")
    text = put(root / "text", "The password is\nknown to an.\n")
    kept = put(root / "kept", "xuanhathudong\n", 0o640)
    put(
        root / "client.conf",
        f"auth-user-pass {named}\nauth-user-pass {hidden}\npassword_file = {text}\nvault_password_file={kept}\nsecrets file = {rsync}\n",
    )

    assert {(one.kind, one.path) for one in search(root).files} == {("password", str(named)), ("password", str(rsync))}


def test_key_file_of_a_disk_is_a_secret_whatever_is_in_it(root: Path) -> None:
    key = put(root / "luks" / "backup.key", bytes(range(256)) * 16)
    closed = put(root / "luks" / "kept.key", bytes(range(256)) * 16, 0o600)
    table = put(
        root / "crypttab",
        f"# <name> <device>\nbackup UUID=1 {key} luks,nofail\nother UUID=2 {closed}\nswap /dev/sda2 /dev/urandom swap\nx UUID=3 none\n",
    )

    script = (
        readable_secrets.PROBE.command[2]
        .replace(FOLDERS, str(put(root / "etc" / "fstab", "").parent))
        .replace("/etc/crypttab", str(table))
    )
    done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60, check=True)
    found = fact_of(readable_secrets.PROBE, ProbeResult("secrets.readable", 0, done.stdout, done.stderr, 0))

    assert isinstance(found, Search)
    assert [(one.kind, one.path) for one in found.files] == [("key", str(key))]


def test_who_may_not_read_a_file_or_enter_its_folder_does_not_count(root: Path) -> None:
    put(root / "closed" / ".env", SECRETS[".env"], 0o640)
    put(root / "home" / ".env", SECRETS[".env"])
    (root / "home").chmod(0o750)
    (root / "link").symlink_to(root / "home" / ".env")

    assert search(root).files == ()


def test_secret_is_told_once_with_its_kind_and_nothing_of_it(root: Path) -> None:
    put(root / "a b\nc.env", KEY + "DB_PASSWORD=Kh@nhHoa-2026\n")
    path = put(root / "kh á.env", SECRETS[".env"])

    found = search(root).files

    assert {one.kind for one in found} == {"key", "password"}
    assert OpenFile("password", "644", path.owner(), str(path)) in found
    assert len(found) == 2 and "Kh@nhHoa" not in repr(found)


@pytest.mark.parametrize("awk", AWKS)
def test_environment_that_systemd_shows_to_everybody_is_told_by_its_service(root: Path, awk: str) -> None:
    shown = "Id=a.service\\nEnvironment=\\n\\nEnvironment=LANG=C DB_PASSWORD=Kh@nhHoa-2026 X=1\\nId=portal.service\\n\\nId=c.service\\nEnvironment=DB_PASSWORD_FILE=/run/x TOKEN_TTL=3600\\n"
    put(root / "tools" / "systemctl", f"#!/bin/sh\nprintf '{shown}'\n", 0o700)

    found = answer(root, awk, path=f"{root / 'tools'}:")

    assert isinstance(found, Search)
    assert found.files == (OpenFile("password", "0", "-", "systemctl:portal.service"),)


def test_name_of_a_mount_takes_no_row_away(root: Path) -> None:
    """An account may mount a file system of its own, under a name with a backslash or a line feed."""
    put(root / ".env", "DB_PASSWORD=Kh@nhHoa-2026\n")
    mounts = put(root / "mounts", f"x {root}/a\\134c fuse.x rw 0 0\nx {root}/b\\012c fuse.x rw 0 0\n")

    found = search(root, mounts=mounts)

    assert (len(found.files), found.unseen) == (1, (f"{root}/a\\c", f"{root}/b?c"))


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone gives its rights up")
@pytest.mark.parametrize("target", ["/dev/zero", "own"])
def test_file_that_is_swapped_for_a_link_shows_nothing_of_roots_and_fills_no_memory(root: Path, target: str) -> None:
    bait = put(root / "a.env", "DB_PASSWORD=Kh@nhHoa-2026\n")
    if target == "own":
        target = str(put(root / "own", "root:$6$abcdefgh$0123456789abcdefghijk.\n", 0o600))
    tools = root / "tools"
    put(
        tools / "grep", f'#!/bin/sh\n{shutil.which("grep")} "$@"\ncode=$?\nln -sfn {target} {bait}\nexit $code\n', 0o755
    )
    root.chmod(0o777)

    assert isinstance(answer(root, path=f"{tools}:"), MissingFact)
