"""Looks at one host from outside and adds what it saw to the host's answer, as sections that `probes/outside_*` parse.

Only declared addresses are connected to, whatever a name resolves to. A host costs at most `BUDGET_SECONDS`; each
connection, each answer and the pace have limits of their own. What was not come to is said to be `not-reached`.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import logging
import re
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509

from checks.servers.declared import HostDeclared
from checks.servers.facts import facts_from
from checks.servers.gather import AnswerRejected, parse_answer
from checks.servers.outside import hello, kexinit, web
from checks.servers.outside.section import (
    FAILED,
    FROM_ITSELF,
    NO_ADDRESS,
    NOT_DECLARED,
    NOT_SCANNED,
    SEEN,
    packed,
    safe,
    unpacked,
    written,
)
from checks.servers.outside.web import Url
from checks.servers.probe import ProbeResult
from checks.servers.probes import listeners
from portalops.model.organisation import Host
from portalops.ports import Network, Talk

_log = logging.getLogger(__name__)

PORTS, TLS, SSH, WEB, NAMES = "outside.ports", "outside.tls", "outside.ssh", "outside.web", "outside.names"
ALL = (PORTS, NAMES, SSH, TLS, WEB)

BUDGET_SECONDS = 240.0
CONNECT_SECONDS = 3.0
"""A port behind a filter that drops packets costs all of it; an open or shut one answers at once."""
TALK_SECONDS = 8.0
PAUSE_SECONDS = 0.05
"""Between two requests for pages."""
AT_ONCE = 16
"""Ports of a host that are tried at the same time."""
PAGE_BYTES = 256 << 10
"""The approved copy of a page is cut at the same length, so that both can be compared."""
SMALL_BYTES = 32 << 10
"""Enough to recognise a listing, a form or a file that should not be served."""
HOPS = 3
"""So many redirects within a site are gone after."""
TLS_PORTS = (465, 636, 990, 993, 995, 2083, 2087, 4443, 5061, 8443, 9443, 10000, 10443)
"""Ports at which servers speak TLS from the first byte."""
_LINK = re.compile(rb"""(?:href|src)\s*=\s*["']([^"'<>\s]{1,300})""", re.IGNORECASE)
_MOST_LINKS, _MOST_FOLDERS = 500, 10
_GIVE_UP = 3
"""A site that did not answer so many times in a row is asked for nothing more."""
_MOST_PORTS = 400
"""With `AT_ONCE` and `CONNECT_SECONDS` 75 s an address where a filter drops everything. Declared ports come first and are not cut."""
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]{1,100000})-----END CERTIFICATE-----")
_RECORDED_BYTES = 512
"""So much of the answer to an offer of TLS is kept."""

USUAL_PORTS = (
    *(20, 21, 22, 23, 25, 53, 69, 80, 81, 88, 110, 111, 113, 119, 135, 137, 139, 143, 161, 179, 389, 427, 443, 445),
    *(465, 500, 512, 513, 514, 515, 548, 554, 587, 623, 631, 636, 873, 902, 993, 995, 1080, 1099, 1194, 1433, 1521),
    *(1723, 1883, 2049, 2082, 2083, 2086, 2087, 2181, 2222, 2375, 2376, 2379, 3000, 3128, 3260, 3306, 3389, 4369),
    *(4444, 4848, 5000, 5060, 5432, 5555, 5601, 5672, 5900, 5901, 5984, 5985, 6000, 6379, 6443, 7001, 7070, 8000),
    *(8008, 8009, 8080, 8081, 8086, 8088, 8090, 8161, 8443, 8500, 8686, 8834, 8888, 9000, 9042, 9090, 9092, 9200),
    *(9300, 9418, 9443, 9999, 10000, 10050, 10250, 11211, 15672, 27017, 27018, 28017, 50000, 50070, 61616),
)
"""Ports that are tried on every host, beside what is declared and what the host itself says listens."""

LEAKS = (
    *("/.git/HEAD", "/.env", "/.svn/entries", "/.DS_Store", "/server-status", "/nginx_status", "/wp-config.php.bak"),
    *("/wp-config.php~", "/config.php.bak", "/index.php.bak", "/web.config.bak", "/backup.sql", "/dump.sql", "/db.sql"),
    *("/database.sql", "/backup.zip", "/backup.tar.gz", "/www.zip", "/site.tar.gz", "/.env.bak", "/.htpasswd"),
)
"""Files that are looked for on every site; `NAME.sql` and `NAME.zip` of the site's own name come to that."""


@dataclass(frozen=True, slots=True)
class Outside:
    """How this station looks at hosts from outside."""

    network: Network
    station: str
    """What the operator calls the place that is looked from."""
    pause_seconds: float = PAUSE_SECONDS
    budget_seconds: float = BUDGET_SECONDS
    sleep: Callable[[float], None] = field(default=time.sleep)
    elapsed: Callable[[], float] = field(default=time.monotonic)

    def sections(
        self, host: Host, declared: HostDeclared, wanted: Sequence[str], answer: bytes | None
    ) -> tuple[ProbeResult, ...]:
        """Return what is seen of a host, a section for each wanted probe. Never raises for what the host does.

        Args:
            host: one of the portal's own.
            declared: what is declared of it.
            wanted: ids of probes, of `ALL`.
            answer: what the host said inside, if it said anything: what listens there is tried.
        """
        addresses = addresses_of(host, declared)
        if not addresses:
            return tuple(written(each, NO_ADDRESS) for each in wanted)
        look = _OutsideScan(self, declared, addresses, self.elapsed() + self.budget_seconds)
        return tuple(look.guarded(each, answer) for each in wanted)


def skip_outside_scan(wanted: Sequence[str]) -> tuple[ProbeResult, ...]:
    """Return the sections of a host that was not looked at from outside."""
    return tuple(written(each, NOT_SCANNED) for each in wanted)


def addresses_of(host: Host, declared: HostDeclared) -> tuple[str, ...]:
    """Return under which addresses a host is looked at from outside; none where none is declared."""
    if declared.public_addresses is not None:
        return tuple(str(each) for each in declared.public_addresses)
    try:
        return (str(ipaddress.ip_address(host.address)),)
    except ValueError:
        return ()


@dataclass(slots=True)
class _OutsideScan:
    """One host, looked at once."""

    outside: Outside
    declared: HostDeclared
    addresses: tuple[str, ...]
    deadline: float
    seen_from: set[str] = field(default_factory=set)
    silent: dict[tuple[str, int], int] = field(default_factory=dict)

    def guarded(self, probe: str, answer: bytes | None) -> ProbeResult:
        """Look; a fault must not take the other sections with it, nor vanish."""
        self.seen_from = set()
        try:
            content = self._content(probe, answer)
        except Exception as error:  # noqa: BLE001  # see above
            _log.exception("looking for %s failed", probe)
            return written(probe, FAILED, what=safe(type(error).__name__))
        if isinstance(content, str):
            return written(probe, content)
        itself = sorted(each for each in self.seen_from if each in self.addresses or _is_loopback(each))
        if itself:
            return written(probe, FROM_ITSELF, what=safe(", ".join(itself)))
        station = safe(self.outside.station)
        return written(probe, SEEN, station=station, **{"from": sorted(self.seen_from), **content})

    def _content(self, probe: str, answer: bytes | None) -> dict[str, object] | str:
        match probe:
            case "outside.ports":
                return {"ports": self._ports(answer)}
            case "outside.ssh":
                return {"servers": [self._ssh(address) for address in self.addresses]}
            case "outside.names":
                return NOT_DECLARED if self.declared.pages is None else {"names": self._names()}
            case "outside.tls":
                return NOT_DECLARED if self.declared.pages is None else self._tls()
            case _:
                return NOT_DECLARED if self.declared.pages is None else self._web()

    def _talk(  # as the door's
        self,
        address: str,
        port: int,
        say: bytes,
        until: Callable[[bytes], bool],
        *,
        seconds: float,
        limit_bytes: int,
        tls_name: str | None = None,
    ) -> Talk:
        left = self.deadline - self.outside.elapsed()
        if left <= 0:
            return Talk("not-reached")
        talk = self.outside.network.talk(
            address,
            port,
            say,
            until=until,
            seconds=min(seconds, left),
            limit_bytes=limit_bytes,
            tls_name=tls_name,
        )
        if talk.local:
            self.seen_from.add(talk.local)
        return talk

    # --- Ports -----------------------------------------------------------------------------------------------------

    def _ports(self, answer: bytes | None) -> dict[str, dict[str, list[int]]]:
        ports = self._ports_to_try(answer)
        found: dict[str, dict[str, list[int]]] = {}
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="ports") as pool:
            for address in self.addresses:
                states: dict[str, list[int]] = {}
                for port, talk in zip(ports, pool.map(partial(self._connect, address), ports), strict=True):
                    states.setdefault(talk.state, []).append(port)
                found[address] = states
        return found

    def _connect(self, address: str, port: int) -> Talk:
        return self._talk(address, port, b"", lambda _heard: True, seconds=CONNECT_SECONDS, limit_bytes=1)

    def _ports_to_try(self, answer: bytes | None) -> tuple[int, ...]:
        own = self.declared
        pages = [web.url_of(site).port for site in own.sites()]
        listed = [int(each.partition("/")[2]) for each in own.listeners or () if each.startswith("tcp/")]
        first = (*(own.public_ports or ()), *own.admin_ports, own.ssh_port, *pages, *listed, *_listening(answer))
        return tuple(sorted(tuple(dict.fromkeys((*first, *USUAL_PORTS)))[:_MOST_PORTS]))

    # --- Names, SSH, TLS -------------------------------------------------------------------------------------------

    def _names(self) -> dict[str, list[str]]:
        names = sorted({web.url_of(site).name for site in self.declared.sites()})
        return {safe(name): list(self.outside.network.addresses(name)) for name in names}

    def _ssh(self, address: str) -> dict[str, object]:
        port = self.declared.ssh_port
        talk = self._talk(
            address,
            port,
            kexinit.GREETING,
            kexinit.is_whole,
            seconds=TALK_SECONDS,
            limit_bytes=kexinit.OFFER_BYTES,
        )
        methods = (
            self.outside.network.login_methods(address, port, seconds=TALK_SECONDS)
            if kexinit.offer_from(talk.heard)
            else ()
        )
        return {
            "address": address,
            "port": port,
            "state": talk.state,
            "heard": packed(talk.heard),
            "methods": [safe(each[:60]) for each in methods[:20]],
        }

    def _tls(self) -> dict[str, object]:
        certificates: dict[bytes, int] = {}
        servers = []
        for site in self.declared.sites():
            url = web.url_of(site)
            for address in self.addresses:
                talk = self._talk(
                    address,
                    url.port,
                    b"",
                    lambda _heard: True,
                    seconds=TALK_SECONDS,
                    limit_bytes=1,
                    tls_name=url.name,
                )
                chain = [certificates.setdefault(each, len(certificates)) for each in talk.chain[:10]]
                servers.append(
                    {
                        "name": safe(url.name),
                        "port": url.port,
                        "address": address,
                        "state": talk.state,
                        "ended": talk.ended,
                        "chain": chain,
                        "offers": dict(self._offers(address, url)) if talk.state == "open" else {},
                    }
                )
        beside = [each for address in self.addresses for each in self._other_ports(address)]
        sent = tuple(certificates)
        anchors, source, problem = _anchors(self.declared.ca_file, sent)
        return {
            "certificates": [packed(each) for each in sent],
            "anchors": [packed(each) for each in anchors],
            "trust": safe(source),
            "trust_problem": safe(problem),
            "servers": servers,
            "beside": beside,
        }

    def _other_ports(self, address: str) -> Iterator[dict[str, object]]:
        """Yield what ports of TLS beside those of the pages take, such as one of an administration page that was forgotten."""
        sites = [web.url_of(site) for site in self.declared.sites()]
        ports = [port for port in TLS_PORTS if sites and port not in {site.port for site in sites}]
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="tls") as pool:
            talks = tuple(pool.map(partial(self._connect, address), ports))
        for port, talk in zip(ports, talks, strict=True):
            if talk.state == "open":
                offers = dict(self._offers(address, replace(sites[0], port=port)))
                row = {"name": safe(sites[0].name), "port": port, "address": address, "state": talk.state}
                yield {**row, "ended": talk.ended, "chain": [], "offers": offers}

    def _offers(self, address: str, url: Url) -> Iterator[tuple[str, list[str]]]:
        for version in hello.VERSIONS:
            offer = hello.client_hello(version, url.name, secrets.token_bytes(96))
            talk = self._talk(
                address,
                url.port,
                offer,
                hello.is_answered,
                seconds=TALK_SECONDS,
                limit_bytes=hello.REPLY_BYTES,
            )
            yield version, [talk.state, talk.ended, packed(talk.heard[:_RECORDED_BYTES])]

    # --- Pages -----------------------------------------------------------------------------------------------------

    def _web(self) -> dict[str, object]:
        own = self.declared
        rows: list[dict[str, object]] = []
        pages = tuple(dict.fromkeys((*(own.pages or ()), *own.editions.values())))
        for text in pages:
            for agent in web.VISITORS:
                rows += self._followed(text, "page", agent, PAGE_BYTES)
        for site in own.sites():
            root = replace(web.url_of(site), target="/")
            paths = [url.target for url in map(web.url_of, pages) if (url.name, url.port) == (root.name, root.port)]
            for address in self.addresses:
                for target in dict.fromkeys(("/", *paths)):
                    plain = Url(is_tls=False, name=root.name, port=80, target=target)
                    rows.append(self._got(plain, plain.text, "plain", "browser", 0, only=address)[0])
                rows.append(self._got(root, root.text, "root", "browser", 0, only=address)[0])
            control = f"/portalops-{secrets.token_hex(8)}"
            rows += self._followed(replace(root, target=control).text, "control", "browser", SMALL_BYTES)
            for path in own.admin_paths or ():
                rows += self._followed(replace(root, target=path).text, "admin", "browser", SMALL_BYTES)
                for other in spellings(path):
                    rows += self._followed(replace(root, target=other).text, "spelling", "browser", SMALL_BYTES)
            for path in (*(own.folders or ()), *_folders_below(own.folders or (), root, rows)):
                rows += self._followed(replace(root, target=path).text, "folder", "browser", SMALL_BYTES)
            for path in (*LEAKS, f"/{root.name}.sql", f"/{root.name}.zip"):
                url = replace(root, target=path)
                rows.append(self._got(url, url.text, "leak", "browser", SMALL_BYTES)[0])
        return {"answers": rows, "approved": self._approved()}

    def _approved(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for url, path in self.declared.approved_pages.items():
            try:
                with Path(path).open("rb") as file:
                    found[safe(url)] = packed(file.read(PAGE_BYTES))
            except OSError:
                found[safe(url)] = None
        return found

    def _followed(self, text: str, why: str, agent: str, limit_bytes: int) -> Iterator[dict[str, object]]:
        """Yield the answer, and those to which it leads within the same name."""
        url = web.url_of(text)
        for hop in range(HOPS + 1):
            row, location = self._got(url, text, why, agent, limit_bytes)
            yield {**row, "hop": hop}
            following = web.target_of_redirect(url, location) if location else None
            if following is None or following.name != url.name:
                return
            url = following

    def _got(
        self, url: Url, asked: str, why: str, agent: str, limit_bytes: int, *, only: str = ""
    ) -> tuple[dict[str, object], str]:
        """Return an answer as it is kept, and where it leads if it is a redirect; of one address, or of the first that is open."""
        row: dict[str, object] = {"for": safe(asked), "url": safe(url.text), "why": why, "agent": agent, "hop": 0}
        if only:
            row["address"] = only
        if self.silent.get((url.name, url.port), 0) >= _GIVE_UP:
            return {**row, "state": "not-reached"}, ""
        self.outside.sleep(self.outside.pause_seconds)
        talk = Talk("not-reached")
        for address in (only,) if only else self.addresses:
            talk = self._talk(
                address,
                url.port,
                web.request(url, agent),
                lambda _heard: False,
                seconds=TALK_SECONDS,
                limit_bytes=limit_bytes + web.HEAD_BYTES,
                tls_name=url.name if url.is_tls else None,
            )
            if talk.state == "open":
                break
        answer = web.response_from(talk.heard, limit_bytes) if talk.heard else None
        at = (url.name, url.port)
        self.silent[at] = self.silent.get(at, 0) + 1 if talk.ended == "late" and answer is None else 0
        row |= {"state": talk.state, "ended": talk.ended}
        if answer is None:
            return row, ""
        row |= {
            "status": answer.status,
            "headers": {name: safe(value) for name, value in answer.headers.items()},
            "size": len(answer.body),
        }
        if why == "leak":
            # NOTE: what such a file says may be a secret, so it is named and never kept.
            row["kinds"] = list(web.signatures(answer.body))
        elif limit_bytes:
            row["body"] = packed(answer.body)
        return row, answer.headers.get("location", "") if 300 <= answer.status < 400 else ""


def spellings(path: str) -> tuple[str, ...]:
    """Return other ways to write a path that servers take for the same, and what is usually right below it."""
    first = path[1:2]
    return tuple(
        dict.fromkeys(
            each
            for each in (
                path.removesuffix("/") if path.endswith("/") else f"{path}/",
                f"/{path}",
                f"/.{path}",
                f"/%{ord(first):02x}{path[2:]}" if first.isalnum() else path,
                path.upper(),
                f"/;{path}",
                *(f"{path.removesuffix('/')}/{below}" for below in (";/", "index.php", "index.html", "login")),
            )
            if each not in {path, ""}
        )
    )


def _folders_below(folders: Sequence[str], root: Url, rows: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """Return the folders below declared ones that the pages name, at most a few."""
    found: dict[str, None] = {}
    for row in rows:
        body = unpacked(str(row["body"])) if row["why"] == "page" and "body" in row else b""
        for link in _LINK.findall(body)[:_MOST_LINKS]:
            url = web.target_of_redirect(web.url_of(unquote(str(row["url"]))), link.decode("ascii", "ignore"))
            if url is None or (url.name, url.port) != (root.name, root.port):
                continue
            path = url.target.partition("?")[0].rpartition("/")[0] + "/"
            for folder in folders:
                while path.startswith(folder) and path != folder and folder.endswith("/"):
                    found[path] = None
                    path = path[:-1].rpartition("/")[0] + "/"
    return tuple(found)[:_MOST_FOLDERS]


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _listening(answer: bytes | None) -> tuple[int, ...]:
    """Return the TCP ports that the host itself says listen for strangers; none where it did not say."""
    if answer is None:
        return ()
    try:
        found = facts_from(parse_answer(answer), {listeners.PROBE.id: listeners.PROBE})[listeners.PROBE.id]
    except AnswerRejected:
        return ()
    if not isinstance(found, tuple):
        return ()
    return tuple(each.port for each in found if each.protocol == "tcp" and not each.is_loopback)


def _anchors(ca_file: str | None, sent: Sequence[bytes]) -> tuple[tuple[bytes, ...], str, str]:
    """Return the trusted authorities that could have issued what was sent, where they come from, and what hindered."""
    path = ca_file or ssl.get_default_verify_paths().cafile or ssl.get_default_verify_paths().openssl_cafile
    try:
        data = Path(path).read_bytes()
        bundle = [base64.b64decode(each) for each in _PEM.findall(data)]
    except (OSError, ValueError) as error:
        return (), path, type(error).__name__
    if not bundle:
        return (), path, "no certificate"
    issuers = set()
    for each in sent:
        try:
            issuers.add(x509.load_der_x509_certificate(each).issuer)
        except ValueError:
            continue
    # NOTE: only those are read that hold an issuer's name, since lists of authorities have odd ones.
    names = [issuer.public_bytes() for issuer in issuers]
    named = [each for each in bundle if any(name in each for name in names)]
    fitting = tuple(each for each in named if x509.load_der_x509_certificate(each).subject in issuers)
    return fitting, f"{path} sha256:{hashlib.sha256(data).hexdigest()}", ""
