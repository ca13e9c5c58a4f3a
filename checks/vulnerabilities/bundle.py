"""A bundle: one text file for one release, and beside it the OpenSSH signature of its bytes.

The first line says what it was built of, each further line what is known of one package, the last how many lines there
are. It is docs/vulnerability-bundle.md that describes it byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checks.vulnerabilities.releases import Release, release_named
from checks.vulnerabilities.rows import Row, require_rows
from checks.vulnerabilities.sources import BundleSource
from portalops.errors import VulnerabilityBundleRefused
from portalops.json_text import read_json
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.signatures.sshsig import BadSignature, SigningKey, fingerprint, sign, verify

NAMESPACE = "portalops-vulnerabilities"
"""What a bundle's signature is made for, so that a signature for anything else is none of it."""
VERSION = 1
SUFFIX = ".sig"
MAX_BYTES = 512 << 20
"""A bundle is not larger; Ubuntu's largest has some 50 MiB."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a bundle."""

    release: Release
    as_of: datetime
    """When its sources were fetched, UTC to the second: of the oldest, unless whoever built it told; its age counts from here."""
    sources: tuple[BundleSource, ...]
    records: int
    """How many of the makers' records are about this release."""
    newest: str
    """When the newest of them was changed, `2026-11-23T10:20:30Z`; empty where none says."""
    rows: int
    packages: int
    exploited: int
    """How many CVEs CISA's list had, whatever they are about; 0 where none was given."""
    support: Mapping[str, Any]
    """Until when runtimes get fixes, and the least versions of content management systems: see `support`; may be empty."""


def contents_of(header: Header, packages: Mapping[str, Sequence[Row]]) -> bytes:
    """Return the bytes of a bundle; the same rows give the same bytes."""
    held = {
        "as_of": header.as_of.strftime(_MOMENT),
        "exploited": header.exploited,
        "newest": header.newest,
        "packages": header.packages,
        "portalops_vulnerabilities": VERSION,
        "records": header.records,
        "release": header.release.name,
        "rows": header.rows,
        "sources": [asdict(source) for source in header.sources],
        "support": header.support,
    }
    lines = [_json(held)]
    lines += (_json([package, [row.as_list() for row in packages[package]]]) for package in sorted(packages))
    lines.append(_json({"lines": len(lines) + 1}))
    return "\n".join((*lines, "")).encode()


def signature_of(data: bytes, key: SigningKey) -> str:
    """Return the signature that belongs beside a bundle, as `ssh-keygen -Y sign -n portalops-vulnerabilities` makes it."""
    return sign(data, key, NAMESPACE)


class Bundle:
    """A bundle whose signature and content hold; a package's rows are made when they are asked for."""

    def __init__(self, data: bytes, signed_by: str) -> None:
        """Read the first line, and where each package stands; every row is counted and its form made sure of.

        Raises:
            ValueError: it is not of this version's form, or does not end as it must.
        """
        lines = data.split(b"\n")
        if len(lines) < 3 or lines[-1] != b"" or read_json(lines[-2]) != {"lines": len(lines) - 1}:
            raise ValueError("its last line is not what it must be")
        self.header = _header(read_json(lines[0]))
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.signed_by = signed_by
        """The public key, `ssh-ed25519 BASE64`."""
        self._lines: dict[str, bytes] = {}
        self.counted = 0
        """How many rows it has."""
        for line in lines[1:-2]:
            name, rows = read_json(line)
            if not isinstance(name, str) or not isinstance(rows, list) or name in self._lines:
                raise ValueError(f"not a package: {line[:80]!r}")
            require_rows(rows)
            self._lines[name] = line
            self.counted += len(rows)
        if len(self._lines) != self.header.packages:
            raise ValueError(f"{len(self._lines)} packages instead of {self.header.packages}")

    def rows(self, package: str) -> tuple[Row, ...]:
        """Return what is known of a package: of a source package for Debian and Ubuntu; empty where nothing is."""
        line = self._lines.get(package)
        return tuple(Row.from_list(held) for held in read_json(line)[1]) if line else ()

    @property
    def signer(self) -> str:
        """The fingerprint of the key that signed it."""
        return fingerprint(self.signed_by)


def read_bundle(path: Path, trusted: Iterable[str]) -> Bundle:
    """Read a bundle and make sure who signed it; nothing of it is looked at before.

    Args:
        path: the file; its signature lies beside it with `.sig` at the end of its name.
        trusted: public keys, `ssh-ed25519 BASE64`.

    Raises:
        VulnerabilityBundleRefused: it or its signature cannot be read, no trusted key signed these bytes, or they are of
            another form.
    """
    try:
        data = _read(path, MAX_BYTES)
    except OSError as error:
        raise bundle_refused(path, cause_of(error)) from error
    try:
        signature = _read(signed := path.with_name(path.name + SUFFIX), 64 << 10)
    except OSError as error:
        why = msg("its signature {file} cannot be read: {cause}", file=show_text(str(signed)), cause=cause_of(error))
        raise bundle_refused(path, why) from error
    try:
        signed_by = verify(data, signature.decode("ascii", "replace"), NAMESPACE)
    except BadSignature as error:
        raise bundle_refused(path, error.message) from error
    if signed_by not in set(trusted):
        raise bundle_refused(path, msg("it is signed by {key}, which is not trusted here", key=fingerprint(signed_by)))
    try:
        bundle = Bundle(data, signed_by)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = show_text(str(error), 120)
        raise bundle_refused(path, msg("it cannot be parsed by this version: {what}", what=what)) from error
    if bundle.counted != bundle.header.rows:
        raise bundle_refused(
            path, msg("it has {n} rows and says {stated}", n=bundle.counted, stated=bundle.header.rows)
        )
    return bundle


def bundle_refused(path: Path, what: Message) -> VulnerabilityBundleRefused:
    """Return the error of a bundle that is not used."""
    return VulnerabilityBundleRefused(
        msg("the vulnerability bundle {file} is refused: {what}", file=show_text(str(path)), what=what),
        msg(
            "Copy the bundle and its .sig file here again, and check that checks.vulnerabilities.keys has "
            "its signer's key."
        ),
    )


_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise bundle_refused(path, msg("it is larger than {mib} MiB", mib=max(1, limit >> 20)))
    return data


def _header(held: Mapping[str, Any]) -> Header:
    if held.get("portalops_vulnerabilities") != VERSION:
        raise ValueError(f"version {held.get('portalops_vulnerabilities')!r} instead of {VERSION}")
    release = release_named(held["release"])
    if release is None:
        raise ValueError(f"unknown release {held['release']!r}")
    return Header(
        release,
        datetime.strptime(held["as_of"], _MOMENT).replace(tzinfo=UTC),
        tuple(BundleSource(**source) for source in held["sources"]),
        _count(held, "records"),
        str(held["newest"]),
        _count(held, "rows"),
        _count(held, "packages"),
        _count(held, "exploited"),
        dict(held["support"]),
    )


def _count(held: Mapping[str, Any], name: str) -> int:
    value = held[name]
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is {value!r}")
    return value


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
