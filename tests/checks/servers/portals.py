"""Real web servers in many states, looked at as from another machine: nginx of this user's own, and the network around it.

A portal has a documentation address of its own, to which `Streets` leads; so the names, ports 80 and 443, and the rule that
nobody looks at a host from itself are the real ones, and nothing leaves the machine.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portalops.ports import Talk
from portalops.system.network import SocketNetwork
from tests.programs import need
from tests.servers import free_port

ADDRESS = "203.0.113.5"
STATION = "198.51.100.9"
NAME = "portal.example.vn"


@dataclass
class Streets:
    """Leads from documentation addresses to ports of this machine, as a router would; all else goes where nothing listens."""

    ways: Mapping[tuple[str, int], int]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    station: str = STATION
    nowhere: int = field(default_factory=free_port)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def addresses(self, name: str) -> tuple[str, ...]:
        return self.names.get(name, ())

    def talk(
        self,
        address: str,
        port: int,
        say: bytes,
        *,
        until: Callable[[bytes], bool],
        seconds: float,
        limit_bytes: int,
        tls_name: str | None = None,
    ) -> Talk:
        self.asked.append((address, port))
        talk = SocketNetwork().talk(
            "127.0.0.1",
            self.ways.get((address, port), self.nowhere),
            say,
            until=until,
            seconds=seconds,
            limit_bytes=limit_bytes,
            tls_name=tls_name,
        )
        return replace(talk, local=self.station) if talk.local else talk

    def login_methods(self, address: str, port: int, *, seconds: float) -> tuple[str, ...]:
        return SocketNetwork().login_methods("127.0.0.1", self.ways[address, port], seconds=seconds)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def issue(
    subject: str,
    issuer: Issued | None = None,
    *,
    names: tuple[str, ...] = (),
    is_authority: bool = False,
    days: float = 90,
    since: datetime | None = None,
) -> Issued:
    """Make a certificate; one of the subject itself where there is no issuer."""
    now = since or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@dataclass(frozen=True)
class Authority:
    """A root and the link below it."""

    root: Issued
    link: Issued

    @classmethod
    def new(cls) -> Authority:
        root = issue("Root of a test", is_authority=True, days=3650)
        return cls(root, issue("Link of a test", root, is_authority=True, days=3000))


GOOD_HEADERS = """
add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;
add_header Content-Security-Policy "default-src 'self'; frame-ancestors 'none'" always;
add_header X-Content-Type-Options nosniff always;
add_header Referrer-Policy strict-origin-when-cross-origin always;
"""
FRONT = """<!DOCTYPE html><html lang="{language}"><head><title>{title}</title></head><body><h1>{title}</h1>
<p>{text}</p></body></html>"""
VI = "Ủy ban nhân dân tỉnh: tin tức, văn bản chỉ đạo điều hành, dịch vụ công trực tuyến, thông tin liên hệ, lịch tiếp công dân"
EN = "The People's Committee of the province: news, documents, public services online, contacts, and when citizens are received"


@dataclass
class Nginx:
    """One nginx with a server for each state of a portal."""

    folder: Path
    blocks: list[str] = field(default_factory=list)
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / "www"
        for language, title, text in (("vi", "Cổng thông tin điện tử", VI), ("en", "Portal of the province", EN)):
            (self.root / language).mkdir(parents=True)
            page = FRONT.format(language=language, title=title, text=text)
            (self.root / language / "index.html").write_text(page)
        shutil.copy(self.root / "vi/index.html", self.root / "index.html")
        (self.root / "uploads").mkdir()
        (self.root / "uploads/danh-sach.pdf").write_bytes(b"%PDF-1.4\n")

    def served(
        self, own: Issued, *links: Issued, tls: str = "TLSv1.2 TLSv1.3", body: str = "", root: Path | None = None
    ) -> int:
        """Add a server with TLS, and return its port."""
        port = free_port()
        stem = self.folder / f"cert-{port}"
        stem.with_suffix(".pem").write_bytes(b"".join(each.pem() for each in (own, *links)))
        stem.with_suffix(".key").write_bytes(own.key_pem())
        self.blocks.append(
            f"server {{ listen 127.0.0.1:{port} ssl; server_name {NAME}; root {root or self.root};"
            f" ssl_certificate {stem}.pem; ssl_certificate_key {stem}.key; ssl_protocols {tls};"
            f" ssl_ciphers ALL:@SECLEVEL=0; {body} }}"
        )
        return port

    def plain(self, body: str) -> int:
        """Add a server without TLS, and return its port."""
        port = free_port()
        self.blocks.append(f"server {{ listen 127.0.0.1:{port}; server_name {NAME}; root {self.root}; {body} }}")
        return port

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it."""
        need("nginx")
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin") or "nginx"
        temp = " ".join(
            f"{each}_temp_path {self.folder}/tmp;" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        config = (
            f"{user} daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log; worker_processes 1;"
            " events { worker_connections 256; } http {"
            f" access_log off; {temp} types {{ text/html html; text/plain txt; application/pdf pdf; }}"
            " default_type application/octet-stream; charset utf-8;"
            " map $http_user_agent $crawls { default 0; ~*googlebot 1; }"
            f" {' '.join(self.blocks)} }}"
        )
        (self.folder / "nginx.conf").write_text(config)
        process = subprocess.Popen(
            [program, "-p", str(self.folder), "-c", "nginx.conf", "-e", f"{self.folder}/error.log"]
        )
        try:
            _wait_for(int(self.blocks[0].partition("127.0.0.1:")[2].partition(" ")[0].rstrip(";")), process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("nginx ended")
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("nginx did not start")


HEADERS_OFF = ""
TO_HTTPS = "return 301 https://$host$request_uri;"
GAMBLING = (
    "<html><head><title>Nhà cái uy tín</title></head><body>Tài xỉu online, nổ hũ, casino trực tuyến</body></html>"
)


def portal_blocks(nginx: Nginx, authority: Authority) -> dict[str, tuple[int, int]]:
    """Add a server for each state of a portal to nginx; return the ports of TLS and of plain HTTP by state's name."""
    link, root = authority.link, authority.root
    good = issue(NAME, link, names=(NAME,))
    shut, redirect = free_port(), nginx.plain(TO_HTTPS)
    closed = "location ~ ^/(admin|wp-admin|wp-login.php) { return 403; }"
    folder = nginx.folder / "leaky"
    shutil.copytree(nginx.root, folder)
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".env").write_text("# portal\nAPP_KEY=base64:" + CANARY + "\nDB_PASSWORD=" + CANARY + "\n")
    (folder / "backup.sql").write_text(f"-- MySQL dump 10.19\nINSERT INTO `users` VALUES ('{CANARY}');\n")
    login = '<html lang=\\"vi\\"><body><form><input name=u><input type=password name=p></form></body></html>'
    missing = (
        "<html><head><title>Cổng</title></head><body>Không tìm thấy trang bạn cần, mời xem trang chủ</body></html>"
    )
    gambling = GAMBLING

    def with_english(page: str) -> int:
        """Add a server whose English edition is another page."""
        root = nginx.folder / f"english-{len(nginx.blocks)}"
        shutil.copytree(nginx.root, root)
        (root / "en/index.html").write_text(page)
        return nginx.served(good, link, root=root)

    def with_uploads(text: str) -> Path:
        """Return a root whose front page names a file in a folder below the uploads, which shows a page of its own."""
        root = nginx.folder / f"uploads-{len(nginx.blocks)}"
        shutil.copytree(nginx.root, root)
        (root / "uploads/2026").mkdir()
        (root / "uploads/2026/ke-hoach.pdf").write_bytes(b"%PDF-1.4\n")
        (root / "uploads/index.html").write_text("<html></html>")
        (root / "index.html").write_text(FRONT.format(language="vi", title="Cổng", text=text))
        return root

    linked = VI + ' <a href="/uploads/2026/ke-hoach.pdf">Kế hoạch</a>'
    form = f'default_type text/html; return 200 "{login}";'
    headers = GOOD_HEADERS.splitlines()
    safe = "\n".join(line for line in headers if "Content-Security" not in line)
    hsts = "\n".join(line for line in headers if "Strict-Transport" not in line)
    return {
        "framed": (
            nginx.served(good, link, body=f"{safe} add_header Content-Security-Policy \"default-src 'self'\" always;"),
            redirect,
        ),
        "any-script": (
            nginx.served(
                good,
                link,
                body=f"{safe} add_header Content-Security-Policy \"default-src * 'unsafe-inline'; frame-ancestors 'none'\" always;",
            ),
            redirect,
        ),
        "reports-only": (
            nginx.served(
                good,
                link,
                body=f"{safe} add_header Content-Security-Policy-Report-Only \"default-src 'self'; frame-ancestors 'none'\" always;",
            ),
            redirect,
        ),
        "headers-twice": (
            nginx.served(
                good,
                link,
                body=f"{GOOD_HEADERS} add_header X-Content-Type-Options nosniff always; add_header X-Frame-Options SAMEORIGIN always;"
                " add_header Content-Security-Policy \"script-src 'nonce-a' 'unsafe-inline'\" always;",
            ),
            redirect,
        ),
        "forgotten-at-once": (
            nginx.served(
                good,
                link,
                body=f"{hsts} add_header Strict-Transport-Security max-age=0 always;"
                " add_header Strict-Transport-Security max-age=31536000 always;",
            ),
            redirect,
        ),
        "front-alone-redirected": (
            nginx.served(good, link, body=GOOD_HEADERS),
            nginx.plain(f"location = / {{ {TO_HTTPS} }}"),
        ),
        "challenge-in-plain": (
            nginx.served(good, link, body=GOOD_HEADERS),
            nginx.plain(f"location /.well-known/acme-challenge/ {{ }} location / {{ {TO_HTTPS} }}"),
        ),
        "one-spelling": (
            nginx.served(good, link, body=f"location = /admin/ {{ return 403; }} location /admin {{ {form} }}"),
            redirect,
        ),
        "raw-spelling": (
            nginx.served(
                good, link, body=f"if ($request_uri ~ ^/admin/) {{ return 403; }} location ^~ /admin/ {{ {form} }}"
            ),
            redirect,
        ),
        "login-below": (
            nginx.served(
                good, link, body=f"location = /admin/ {{ return 404; }} location = /admin/index.php {{ {form} }}"
            ),
            redirect,
        ),
        "login-behind-a-semicolon": (
            nginx.served(good, link, body=f'location /admin/ {{ return 403; }} location = "/admin/;/" {{ {form} }}'),
            redirect,
        ),
        "same-nonce": (
            nginx.served(
                good,
                link,
                body=f"{safe} add_header Content-Security-Policy \"script-src 'nonce-abc123' 'unsafe-inline'; frame-ancestors 'none'\" always;",
            ),
            redirect,
        ),
        "own-nonce": (
            nginx.served(
                good,
                link,
                body=f"{safe} add_header Content-Security-Policy \"script-src 'nonce-$request_id' 'unsafe-inline'; frame-ancestors 'none'\" always;",
            ),
            redirect,
        ),
        "front-for-odd-spellings": (
            nginx.served(
                good, link, body=f"{closed} merge_slashes off; location ~ ^//|[A-Z] {{ rewrite ^ /index.html; }}"
            ),
            redirect,
        ),
        "listed-below": (
            nginx.served(good, link, root=with_uploads(linked), body="location /uploads/ { autoindex on; }"),
            redirect,
        ),
        "listed-below-named-by-nobody": (
            nginx.served(good, link, root=with_uploads(linked), body="location = /uploads/ { autoindex on; }"),
            redirect,
        ),
        "listed-as-json": (
            nginx.served(good, link, body="location /uploads/ { autoindex on; autoindex_format json; }"),
            redirect,
        ),
        "english-gone": (nginx.served(good, link, body="location /en/ { return 404; }"), shut),
        "english-in-vietnamese": (with_english(FRONT.format(language="en", title="Portal", text=VI)), shut),
        "english-unmarked": (with_english(f"<html><body><p>{EN}</p></body></html>"), shut),
        "english-too-short": (with_english(FRONT.format(language="en", title="Portal", text="Welcome to us")), shut),
        "english-broken": (nginx.served(good, link, body="location /en/ { return 502; }"), shut),
        "good": (nginx.served(good, link, body=GOOD_HEADERS + closed), redirect),
        "bare": (nginx.served(good, link, body="location /uploads/ { autoindex on; }"), nginx.plain("")),
        "leaky": (nginx.served(good, link, root=folder, body="location ~ \\.git|\\.env { }"), redirect),
        "login": (
            nginx.served(good, link, body=f'location /admin/ {{ default_type text/html; return 200 "{login}"; }}'),
            redirect,
        ),
        "soft404": (
            nginx.served(
                good,
                link,
                body=f"error_page 404 =200 /none; location = /none {{ default_type text/html; return 200 '{missing}'; }}",
            ),
            redirect,
        ),
        "cloaked": (
            nginx.served(
                good,
                link,
                body=f"location = / {{ default_type text/html; if ($crawls) {{ return 200 '{gambling}'; }} try_files /index.html =404; }}",
            ),
            redirect,
        ),
        "shown-to-searchers": (
            nginx.served(
                good,
                link,
                body=f"location = / {{ default_type text/html; if ($http_referer ~ google) {{ return 200 '{gambling}'; }} try_files /index.html =404; }}",
            ),
            redirect,
        ),
        "listed-by-hand": (
            nginx.served(
                good,
                link,
                body="location = /uploads/ { default_type text/html; return 200 '<ul><li><a href=a.pdf>A</a><li><a href=b.zip>B</a><li><a href=/uploads/c.bak>C</a></ul>'; }",
            ),
            redirect,
        ),
        "five-days": (nginx.served(issue(NAME, link, names=(NAME,), days=5.5), link), shut),
        "expired": (nginx.served(issue(NAME, link, names=(NAME,), days=-2), link), shut),
        "self-signed": (nginx.served(issue(NAME, names=(NAME,))), shut),
        "other-name": (nginx.served(issue("x", link, names=("other.example.vn", "*.portal.example.vn")), link), shut),
        "no-link": (nginx.served(good), shut),
        "with-root": (nginx.served(good, link, root), shut),
        "old": (nginx.served(good, link, tls="TLSv1 TLSv1.1 TLSv1.2"), shut),
        "only-old": (nginx.served(good, link, tls="TLSv1 TLSv1.1"), shut),
        "only-13": (nginx.served(good, link, tls="TLSv1.3"), shut),
        "loop": (nginx.served(good, link, body="location / { return 302 https://$host$request_uri/x; }"), shut),
    }


CANARY = "canary7a6f5e4d3c2b1a09"
"""A secret that is served by mistake, and must come no further."""
