#!/usr/bin/env python3
"""Verify a bundle of portalops: one file, Python 3.8 or newer, its standard library, no network, nothing is written.

    python3 verify.py [BUNDLE] [--head FILE]... [--head-code CODE]... [--signers FILE] [--lang vi|en] [--json]

BUNDLE is the bundle's folder, or a ZIP file of it; without it, the folder that this file lies in. Two verdicts are given, always apart:
integrity (nothing was changed since it was signed) and completeness (nothing that was planned is missing).

EXIT STATUS: 0 both hold; 1 something expected is missing; 2 this is no bundle, or a wrong argument; 3 completeness
could not be found out, or not whether all that was set aside counts; 5 integrity does not hold; 70 this program failed, and nothing is known.

It stands on two pages, "A bundle, byte for byte" and "The ledger, byte for byte", and was written apart from portalops,
so that two programs must agree. Whoever does not trust the copy in a bundle takes one from elsewhere: they are all alike.

Sections: 1 what is said, 2 files, 3 JSON, 4 Ed25519, 5 OpenSSH signatures, 6 time stamps, 7 records, 8 the check,
9 completeness, 10 figures, 11 output. A number in a comment such as (4) is the point of the page that is checked there.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not getattr(sys.flags, "safe_path", sys.flags.isolated):
    del sys.path[0]  # no module is taken from this file's folder: it may be a bundle, and hold a json.py

import argparse
import base64
import hashlib
import io
import json
import os
import re
import stat
import struct
import zlib
from bisect import bisect, insort
from collections import deque
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

MAX_LINE, MAX_TEXT = 8192, 500
MAX_BODY = 16 << 20  # a larger body is not read as JSON, so that memory stays bounded
MAX_BLOB = 256 << 20
MAX_SMALL = 1 << 20  # figures.json, heads, tokens
MAX_LIST = 256 << 20  # of the files in a ZIP file
MAX_FAULTS, MAX_SHOWN = 100, 20
MAX_SLOTS = 1000000
MAX_RANGES = 1000  # of one claim
MAX_ASIDE = 1000  # records of one quarantine
MAX_DEPTH = 100
MAX_DIGITS = 4300  # what newer Pythons refuse by themselves: reading more takes time that grows with its square
GENESIS = "0" * 64
HEX64 = re.compile(r"[0-9a-f]{64}")
UTC = timezone.utc
CLOCKS_APART = timedelta(minutes=5)
GRACE = timedelta(hours=1)  # how long a record may stand without a claim
BEFORE_PERIOD = timedelta(days=45)

# ---------------------------------------------------------------------- 1 what is said, in English and in Vietnamese


class Said(NamedTuple):
    en: str
    vi: str


def say(en: str, **values: object) -> Said:
    """Fill in a sentence in both languages; the Vietnamese ones stand at the end of this file, by the English."""
    said = {
        name: value if isinstance(value, Said) else Said(show(value), show(value)) for name, value in values.items()
    }
    return Said(
        en.format(**{name: value.en for name, value in said.items()}),
        VI.get(en, en).format(**{name: value.vi for name, value in said.items()}),
    )


def show(value: object, limit: int = 200) -> str:
    """Return text that does nothing to a terminal: what cannot be printed is escaped, what is long is cut."""
    text = value if isinstance(value, str) else str(value)
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode("ascii") for each in cut
    )


LIMITS = (
    "It cannot show that a statement was true when it was recorded.",
    "A holder of the signing key can rewrite everything and sign it again. Only heads, codes, time stamps or keys that you received earlier and kept yourself show that. Give them with --head, --head-code, --signers.",
    "Backdating is found only up to the newest head, code or time stamp that was kept elsewhere.",
    "Completeness is measured by the plans recorded in this ledger; what was never planned is not missed.",
    "The signature inside a time stamp is not checked here: HOW-TO-VERIFY shows openssl ts -verify.",
)


class NotABundle(Exception):
    """The folder, or something brought by the auditor, is not what it should be: exit 2."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


# ------------------------------------------------------------------------------------------------------- 2 files
# Nothing in the folder is trusted: a name may be a link, a pipe that never ends, or a file of any length.


def open_file(path: str) -> BinaryIO:
    """Open a regular file for reading, never a link or a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError("not a regular file")
    handle = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not a regular file")
    return os.fdopen(handle, "rb")


class Folder:
    """The files of a bundle that lies in a folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def open(self, name: str) -> BinaryIO:
        """Open a regular file; OSError if there is none of this name, or it cannot be read."""
        return open_file(os.path.join(self.path, *name.split("/")))

    def holds(self, name: str) -> bool:
        """Say whether anything has this name."""
        return os.path.lexists(os.path.join(self.path, *name.split("/")))

    def entries(self) -> Iterator[Tuple[str, Optional[bool]]]:
        """Yield each name, and whether it is a regular file; None for a folder that cannot be read."""
        return self._within("")

    def _within(self, folder: str) -> Iterator[Tuple[str, Optional[bool]]]:
        try:
            with os.scandir(os.path.join(self.path, folder) if folder else self.path) as found:
                entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
        except OSError:
            yield folder or ".", None
            return
        for entry in entries:
            if not folder and entry.name in FOLDERS and entry.is_dir(follow_symlinks=False):
                yield from self._within(entry.name)
            else:
                yield (folder + "/" + entry.name if folder else entry.name), entry.is_file(follow_symlinks=False)


class Zip(Folder):
    """The files of a bundle that is one ZIP file (APPNOTE.TXT of PKWARE, and the page's section on it)."""

    def __init__(self, path: str) -> None:
        super().__init__(os.path.realpath(path))
        self.files: Dict[str, Optional[ZipEntry]] = {}
        wrong = NotABundle(say("{path} is neither the folder of a bundle nor a ZIP file of one", path=path))
        try:
            with open_file(self.path) as file:
                found = list(zip_entries(file))
        except (OSError, ValueError, struct.error):
            raise wrong from None
        names = {each.name for each in found}
        top = "" if "bundle.json" in names or not found else found[0].name.split("/")[0] + "/"
        if len(names) != len(found) or not all(name.startswith(top) for name in names):
            raise wrong
        for each in found:
            name = each.name[len(top) :]
            if not name or (name.endswith("/") and name[:-1] in FOLDERS):
                continue
            parts = name.split("/")
            depth = 2 if len(parts) > 1 and parts[0] in FOLDERS else 1
            self.files[utf8_name("/".join(parts[:depth]))] = each if each.is_plain and len(parts) <= depth else None

    def open(self, name: str) -> BinaryIO:
        entry = self.files.get(name)
        if entry is None:
            raise OSError("not a regular file")
        return io.BufferedReader(Unzipped(self.path, entry), 1 << 18)

    def holds(self, name: str) -> bool:
        return name in self.files

    def entries(self) -> Iterator[Tuple[str, Optional[bool]]]:
        return iter([(name, entry is not None) for name, entry in sorted(self.files.items())])


def utf8_name(name: str) -> str:
    """Return a name of which the bytes were read as Latin-1 as a person reads it; no file of a bundle has any but ASCII."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return name


class ZipEntry(NamedTuple):
    """One entry of the list of a ZIP file; names are bytes, here as Latin-1."""

    name: str
    method: int
    crc: int
    size: int
    packed: int
    offset: int
    is_plain: bool


def zip_entries(file: BinaryIO) -> Iterator[ZipEntry]:
    """Yield what the list of a ZIP file holds; ValueError, struct.error or OSError if it is none."""
    end = file.seek(0, os.SEEK_END) - 22
    file.seek(max(end, 0))
    mark, _disks, _here, count, size, start, comment = struct.unpack("<4sIHHIIH", file.read(22))
    if mark != b"PK\5\6" or comment:
        raise ValueError("no end of a list")
    if count == 0xFFFF or 0xFFFFFFFF in (size, start):
        file.seek(end - 20)
        mark, end = struct.unpack("<4s4xQ4x", file.read(20))
        if mark != b"PK\6\7" or end + 76 != file.seek(0, os.SEEK_END) - 22:
            raise ValueError("no end of a long list")
        file.seek(end)
        mark, count, size, start = struct.unpack("<4s28xQQQ", file.read(56))
        if mark != b"PK\6\6":
            raise ValueError("no end of a long list")
    if start + size != end or size > MAX_LIST:
        raise ValueError("the list is not right before its end")
    file.seek(start)
    data = file.read(size)
    at = 0
    for _ in range(count):
        mark, host, flags, method, crc, packed, plain, name_size, extra_size, comment, attributes, offset = (
            struct.unpack_from("<4sxBxxHH4xIIIHHH4xII", data, at)
        )
        extra = at + 46 + name_size
        after = extra + extra_size + comment
        if mark != b"PK\1\2" or after > len(data):
            raise ValueError("not an entry")
        plain, packed, offset = wide_numbers(data[extra : extra + extra_size], [plain, packed, offset])
        name = data[at + 46 : extra].decode("latin-1")
        mode = attributes >> 16 & 0xF000 if host == 3 else 0  # made on Unix, a file's mode: a link is none
        known = plain == packed if method == 0 else method == 8
        is_plain = known and not flags & 1 and not name.endswith("/") and mode in (0, stat.S_IFREG)
        yield ZipEntry(name, method, crc, plain, packed, offset, is_plain)
        at = after
    if at != len(data):
        raise ValueError("more than its entries")


def wide_numbers(extra: bytes, numbers: List[int]) -> List[int]:
    """Return the numbers of an entry, those that four bytes do not hold from its field of ZIP64."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if len(field) != size:
            raise ValueError("a field is cut off")
        if kind == 1:
            for place, number in enumerate(numbers):
                if number == 0xFFFFFFFF:
                    (numbers[place],), field = struct.unpack_from("<Q", field), field[8:]
    return numbers


class Unzipped(io.RawIOBase):
    """The bytes of an entry; OSError where they are not what the list says, at the latest at their end."""

    def __init__(self, path: str, entry: ZipEntry) -> None:
        self.entry = entry
        self.file = open_file(path)
        self.packed, self.size, self.crc = entry.packed, entry.size, 0
        self.inflater = zlib.decompressobj(-15) if entry.method else None
        try:
            self.file.seek(entry.offset)
            mark, method, name_size, extra_size = struct.unpack("<4s4xH16xHH", self.file.read(30))
            name = self.file.read(name_size).decode("latin-1")
            self.file.seek(extra_size, os.SEEK_CUR)
        except (struct.error, ValueError, OverflowError):
            mark = b""
        if mark != b"PK\3\4" or method != entry.method or name != entry.name:
            self.file.close()
            raise OSError("the entry is not where the list says")

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and not self._is_over():
            data = self._next(len(buffer))
        self.size -= len(data)
        self.crc = zlib.crc32(data, self.crc)
        if self.size < 0 or (not data and (self.size or self.packed or self.crc != self.entry.crc)):
            raise OSError("the entry is not what the list says")
        buffer[: len(data)] = data
        return len(data)

    def _is_over(self) -> bool:
        return self.inflater.eof if self.inflater else not self.packed

    def _next(self, limit: int) -> bytes:
        given = self.inflater.unconsumed_tail if self.inflater else b""
        if not given:
            given = self.file.read(min(self.packed, limit))
            self.packed -= len(given)
        try:
            found = self.inflater.decompress(given, limit) if self.inflater else given
        except zlib.error:
            raise OSError("the entry is not deflated") from None
        if not given and not found and not self._is_over():
            raise OSError("the entry is cut off")
        if self.inflater and self.inflater.unused_data:
            raise OSError("the entry is longer than what is deflated in it")
        return found


def place_of(path: str) -> Folder:
    """Return the files of a bundle: of its folder, or of a ZIP file."""
    return Zip(path) if os.path.isfile(path) else Folder(path)


def read_small(place: Folder, name: str, limit: int = MAX_SMALL) -> Optional[bytes]:
    """Return a file's bytes, or None if it is not there, is no plain file, or is larger than the limit."""
    try:
        with place.open(name) as file:
            data = file.read(limit + 1)
            if len(data) <= limit:
                file.read(1)  # at its end a ZIP file says whether it was whole
    except OSError:
        return None
    return data if len(data) <= limit else None


def digests_of(place: Folder, name: str, *algorithms: str) -> Tuple[bytes, ...]:
    hashes = [hashlib.new(name) for name in algorithms]
    with place.open(name) as file:
        for block in iter(lambda: file.read(1 << 18), b""):
            for each in hashes:
                each.update(block)
    return tuple(each.digest() for each in hashes)


def bounded_lines(file: BinaryIO, limit: int) -> Iterator[Tuple[bytes, bool]]:
    """Yield each line without its line feed, and whether it had one; of a longer line, limit + 1 bytes."""
    while True:
        line = file.readline(limit + 2)
        if not line:
            return
        ended = line.endswith(b"\n")
        if ended:
            line = line[:-1]
        elif len(line) > limit:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(1 << 16)
            ended = bool(rest)
        yield line[: limit + 1], ended


_ANCHOR = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
FILES = re.compile(
    r"bundle\.json|ledger\.jsonl|figures\.json|allowed_signers|verify\.(?:py|html)|HOW-TO-VERIFY\.(?:vi|en)\.md|SHA256SUMS(?:\.sig)?"
    r"|report\.[a-z]{2}\.html|blobs/[0-9a-f]{64}|heads/[0-9]{10,18}\.(?:txt|sig|"
    + _ANCHOR
    + r"\.tsr)|tsa/"
    + _ANCHOR
    + r"\.pem"
)
FOLDERS = ("blobs", "heads", "tsa")

# -------------------------------------------------------------------------------------------------------- 3 JSON


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise ValueError("a number of too many digits")
    return int(text)


def _refused(text: str) -> Any:
    raise ValueError("not an integer: " + text[:40])


def _unlike(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice: who reads the first one is told something else")
    return found


def read_json(data: bytes) -> Any:
    """Return what JSON text in UTF-8 says; ValueError if it is none, or is one that two readers may read differently."""
    try:
        found = json.loads(
            data.decode("utf-8"),
            parse_int=_integer,
            parse_float=_refused,
            parse_constant=_refused,
            object_pairs_hook=_unlike,
        )
    except RecursionError:
        raise ValueError("nested too deep") from None
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and is_deep(found):
        raise ValueError("nested too deep")
    return found


def is_deep(value: object) -> bool:
    """Say whether lists and objects lie in each other more than MAX_DEPTH deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def written(value: object) -> bytes:
    """Write JSON as portalops does: keys sorted, no white space, a line feed at the end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"
    return text.encode("utf-8", "surrogatepass")


def objects(value: object) -> List[Dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def part(body: object, key: str) -> Dict[str, Any]:
    found = body.get(key) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def text_in(held: Dict[str, Any], key: str) -> str:
    found = held.get(key)
    return found if isinstance(found, str) else ""


def evidence_in(body: object) -> Set[str]:
    """Return the digests under a key `evidence`, at any depth."""
    found: Set[str] = set()
    waiting = [body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            held = each.get("evidence")
            for value in held if isinstance(held, list) else [held]:
                if isinstance(value, str) and HEX64.fullmatch(value):
                    found.add(value)
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return found


# ----------------------------------------------------------------------------------- 4 Ed25519 (RFC 8032, verifying)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)  # a square root of -1
EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022
SMALL = (0, 1, P - 1, EIGHTH, P - EIGHTH)  # the y of the eight points that times 8 give nothing
Point = Tuple[int, int, int, int]  # extended homogeneous coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is good: S B = R + k A, where S is below the group's order and A is written canonically."""
    if len(public) != 32 or len(signature) != 64 or is_weak(public):
        return False
    a = decoded(public)
    s = int.from_bytes(signature[32:], "little")
    if a is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    both = add(BASE, minus_a)
    total: Point = (0, 1, 1, 0)
    for bit in range(252, -1, -1):  # S B - k A in one go
        total = double(total)
        take_base, take_a = s >> bit & 1, k >> bit & 1
        if take_base or take_a:
            total = add(total, both if take_base and take_a else BASE if take_base else minus_a)
    inverse = pow(total[2], P - 2, P)
    x, y = total[0] * inverse % P, total[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


def is_weak(public: bytes) -> bool:
    """Say whether a key is one of those for which anybody can make signatures, or is not written canonically."""
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    return y >= P or y in SMALL


def decoded(data: bytes) -> Optional[Point]:
    """Return the point of 32 bytes (RFC 8032, 5.1.3), or None if they are none, or not written the one right way."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(p: Point) -> Point:
    a, b = p[0] * p[0] % P, p[1] * p[1] % P
    h = a + b
    e = h - (p[0] + p[1]) * (p[0] + p[1]) % P
    g = a - b
    f = 2 * p[2] * p[2] % P + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _base() -> Point:
    found = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    assert found is not None
    return found


BASE = _base()

# ------------------------------------------------------------- 5 OpenSSH signatures (PROTOCOL.sshsig, PROTOCOL.u2f)

PLAIN_KEY, TOKEN_KEY = "ssh-ed25519", "sk-ssh-ed25519@openssh.com"
KEY_TEXT = re.compile(r"(?:^|\s)(ssh-ed25519|sk-ssh-ed25519@openssh\.com)[ \t]+([A-Za-z0-9+/]+={0,2})(?=\s|$)")
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
Hasher = Callable[[str], bytes]  # the digest of what was signed, by the algorithm's name


class Bad(ValueError):
    """A signature or a time stamp does not hold; says why, in both languages."""

    def __init__(self, en: str) -> None:
        super().__init__(en)
        self.said = say(en)


def strings(data: bytes, count: int) -> List[bytes]:
    """Cut data into exactly so many strings, each behind its length in four bytes."""
    found, at = [], 0
    for _ in range(count):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 4 + length > len(data):
            raise Bad("truncated")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    if at != len(data):
        raise Bad("extra bytes at the end")
    return found


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def armoured(blob: bytes) -> str:
    """Write a signature's bytes as ssh-keygen does."""
    text = base64.b64encode(blob).decode("ascii")
    return "\n".join([BEGIN] + [text[at : at + 70] for at in range(0, len(text), 70)] + [END, ""])


def signer_of(signature: str, namespace: str, hasher: Hasher) -> str:
    """Return the public key, `ALGORITHM BASE64`, that signed something for a purpose; raise Bad if the signature is none.

    A signature must be written as ssh-keygen writes it, so that there are no two texts of the same one.
    """
    lines = signature.replace("\r\n", "\n").strip("\n").split("\n")
    if len(signature) > MAX_LINE or len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:
        raise Bad("not an OpenSSH signature")
    text = "".join(lines[1:-1])
    if not re.fullmatch("[A-Za-z0-9+/]*={0,2}", text) or len(text) % 4:  # Pythons before 3.11 take more
        raise Bad("not an OpenSSH signature")
    blob = base64.b64decode(text)
    if armoured(blob) != "\n".join(lines) + "\n":
        raise Bad("not in the format of ssh-keygen")
    if blob[:10] != b"SSHSIG\0\0\0\1":
        raise Bad("not an OpenSSH signature of version 1")
    key, purpose, reserved, algorithm, inner = strings(blob[10:], 5)
    if purpose != namespace.encode() or reserved:
        raise Bad("it was made for another purpose")
    if algorithm not in (b"sha256", b"sha512"):
        raise Bad("unknown hash algorithm")
    digest = hasher(algorithm.decode())
    data = b"SSHSIG" + string(purpose) + string(b"") + string(algorithm) + string(digest)
    kind = key[4 : 4 + int.from_bytes(key[:4], "big")].decode("latin-1")
    if kind == PLAIN_KEY:
        public = strings(key, 2)[1]
        name, proof = strings(inner, 2)
    elif kind == TOKEN_KEY:  # a FIDO2 token signs what it was used for, whether it was touched, and a counter
        _name, public, application = strings(key, 3)
        name, proof = strings(inner[:-5], 2)
        touched = inner[-5:]
        if not touched[0] & 1:
            raise Bad("the security key was not touched")
        data = hashlib.sha256(application).digest() + touched + hashlib.sha256(data).digest()
    else:
        raise Bad("not an Ed25519 signature")
    if name != kind.encode("latin-1") or not ed25519_holds(public, data, proof):
        raise Bad("it does not match the signed data")
    return kind + " " + base64.b64encode(key).decode("ascii")


def of_bytes(data: bytes) -> Hasher:
    return lambda algorithm: hashlib.new(algorithm, data).digest()


def is_key(text: str) -> bool:
    """Say whether this is the public key `ALGORITHM BASE64` and nothing else."""
    kind, _, encoded = text.partition(" ")
    try:
        held = base64.b64decode(encoded, validate=True)
        found = strings(held, 3 if kind == TOKEN_KEY else 2)
    except ValueError:
        return False
    well_written = kind in (PLAIN_KEY, TOKEN_KEY) and base64.b64encode(held).decode("ascii") == encoded
    return well_written and found[0] == kind.encode() and len(found[1]) == 32 and not is_weak(found[1])


def fingerprint(key: str) -> str:
    held = base64.b64decode(key.split(" ")[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(held).digest()).decode("ascii").rstrip("=")


# ------------------------------------------------------------------------------------ 6 time stamps (RFC 3161, DER)

SIGNED_DATA, TST_INFO, SHA256_ID = "2a864886f70d010702", "2a864886f70d0109100104", "608648016503040201"


class Der:
    """Takes one element of DER data after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, tag: int) -> bytes:
        """Return the content of the next element, which must have a tag."""
        head = self.cut(2)
        if head[0] != tag:
            raise Bad("not a time-stamp response")
        length = head[1]
        if length >= 0x80:
            if not 0x81 <= length <= 0x84:
                raise Bad("not DER")
            length = int.from_bytes(self.cut(length & 0x7F), "big")
        return self.cut(length)

    def into(self, tag: int) -> Der:
        return Der(self.take(tag))

    def only(self, tag: int) -> bytes:
        """Return the content of the one element that there is."""
        found = self.take(tag)
        if self.at != len(self.data):
            raise Bad("extra bytes at the end")
        return found

    def cut(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        if len(found) != count:
            raise Bad("truncated")
        self.at += count
        return found


def time_stamp(data: bytes) -> Tuple[bytes, datetime]:
    """Return the SHA-256 that a time-stamp response is about and its time; raise Bad if it was not granted or is none.

    Only what leads there is read: the rest is for openssl, which looks at the signature too.
    """
    response = Der(Der(data).only(0x30))
    if response.into(0x30).take(0x02) not in (b"\0", b"\1"):
        raise Bad("it was not granted")
    token = response.into(0x30)
    if token.take(0x06).hex() != SIGNED_DATA:
        raise Bad("it holds no signed data")
    signed = Der(token.into(0xA0).only(0x30))
    signed.take(0x02), signed.take(0x31)
    held = signed.into(0x30)
    if held.take(0x06).hex() != TST_INFO:
        raise Bad("it holds no time stamp")
    info = Der(Der(held.into(0xA0).only(0x04)).only(0x30))
    if info.take(0x02) != b"\1":
        raise Bad("it holds no time stamp")
    info.take(0x06)
    imprint = info.into(0x30)
    algorithm, digest = imprint.into(0x30).take(0x06), imprint.take(0x04)
    if algorithm.hex() != SHA256_ID or len(digest) != 32:
        raise Bad("it is not over a SHA-256")
    info.take(0x02)
    text = info.take(0x18).decode("latin-1")
    if not re.fullmatch(r"[0-9]{14}(?:\.[0-9]{1,18})?Z", text):
        raise Bad("its time cannot be read")
    fraction = (text[15:-1] + "000000")[:6]
    try:
        moment = datetime.strptime(text[:14] + fraction, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
        moment - CLOCKS_APART, moment + CLOCKS_APART  # both are asked for
    except (ValueError, OverflowError):
        raise Bad("its time cannot be read") from None
    return digest, moment


# ------------------------------------------------------------------------------------------------------ 7 records

_AT = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
_STRING = rb'"([^"\\\x00-\x1f\x7f]*(?:\\["\\][^"\\\x00-\x1f\x7f]*)*)"'
_DIGEST = rb'"([0-9a-f]{64})"'
RECORD = re.compile(
    rb'\{"at":"(' + _AT + rb')","body":' + _DIGEST + rb',"duty":' + _STRING
    + rb',"kind":"([a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*)","prev":' + _DIGEST
    + rb',"run":' + _STRING + rb',"seq":([1-9][0-9]{0,17}),"subject":' + _STRING + rb',"v":1\}'
)  # fmt: skip
HEAD = re.compile(
    rb"portalops-head 1\nledger ([0-9a-f]{32})\nsize ([1-9][0-9]{0,17})\ndigest ([0-9a-f]{64})\n"
    rb"at (" + _AT + rb")\nprevious ([0-9a-f]{64})\n"
)
CODE = re.compile(r"([1-9][0-9]{0,17})((?:-[0-9a-f]{4}){5})")
RANGE = re.compile(r"range ([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n")
CLAIM = re.compile(
    r"portalops-claim 1\nledger ([0-9a-f]{32})\n((?:range [1-9][0-9]{0,17} [1-9][0-9]{0,17} [0-9a-f]{64}\n)+)"
)
WRITER = re.compile(
    r"portalops-writer 1\nledger ([0-9a-f]{32})\nstate (added|ended)\nkey ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)\n"
    r"name ([A-Za-z0-9][A-Za-z0-9._@-]{0,99})\nauthority (all|records)\n"
)


_WORDS = r"([^\x00-\x1f\x7f\ud800-\udfff]{1,200})"
QUARANTINE = re.compile(
    r"portalops-(?:quarantine|clock) 1\nledger ([0-9a-f]{32})\nrange ([1-9][0-9]{0,17}) ([1-9][0-9]{0,17}) ([0-9a-f]{64})\n"
    r"(?:since ("
    + _AT.decode("ascii")
    + r")\n)?by "
    + _WORDS
    + r"\nsecond "
    + _WORDS
    + r"\nkey ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)\nreason "
    + _WORDS
    + r"\n"
)


class Record(NamedTuple):
    seq: int
    at: str  # as it stands: such texts sort as the moments do
    kind: str
    run: str
    body: str
    prev: str


def parse_record(line: bytes) -> Optional[Record]:
    """Return what a line says, or None if it is not written the one way that the page describes."""
    found = RECORD.fullmatch(line) if len(line) <= MAX_LINE else None
    if found is None:
        return None
    try:
        at, body, duty, kind, prev, run, seq, subject = [each.decode("utf-8") for each in found.groups()]
    except UnicodeDecodeError:
        return None
    if len(line) > MAX_TEXT or not line.isascii():
        for text in (plain(duty), plain(run), plain(subject), kind):
            if len(text) > MAX_TEXT:
                return None
    return Record(int(seq), at, kind, plain(run), body, prev) if is_moment(at) else None


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


_days: Dict[str, bool] = {}


def is_day(text: str) -> bool:
    """Say whether the calendar has a day; the answers are kept, since most records share theirs."""
    if text not in _days:
        if len(_days) > 100000:
            _days.clear()
        try:
            date(int(text[:4]), int(text[5:7]), int(text[8:]))
            _days[text] = True
        except ValueError:
            _days[text] = False
    return _days[text]


def is_moment(at: str) -> bool:
    """Say whether a time is in the calendar, wherever it is shown: zones move it by up to a day."""
    return is_day(at[:10]) and "0001" < at[:4] < "9999"


def moment_of(at: str) -> datetime:
    return datetime.strptime(at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


class Head(NamedTuple):
    ledger: str
    size: int
    digest: str
    at: str
    previous: str


def parse_head(data: bytes) -> Optional[Head]:
    found = HEAD.fullmatch(data)
    if found is None:
        return None
    ledger, size, digest, at, previous = [each.decode("ascii") for each in found.groups()]
    return Head(ledger, int(size), digest, at, previous) if is_moment(at) else None


def code_of(head: Head) -> str:
    return "-".join([str(head.size)] + [head.digest[at : at + 4] for at in range(0, 20, 4)])


class Key(NamedTuple):
    """A key of the ledger, from the record that added it to the one that retired it."""

    public: str
    added: Record
    retired: Optional[Record]
    replaces: str
    known: bool  # it is the first key, or the auditor brings it
    vouched: Optional[int] = (
        None  # the record of the first head over `added` by the confirmed key that this one replaces
    )
    mended: str = ""  # the earliest time of the mended clocks that it signed and that name `added`

    def begin(self) -> str:
        return min(self.added.at, self.mended or self.added.at)

    def is_confirmed(self) -> bool:
        return self.known or self.vouched is not None

    def signs(self, seq: int, at: str) -> bool:
        """Say whether it signs in a record, at a time: where its retirement stands decides, not what time that has."""
        return self.begin() <= at and (self.retired is None or seq < self.retired.seq)


class Writer(NamedTuple):
    """A machine or person that claims records, from the record that enrolled it to the one that ended that."""

    public: str
    name: str
    authority: str
    added: int
    ended: Optional[int]


class Signed(NamedTuple):
    """A claim or writer record: its text, and who signed it or why that is nobody."""

    record: Record
    text: str
    signer: str
    why_not: Optional[Said]


def retire(keys: List[Key], public: str, record: Record) -> List[Key]:
    return [key._replace(retired=record) if key.public == public else key for key in keys]


def key_at(keys: List[Key], public: str, seq: int, at: str) -> Optional[Key]:
    """Return a confirmed key that may sign in a record, at a time; None for any other."""
    return next((key for key in keys if key.public == public and key.is_confirmed() and key.signs(seq, at)), None)


Range = Tuple[int, int, str]


def parse_claim(text: str) -> Optional[Tuple[str, List[Range]]]:
    """Return the ledger and the ranges that a claim names, or None."""
    found = CLAIM.fullmatch(text)
    if found is None:
        return None
    ranges = [(int(first), int(last), digest) for first, last, digest in RANGE.findall(found.group(2))]
    before = 0
    for first, last, _ in ranges:
        if not before < first <= last:
            return None
        before = last
    return (found.group(1), ranges) if len(ranges) <= MAX_RANGES else None


class Quarantine(NamedTuple):
    """A record that sets others aside, or says that their time is wrong: what it names, who signed it, and why that is nobody."""

    record: Record
    ledger: str
    first: int
    last: int
    digest: str
    since: Optional[str]  # from when on time is right again; None where they are set aside
    by: str
    second: str
    public: str
    reason: str
    signers: Tuple[str, str]  # as the ledger's key, and as the second person
    why_not: Optional[Said]


class Brought(NamedTuple):
    """A head that the auditor brings; a code holds the first 20 digits of the digest and no ledger."""

    name: str
    ledger: str
    size: int
    digest: str


# The records whose details are always in the bundle; and those of them whose details may not be withheld.
KEPT = {
    "ledger.created",
    "ledger.upgraded",
    "ledger.moved",
    "head",
    "key.added",
    "key.retired",
    "blob.erased",
    "sign-off",
    "claim",
    "writer.added",
    "writer.ended",
    "ledger.quarantined",
    "ledger.clock-mended",
}
NEVER_ERASED = KEPT | {"plan"}
BY_TWO = {"ledger.quarantined", "ledger.clock-mended"}  # kinds that two persons sign
ANYBODYS = {"ledger.moved", "key.retired"}  # kinds that can be set aside whoever recorded them
BY_AUTHORITY = {"plan", "blob.erased", "ledger.moved"}  # kinds that only a writer with authority `all` may record
CLAIM_KINDS = {"claim", "writer.added", "writer.ended"}
SELF_SIGNED = {
    "head",
    "claim",
    "writer.added",
    "writer.ended",
    "ledger.quarantined",
    "ledger.clock-mended",
}  # kinds that nobody needs to claim
PLANNING = {"plan", "waiver.granted", "waiver.withdrawn"}  # kinds that say what is expected
ALWAYS = KEPT | PLANNING

# ----------------------------------------------------------------------------------------------------- 8 the check


class Check:
    """Goes over a bundle once, keeps what it found, and judges nothing that it could not read."""

    def __init__(self, folder: str, brought: List[Brought], trusted: Optional[List[Trusted]]) -> None:
        self.folder = folder
        self.place = place_of(folder)
        self.brought = brought
        self.trusted = trusted
        self.faults: List[Tuple[int, Said]] = []
        self.malformed: List[int] = []  # lines that are no records
        self.suspects: Set[int] = set()  # records that quarantines speak of
        self.losable: Set[int] = set()  # those of them of which two persons may say that the details are missing
        self.doubtful: Set[int] = set()  # those of these whose details are here, or need not be here
        self.unproven: Set[int] = set()  # quarantines that count by these alone
        self.open: List[
            Tuple[int, int, str, Dict[str, object]]
        ] = []  # what is wrong with those alone, and where it is named
        self.faulted: Set[int] = set()  # claims and writer records of which not all counts
        self.contradicting: Dict[int, str] = {}  # claims with another digest than the line's: their writers' keys
        self.back: List[Tuple[int, str]] = []  # records before their time, and that time
        self.is_early = False  # a record has an earlier time than one before it
        self.void_by_two: Set[int] = set()  # quarantines and mended clocks that do not count
        self.mended: List[Quarantine] = []  # that count
        self.mistimed: Set[int] = set()  # records whose time they say is wrong
        self.quarantines: List[Quarantine] = []  # that count
        self.aside: Set[int] = set()  # records that they set aside
        self.unclaimable: List[int] = []  # the same, ascending: no claim behind has them
        self.judged: Dict[int, Record] = {}  # records that a quarantine may name, by number
        self.anybodys: Set[int] = set()  # records that can be set aside whoever recorded them
        self.fault_count = 0
        self.paths: List[str] = []
        self.good: Set[str] = set()  # blobs that are there and have the digest that is their name
        self.searched: Set[str] = set()  # bodies that were searched for evidence
        self.blamed: Set[str] = set()
        self.named: Set[str] = set()  # blobs that the records, or the details that are here, name
        self.always: List[Record] = []
        self.records = 0
        self.first_at = self.last_at = ""
        self.head_digest = GENESIS
        self.authentic: Set[int] = set()  # records of heads by confirmed keys
        self.copies: Dict[int, int] = {}  # heads that say again what one before them says: that one's record
        self.heads: List[Tuple[Record, Head, str, str]] = []  # that hold: record, head, signer, its text
        self.keys: List[Key] = []
        self.published: Dict[str, Any] = {}  # the heads that have files, by their names
        self.listed: List[Key] = []  # as the records alone have them, whatever the auditor brings
        self.erased: Dict[str, str] = {}
        self.anchored: List[Tuple[str, int, str]] = []  # path, size of the head, time that the token states
        self.sign_offs: List[Dict[str, Any]] = []
        self.imported: List[Record] = []
        self.writers: List[Writer] = []
        self.unheeded: List[
            Tuple[int, int]
        ] = []  # first and last of records whose plans and erasures count for nothing
        self.speaking: Set[int] = set()  # heads, claims, writers and quarantines that count
        self.claimed: List[Tuple[int, int, str]] = []  # ascending: first, last, and the key of their writer
        self.claimed_in: Dict[int, int] = {}  # by their first: the number of the claim
        self.unclaimed: List[Tuple[int, int]] = []  # first and last of what nobody claimed in time
        self.drills: List[Tuple[int, str]] = []  # of other hosts, whose signatures hold: record, key
        self.reports: Dict[str, str] = {}  # digests of the reports that are there, and their names
        self.found_brought: List[Tuple[Brought, bool]] = []
        self.bundle = self._read_bundle()
        self.withheld: Dict[str, str] = {
            each["digest"]: each["reason"] for each in (self.bundle or {}).get("withheld", [])
        }
        self.runs = Runs()
        self.figures = Figures(self.bundle, self._read_figures())
        self._check_files()
        self._check_chain()
        self._check_signed()
        self._check_figures()

    def fault(self, seq: int, en: str, **values: object) -> None:
        self.fault_count += 1
        self.faults.append((seq, say(en, seq=seq, **values)))
        if len(self.faults) > 2 * MAX_FAULTS:
            self.faults = self.first_faults()

    def excusable(self, seq: int, en: str, at: int = 0, **values: object) -> None:
        """Name a fault of a record alone; of a suspect it waits for `_settle`."""
        if seq in self.suspects:
            self.open.append((seq, at or seq, en, values))
        else:
            self.fault(at or seq, en, **values)

    def first_faults(self) -> List[Tuple[int, Said]]:
        """Return the faults by record; those of no record come last."""
        return sorted(self.faults, key=lambda each: (each[0] == 0, each[0]))[:MAX_FAULTS]

    @property
    def first_bad(self) -> Optional[int]:
        return min((seq for seq, _ in self.faults if seq), default=None)

    # -- bundle.json

    def _read_bundle(self) -> Optional[Dict[str, Any]]:
        for name in ("bundle.json", "ledger.jsonl", "SHA256SUMS"):
            try:
                with self.place.open(name) as file:
                    while isinstance(self.place, Zip) and file.read(1 << 18):
                        pass  # whether an entry is whole is known at its end
            except OSError:
                raise NotABundle(
                    say("this is not a bundle: {folder} has no readable file {name}", folder=self.folder, name=name)
                ) from None
        data = read_small(self.place, "bundle.json", MAX_BODY) or b""
        try:
            held = read_json(data)
        except ValueError:
            held = None
        version = held.get("format") if isinstance(held, dict) else None
        if type(version) is int and version > 4:
            raise NotABundle(
                say("this bundle is of a newer format, {version}: it needs a newer verify.py", version=version)
            )
        if isinstance(held, dict) and is_bundle(held) and written(held) == data:
            return held
        self.fault(0, "bundle.json does not have the format that portalops writes")
        return None

    # -- (1) the files, and their digests

    def _check_files(self) -> None:
        for path, is_file in self.place.entries():
            if is_file is None:
                self.fault(0, "the folder {path} cannot be read", path=path)
            elif is_file and FILES.fullmatch(path):
                self.paths.append(path)
            else:
                self.fault(0, "{path} does not belong here", path=path)
        sums = self._read_sums()
        for path in self.paths:
            if path in ("SHA256SUMS", "SHA256SUMS.sig"):
                continue
            try:
                digest = digests_of(self.place, path, "sha256")[0].hex()
            except OSError:
                digest = ""
            if digest and path.startswith("report."):
                self.reports.setdefault(digest, path)
            listed = sums.pop(path, None)
            if path.startswith("blobs/"):  # what it should be is its name: see (3)
                self.good.update([digest] if digest == path[6:] else [])
                digest = path[6:]
            if listed is None:
                self.fault(0, "{path} is not listed in SHA256SUMS", path=path)
            elif listed != digest:
                self.fault(0, "{path} does not match its digest in SHA256SUMS", path=path)
        self.listed_only = sorted(sums)

    def _read_sums(self) -> Dict[str, str]:
        sums: Dict[str, str] = {}
        before = ""
        with self.place.open("SHA256SUMS") as file:
            for number, (line, ended) in enumerate(bounded_lines(file, 1000), 1):
                if number > len(self.paths) + MAX_FAULTS:  # each line is of one file, so this list is none
                    self.fault(0, "SHA256SUMS has many more lines than there are files")
                    break
                found = re.fullmatch(rb"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)", line)
                path = found.group(2).decode("ascii") if found else ""
                known = FILES.fullmatch(path) and not path.startswith("SHA256SUMS")
                if found is None or not ended or not known or path <= before:
                    self.fault(
                        0, "line {line} of SHA256SUMS is not in the format of sha256sum, or not in order", line=number
                    )
                if found is not None:
                    before = path
                    sums[path] = found.group(1).decode("ascii")
        return sums

    # -- (2) the chain

    def _check_chain(self) -> None:
        place, head, latest, sound, line = 0, GENESIS, "", True, b""
        with self.place.open("ledger.jsonl") as file:
            for place, (line, ended) in enumerate(bounded_lines(file, MAX_LINE), 1):
                record = parse_record(line)
                sound = self._check_record(place, record, head)
                if not ended:
                    self.fault(place, "record {seq} does not end in a line feed")
                head = hashlib.sha256(line).hexdigest()
                if record is None:
                    continue
                self.is_early = self.is_early or record.at < latest
                latest = max(latest, record.at) if sound else latest
                record = record._replace(seq=place)
                self.first_at, self.last_at = self.first_at or record.at, record.at
                if record.kind in ALWAYS:
                    self.always.append(record)
                elif record.kind == "drill.imported":
                    self.imported.append(record)
                self.runs.take(record)
                self.figures.take(record)
        self.records, self.head_digest = place, head
        self._check_end(sound)

    def _check_end(self, sound: bool) -> None:
        place, bundle = self.records, self.bundle
        if not place:
            self.fault(1, "the ledger has no records")
        elif bundle is None:
            pass
        elif bundle["records"] > place:
            self.fault(place + 1, "records {seq} to {last} are missing", last=bundle["records"])
        elif bundle["records"] < place:
            self.fault(bundle["records"] + 1, "record {seq} was added after the last record")
        elif bundle["head"] != self.head_digest and sound:
            self.fault(place, "record {seq} is not the last record")

    def _check_record(self, place: int, record: Optional[Record], head: str) -> bool:
        """Name what is wrong with one line; say whether the line itself is sound. (Its neighbour may not be.)"""
        if record is None:
            self.malformed.append(place)  # a fault, unless it is set aside: see (12)
            return False
        sound = True
        if record.seq != place:
            # One that stands too late and does not join was pushed back by what was put before it.
            pushed_back = record.seq < place and record.prev != head
            self.fault(
                record.seq if pushed_back else place,
                "record {other} is stored as number {place}",
                place=place,
                other=record.seq,
            )
            sound = False
        if record.seq == place and record.prev != head:
            self.fault(
                max(place - 1, 1), "record {seq} is not the record that record {next} was chained to", next=place
            )
        if (record.kind == "ledger.created") != (place == 1):
            self.open.append((place, place, "record {seq}: a ledger begins with ledger.created, once", {}))
        return sound

    def body(self, digest: str) -> Optional[Dict[str, Any]]:
        """Return what a blob says, or None if it is not there, not what it was, no JSON object, or too large to be read."""
        data = read_small(self.place, "blobs/" + digest, MAX_BODY) if digest in self.good else None
        try:
            found = None if data is None else read_json(data)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    # -- (4) to (9): heads, keys, time stamps, what the auditor brings, sign-offs

    def _check_signed(self) -> None:
        created = [record for record in self.always if record.seq == 1 and record.kind == "ledger.created"]
        body = self.body(created[0].body) if created else None
        ledger = body.get("ledger") if body else None
        self.ledger = ledger if isinstance(ledger, str) and re.fullmatch("[0-9a-f]{32}", ledger) else None
        if self.ledger is None:  # then it is not compared
            self.fault(1, "record 1 does not name the ledger")
        if self.bundle and self.ledger is not None and self.ledger != self.bundle["ledger"]:
            self.fault(0, "bundle.json names a different ledger than record 1")
        read = [(record, *self._read_head(record)) for record in self.always if record.kind == "head"]
        signers = [self._signer_of_head(*each[1:]) for each in read]
        quarantines = [self._read_quarantine(record) for record in self.always if record.kind in BY_TWO]
        around: Set[int] = set()
        for record, quarantine in quarantines:
            self.suspects.add(record.seq)
            if quarantine is None or quarantine.last >= record.seq:
                continue
            if quarantine.since is None:
                self.suspects.update(range(quarantine.first, quarantine.last + 1))
            else:
                around.update((quarantine.first - 1, quarantine.first, quarantine.last))
        seen = {each[0].seq: (each[1], signer) for each, (signer, _) in zip(read, signers) if each[1] and signer}
        disowned = [
            (record.seq, each.signers[0], each.first, each.last)
            for record, each in quarantines
            if each and each.since is None and each.why_not is None and self.ledger in (None, each.ledger)
        ]
        mends = [
            each
            for record, each in quarantines
            if each and each.since is not None and each.why_not is None and self.ledger in (None, each.ledger)
            if each.last == record.seq - 1 and each.since <= record.at  # else it is another record's text again
        ]
        self.keys, unheeded = self._read_keys(seen, disowned, mends, {each.public for each in self.trusted or ()})
        self.listed = self._read_keys(seen, disowned, mends, set())[0] if self.trusted else self.keys
        for record, public in unheeded:
            what = "record {seq}: no key of the ledger confirms that key {key} was retired"
            self.excusable(record.seq, what, key=fingerprint(public))
        wanted = {head.size for _, head, _, _ in read if head} | {record.seq + 1 for record, _, _, _ in read}
        signed = [self._read_signed(record) for record in self.always if record.kind in CLAIM_KINDS]
        claims = [parse_claim(each.text) for each in signed if each.record.kind == "claim"]
        wanted |= {last for claim in claims if claim for _, last, _ in claim[1]}
        lines = self._lines_at(wanted | self.suspects | around | {each.size for each in self.brought})
        for record in self.always:
            is_there = record.kind in ("key.added", "key.retired") and record.body in self.good
            if is_there and not self._is_key_record(record):
                self.excusable(record.seq, "record {seq} is of kind key but holds no key")
        self._check_heads(read, signers, lines)
        self._find_losable()
        self._check_claims(signed, quarantines, lines)
        self._check_owners()
        self._read_erasures()
        self._check_details()
        self._check_times()
        self._settle()
        self._pass_over_mistimed()
        self._check_heads_folder(read, [signer for signer, _ in signers])
        self._check_replaced()
        self._check_allowed_signers()
        self._check_sums_signature()
        self._check_time_stamps(lines)
        self._check_brought(lines)
        for record in self.always:
            if record.kind == "sign-off" and record.body in self.good:
                self._check_sign_off(record)
        for record in self.imported:
            if record.body in self.good:
                self._check_drill(record)

    def _read_keys(
        self,
        signed: Dict[int, Tuple[Head, str]],
        disowned: List[Tuple[int, str, int, int]],
        mends: List[Quarantine],
        trusted: Set[str],
    ) -> Tuple[List[Key], List[Tuple[Record, str]]]:
        """Return who may sign from when to when, and the retirements that count for nothing.

        Only heads of confirmed keys decide. A retirement counts if its key signed for the one that replaces it, or if the first such head
        over it is by another key and does not confirm this one. A key that signed a quarantine of a `key.added` confirms none by its heads behind that.
        """
        keys: List[Key] = []
        trusted = self._with_replaced(trusted)
        pending: Dict[str, Record] = {}
        unheeded: List[Tuple[Record, str]] = []
        for record in self.always:
            if record.seq in signed:
                head, signer = signed[record.seq]
                own = self.ledger in (None, head.ledger) and key_at(keys, signer, record.seq, head.at)
                if own and head.size < record.seq:
                    for place, key in enumerate(keys):
                        strange = any(
                            one == signer and seq < record.seq and first <= key.added.seq <= last
                            for seq, one, first, last in disowned
                        )
                        if (
                            key.replaces == signer
                            and key.vouched is None
                            and key.added.seq <= head.size
                            and not strange
                        ):
                            keys[place] = key._replace(vouched=record.seq)
                    for public in [key for key, retired in pending.items() if retired.seq <= head.size]:
                        retired = pending.pop(public)
                        confirmed_here = any(key.public == public and key.vouched == record.seq for key in keys)
                        if public == signer or confirmed_here:
                            unheeded.append((retired, public))
                        else:
                            keys = retire(keys, public, retired)
            elif record.kind in ("key.added", "key.retired") and record.body in self.good:
                held = part(self.body(record.body), "key")
                public, replaces = held.get("public_key", ""), held.get("replaces", "")
                if not self._is_key_record(record):
                    continue
                known = [each for each in keys if each.public == public]
                if record.kind == "key.added" and not known:
                    moments = [
                        each.record.at
                        for each in mends
                        if each.signers[0] == public and each.first <= record.seq <= each.last
                    ]
                    is_known = not keys or public in trusted
                    keys.append(Key(public, record, None, replaces, is_known, None, min(moments, default="")))
                elif record.kind == "key.retired" and known and known[0].retired is None:
                    if any(key.replaces == public and key.vouched is not None for key in keys):
                        keys = retire(keys, public, record)
                    else:
                        pending.setdefault(public, record)
        left = {key.public for key in keys if key.retired is None and key.is_confirmed()}
        return keys, unheeded + [(record, public) for public, record in pending.items() if left == {public}]

    def _with_replaced(self, trusted: Set[str]) -> Set[str]:
        """Return keys with those that they replace: whoever made a key that is known recorded it, and named the one before it."""
        found = set(trusted)
        replaces: Dict[str, str] = {}
        for record in self.always if trusted else ():
            if record.kind == "key.added" and record.body in self.good and self._is_key_record(record):
                held = part(self.body(record.body), "key")
                replaces.setdefault(held["public_key"], held.get("replaces", ""))
        waiting = list(found)
        while waiting:
            before = replaces.get(waiting.pop(), "")
            if before and before not in found:
                found.add(before)
                waiting.append(before)
        return found

    def _is_key_record(self, record: Record) -> bool:
        held = part(self.body(record.body), "key")
        public, *others = (held.get(name, "") for name in ("public_key", "replaces", "reason"))
        return isinstance(public, str) and all(isinstance(text, str) for text in others) and is_key(public)

    def _read_signed(self, record: Record) -> Signed:
        """Read a claim or a writer record; where its details are not here, (3) names them."""
        is_claim = record.kind == "claim"
        held = part(self.body(record.body), "claim" if is_claim else "writer")
        text, signature = held.get("text"), held.get("signature")
        if not isinstance(text, str) or not isinstance(signature, str):
            return Signed(record, "", "", None)
        try:
            hasher = of_bytes(text.encode("utf-8", "surrogatepass"))
            return Signed(
                record, text, signer_of(signature, "portalops-claim" if is_claim else "portalops-writer", hasher), None
            )
        except Bad as error:
            return Signed(record, text, "", error.said)

    def _check_claims(
        self,
        signed: List[Signed],
        quarantines: List[Tuple[Record, Optional[Quarantine]]],
        lines: Dict[int, Tuple[str, str]],
    ) -> None:
        """(11) Whose the records are: writers, claims and what two persons said, in their order."""
        self.judged = {record.seq: record for record in [*self.always, *self.imported]}
        self.anybodys = {
            record.seq
            for record in self.always
            if record.kind in ANYBODYS or (record.kind == "ledger.created" and record.seq > 1)
        }
        self.anybodys |= {
            record.seq for record, _, _, kept in list(self._erasures()) if kept and kept[0][0] < record.seq
        }
        held_up_to = 0
        waiting = deque(quarantines)
        for each in signed:
            while waiting and waiting[0][0].seq < each.record.seq:
                self._take_quarantine(*waiting.popleft(), lines)
            if each.record.body not in self.good:
                continue
            if each.record.kind == "claim":
                held_up_to = self._take_claim(each, lines, held_up_to)
            elif (why := self._take_writer(each)) is not None:
                self.faulted.add(each.record.seq)
                self.excusable(each.record.seq, "the writer in record {seq} counts for nothing: {why}", why=why)
        for record, quarantine in waiting:
            self._take_quarantine(record, quarantine, lines)

    def _read_quarantine(self, record: Record) -> Tuple[Record, Optional[Quarantine]]:
        """Read a quarantine or a mended clock; where its details are not here, (3) names them."""
        mends = record.kind == "ledger.clock-mended"
        namespace = "portalops-clock" if mends else "portalops-quarantine"
        held = part(self.body(record.body), "mended_clock" if mends else "quarantine")
        text = held.get("text")
        found = QUARANTINE.fullmatch(text) if isinstance(text, str) else None
        if found is None or not isinstance(text, str) or not is_key(found.group(8)):
            return record, None
        ledger, first, last, digest, since, by, second, public, reason = found.groups()
        if int(last) < int(first) or (not mends and int(last) >= int(first) + MAX_ASIDE):
            return record, None
        if not text.startswith(namespace + " ") or (since is not None) != mends or (mends and not is_moment(since)):
            return record, None
        signers, why = ["", ""], None
        for place, name in enumerate(("signature", "second_signature")):
            signature = held.get(name)
            try:
                if not isinstance(signature, str):
                    raise Bad("a signature is missing")
                signers[place] = signer_of(signature, namespace, of_bytes(text.encode("utf-8")))
            except Bad as error:
                why = why or error.said
        both = signers[0], signers[1]
        made = Quarantine(record, ledger, int(first), int(last), digest, since, by, second, public, reason, both, why)
        return record, made

    def _take_quarantine(
        self, record: Record, quarantine: Optional[Quarantine], lines: Dict[int, Tuple[str, str]]
    ) -> None:
        """(12) Which records two persons set aside, and (13) whose time they say is wrong."""
        if record.body not in self.good:
            return
        why = self._why_no_quarantine(quarantine, lines, self.losable)
        if quarantine is not None and why is None:
            self.speaking.add(record.seq)
            named = range(quarantine.first, quarantine.last + 1)
            if quarantine.since is None:
                if self.doubtful and self._why_no_quarantine(quarantine, lines, self.losable - self.doubtful):
                    self.unproven.add(record.seq)
                self.quarantines.append(quarantine)
                self.aside.update(named)
                self.unclaimable = sorted(self.aside)
            else:
                self.mended.append(quarantine)
                self.mistimed.update(named)
            return
        self.void_by_two.add(record.seq)
        if record.kind == "ledger.clock-mended":
            self.excusable(record.seq, "the mended clock in record {seq} counts for nothing: {why}", why=why)
        else:
            self.excusable(record.seq, "the quarantine in record {seq} counts for nothing: {why}", why=why)

    def _settle(self) -> None:
        """(12) Name what waited for the quarantines, but for what is wrong with records that are set aside."""
        counted = {each.record.seq for each in self.quarantines}  # they may be before their time
        for seq in self.malformed:
            if seq not in self.aside:
                self.fault(seq, "record {seq} does not have the format that portalops writes")
        for seq, place, en, values in self.open:
            if seq not in self.aside:
                self.fault(place, en, **values)
        healed = {seq for each in self.mended for seq in range(each.first, each.last + 1)}
        for seq, at in self.back:
            if seq not in self.aside and seq not in counted and seq not in healed:
                self.fault(seq, "record {seq} has the time {at}, earlier than the record before it", at=at)

    def _check_times(self) -> None:
        """(13) Find what is before its time, once it is known what counts."""
        counted = {each.record.seq for each in self.mended}
        if self.is_early:
            self.back = [(place, at) for place, at, before, _ in self._timed() if at < before]
        void = [
            record.seq for record in self.always if record.kind == "ledger.clock-mended" and record.seq not in counted
        ]
        if void:
            self.mistimed.update(seq for seq, _ in self.back if seq > void[0])

    def _timed(self) -> Iterator[Tuple[int, str, str, str]]:
        """Yield number and time of each record, and the time in force before it and behind it.

        A mended clock that counts begins time anew. What is set aside sets no time, nor does a quarantine or any other mended clock.
        """
        counted = {each.record.seq for each in self.mended}
        latest = ""
        with self.place.open("ledger.jsonl") as file:
            for place, (line, _) in enumerate(bounded_lines(file, MAX_LINE), 1):
                record = parse_record(line)
                if record is None:
                    continue
                before = "" if place in counted else latest
                timeless = place in self.aside or record.kind in BY_TWO
                if place in counted or (record.seq == place and not timeless and record.at >= latest):
                    latest = record.at
                yield place, record.at, before, latest

    def _time_before(self, seq: int) -> str:
        """Return the time in force at a line; empty if there is no such line."""
        found = ""
        for place, _, _, latest in self._timed():
            if place > seq:
                break
            found = latest
        return found

    def _pass_over_mistimed(self) -> None:
        """(13) Count runs and figures anew, without what records of a wrong time say of it."""
        if not self.mistimed:
            return
        self.runs, self.figures = Runs(), Figures(self.bundle, self.figures.held)
        with self.place.open("ledger.jsonl") as file:
            for place, (line, _) in enumerate(bounded_lines(file, MAX_LINE), 1):
                record = parse_record(line)
                if record is not None:
                    record = record._replace(seq=place)
                    is_timed = place not in self.mistimed
                    self.runs.take(record, is_timed=is_timed)
                    self.figures.take(record, is_timed=is_timed)

    def _why_no_quarantine(
        self, each: Optional[Quarantine], lines: Dict[int, Tuple[str, str]], losable: Set[int]
    ) -> Optional[Said]:
        if each is None:
            return say("it names no records")
        if each.why_not is not None:
            return each.why_not
        if self.ledger not in (None, each.ledger):
            return say("it belongs to another ledger")
        own, second = each.signers
        flaw = self._flaw_of_key(own, each.record)
        if flaw is not None:
            return flaw
        if second != each.public:
            return say("it is signed by a different key than it names")
        seq = each.record.seq  # who becomes one later undoes nothing
        ours = {
            key.public
            for key in self.keys
            if (key.known and key.added.seq < seq) or (key.vouched is not None and key.vouched < seq)
        }
        if second in ours or any(one.public == second and one.added < seq for one in self.writers):
            return say("the second key is the ledger's own, or a machine's")
        if each.last >= each.record.seq:
            return say("it names records that did not exist")
        if lines.get(each.last, ("", ""))[0] != each.digest:
            return say("record {last} is another one than it names", last=each.last)
        if each.since is not None:
            return self._why_not_mended(each, each.since, lines)
        begin = self.writers[0].added if self.writers else None
        for seq in range(each.first, each.last + 1):
            if not lines.get(seq, ("", ""))[1] or seq in self.anybodys:
                continue
            is_void, is_sound = self._standing_of(seq)
            may = is_void or (begin is not None and seq > begin and self._is_nobodys(seq, each.record.seq))
            if seq in self.contradicting:
                may = any(
                    one.public == self.contradicting[seq] and one.ended is not None and one.ended < each.record.seq
                    for one in self.writers
                )
            elif begin is not None and seq > begin and seq in losable and not may:
                owner = self.owner(seq)
                may = owner is not None and owner.ended is not None and owner.ended < each.record.seq
            if is_sound or not may:
                return say("record {record} is whole, and no stranger's", record=seq)
        return None

    def _is_nobodys(self, seq: int, limit: int) -> bool:
        """Say whether no claim before another record stands for a record: none holds it, or one of a writer that may not record it."""
        if not self._is_claimed_before(seq, limit):
            return True
        record, owner = self.judged.get(seq), self.owner(seq)
        return record is not None and record.kind in BY_AUTHORITY and owner is not None and owner.authority != "all"

    def _standing_of(self, seq: int) -> Tuple[bool, bool]:
        """Say whether a record counts for nothing by itself, and whether a confirmed key stands for it."""
        if seq in self.void_by_two or seq in self.faulted:
            return True, False
        is_sound = seq in self.authentic or any(key.added.seq == seq and key.is_confirmed() for key in self.keys)
        record = self.judged.get(seq)
        if record is None or record.body not in self.good:
            return False, is_sound
        if record.kind == "sign-off":
            return self._flaw_of_sign_off(record) is not None, is_sound
        if record.kind == "drill.imported":
            return self._signer_of_drill(record)[1] is not None, is_sound
        return record.kind in ("head", "key.added", "key.retired") and not is_sound, is_sound

    def _why_not_mended(self, each: Quarantine, since: str, lines: Dict[int, Tuple[str, str]]) -> Optional[Said]:
        if each.last != each.record.seq - 1:
            return say("it does not end with the record before it")
        right = each.first - 1
        for earlier in reversed(self.mended):
            if each.first <= earlier.last:
                return say("record {record} names the same records", record=earlier.record.seq)
            if earlier.first <= right <= earlier.last:
                right = earlier.first - 1
        right_at = self._time_before(right)
        if not right_at or not right_at <= since <= each.record.at:
            return say("{since} does not lie between record {record} and it", since=since, record=right)
        if lines.get(each.first, ("", ""))[1] <= since:
            return say("record {record} is not ahead of {since}", record=each.first, since=since)
        return None

    def _check_owners(self) -> None:
        """(11) What a writer may not record, and what nobody claimed in time."""
        if not self.writers:
            return
        for record in self.always:
            if record.seq in self.aside:
                continue
            if record.kind not in BY_AUTHORITY or record.seq <= self.writers[0].added:
                continue
            owner = self.owner(record.seq)
            if owner is None and record.kind == "blob.erased":  # what is gone is gone: it has no hour
                self.unheeded.append((record.seq, record.seq))
            elif owner is not None and owner.authority != "all":
                self.unheeded.append((record.seq, record.seq))
                self.fault(record.seq, "record {seq}: {name} may not record {kind}", name=owner.name, kind=record.kind)
        self._check_unclaimed()

    def _take_writer(self, each: Signed) -> Optional[Said]:
        """Take a writer record; return why it counts for nothing."""
        found = WRITER.fullmatch(each.text)
        if found is None or not is_key(found.group(3)) or each.record.kind != "writer." + found.group(2):
            return say("it names no writer")
        ledger, state, public, name, authority = found.groups()
        if each.why_not is not None:
            return each.why_not
        if self.ledger not in (None, ledger):
            return say("it belongs to another ledger")
        flaw = self._flaw_of_key(each.signer, each.record)
        if flaw is not None:
            return flaw
        if state == "added" and any(
            one.name == name and one.ended is None and one.public != public for one in self.writers
        ):
            return say("another writer is called {name}", name=name)
        known = next((place for place, writer in enumerate(self.writers) if writer.public == public), None)
        if state == "added" and known is None:
            self.speaking.add(each.record.seq)
            self.writers.append(Writer(public, name, authority, each.record.seq, None))
        elif state == "ended" and known is not None and self.writers[known].ended is None:
            self.speaking.add(each.record.seq)
            self.writers[known] = self.writers[known]._replace(ended=each.record.seq)
        else:
            self.faulted.add(each.record.seq)  # no fault, as it changes nothing: it may be another record's text again
        return None

    def _flaw_of_key(self, public: str, record: Record) -> Optional[Said]:
        """Return why a key may not name writers, or set aside, in a record: whoever may append can add keys too."""
        key = next((each for each in self.keys if each.public == public), None)
        if key is None or not key.signs(record.seq, record.at):
            return say("it is not signed by a key of the ledger")
        if not key.known and (key.vouched is None or key.vouched >= record.seq):
            return say("it is signed by key {key}, which nobody confirmed", key=fingerprint(public))
        return None

    def confirmed_keys(self) -> Set[str]:
        return {key.public for key in self.keys if key.is_confirmed()}

    def _take_claim(self, each: Signed, lines: Dict[int, Tuple[str, str]], held_up_to: int) -> int:
        """Take a claim; return the last record whose line a writer's claim bears out."""
        seq = each.record.seq
        claim = parse_claim(each.text)
        writer = next((one for one in self.writers if one.public == each.signer), None)
        why: Optional[Said] = None
        if claim is None:
            why = say("it names no records")
        elif each.why_not is not None:
            why = each.why_not
        elif self.ledger not in (None, claim[0]):
            why = say("it belongs to another ledger")
        elif writer is None or not writer.added < seq or (writer.ended is not None and writer.ended < seq):
            why = say("key {key} is not enrolled", key=fingerprint(each.signer))
        elif claim[1][-1][1] >= seq:
            why = say("it names records that did not exist")
        if why is None and claim is not None:
            for _first, last, digest in claim[1]:
                if lines.get(last, ("", ""))[0] == digest:
                    continue
                self.contradicting[seq] = each.signer
                if self._is_own(last, each.signer):
                    # What an enrolled writer says of the lines of its own records is evidence.
                    self.excusable(
                        seq,
                        "record {last} is not the record that the claim in record {claim} signed: records from {seq} on were rewritten",
                        at=min(held_up_to + 1, last),
                        last=last,
                        claim=seq,
                    )
                else:
                    why = say("record {last} is another one than it names", last=last)
                    self.excusable(seq, "the claim in record {seq} counts for nothing: {why}", why=why)
                return held_up_to
            held_up_to = max(held_up_to, claim[1][-1][1])
            named = [(first, last) for first, last, _ in claim[1]]
            free = [each for first, last in named for each in self._free_of(first, last)]
            left = [each for first, last in free for each in self._not_aside(first, last)]
            for first, last in left:
                insort(self.claimed, (first, last, each.signer))
                self.claimed_in[first] = seq
            if not left:
                why = say("its records were claimed or set aside before")
            else:
                self.speaking.add(seq)
                if left != named:
                    self.faulted.add(seq)
                    self.excusable(
                        seq,
                        "of the records that the claim in record {seq} names, some were claimed or set aside before",
                    )
        if why is not None:
            self.faulted.add(seq)
            self.excusable(seq, "the claim in record {seq} counts for nothing: {why}", why=why)
        return held_up_to

    def _is_own(self, seq: int, public: str) -> bool:
        """Say whether a writer may speak of a record: no other one claims it, and none but the first was there before its enrolment."""
        owner = self.owner(seq)
        is_behind = any(place == 0 or one.added < seq for place, one in enumerate(self.writers) if one.public == public)
        return (owner is None or owner.public == public) and is_behind

    def _free_of(self, first: int, last: int) -> List[Tuple[int, int]]:
        """Return the parts of a range that no earlier claim has."""
        found = []
        place = max(bisect(self.claimed, (first + 1,)) - 1, 0)
        while place < len(self.claimed) and self.claimed[place][0] <= last:
            taken_first, taken_last, _ = self.claimed[place]
            if first < taken_first:
                found.append((first, taken_first - 1))
            first = max(first, taken_last + 1)
            place += 1
        return [*found, (first, last)] if first <= last else found

    def _not_aside(self, first: int, last: int) -> List[Tuple[int, int]]:
        """Return the parts of a range that two persons have not set aside before."""
        found = []
        for seq in self.unclaimable[bisect(self.unclaimable, first - 1) : bisect(self.unclaimable, last)]:
            if first < seq:
                found.append((first, seq - 1))
            first = seq + 1
        return [*found, (first, last)] if first <= last else found

    def _is_claimed_before(self, seq: int, limit: int) -> bool:
        """Say whether a claim holds a record that stands before another one."""
        place = bisect(self.claimed, (seq + 1,)) - 1
        return place >= 0 and self.claimed[place][1] >= seq and self.claimed_in[self.claimed[place][0]] < limit

    def owner(self, seq: int) -> Optional[Writer]:
        """Return who claims a record; None if nobody does."""
        place = bisect(self.claimed, (seq + 1,)) - 1
        if place < 0 or self.claimed[place][1] < seq:
            return None
        return next(writer for writer in self.writers if writer.public == self.claimed[place][2])

    def gaps(self) -> List[Tuple[int, int]]:
        """Return first and last of the records that nobody claims, without those at their ends that are signed themselves."""
        own = {record.seq for record in self.always if record.kind in SELF_SIGNED}
        found, after = [], self.writers[0].added
        for first, last, _ in [*self.claimed, (self.records + 1, self.records + 1, "")]:
            low, high = after + 1, min(first - 1, self.records)
            while low <= high and low in own:
                low += 1
            while low <= high and high in own:
                high -= 1
            if low <= high:
                found.append((low, high))
            after = max(after, last)
        return found

    def _check_unclaimed(self) -> None:
        gaps = self.gaps()
        limit = at_text(moment_of(self.last_at) - GRACE) if gaps and self.last_at else ""
        rows: List[List[int]] = []
        with self.place.open("ledger.jsonl") as file:
            for place, (line, _) in enumerate(bounded_lines(file, MAX_LINE) if limit else (), 1):
                while gaps and gaps[0][1] < place:
                    gaps.pop(0)
                record = parse_record(line) if gaps and gaps[0][0] <= place else None
                if record is None or record.kind in SELF_SIGNED or record.at >= limit or place in self.aside:
                    continue
                if rows and rows[-1][1] == place - 1:
                    rows[-1][1] = place
                else:
                    rows.append([place, place])
        self.unclaimed = [(first, last) for first, last in rows]
        self.unheeded += self.unclaimed

    def counts(self, record: Record) -> bool:
        """Say whether a plan or an erasure counts, since (11) does not name it and (12) does not set it aside."""
        return record.seq not in self.aside and not any(first <= record.seq <= last for first, last in self.unheeded)

    def owners(self) -> List[Tuple[int, int, Writer]]:
        """Return the claimed records as few ranges: what lies between two of one writer is signed by itself."""
        own = self.speaking
        found: List[Tuple[int, int, str]] = []
        for first, last, public in self.claimed:
            if found and found[-1][2] == public and all(seq in own for seq in range(found[-1][1] + 1, first)):
                found[-1] = found[-1][0], last, public
            else:
                found.append((first, last, public))
        named = {writer.public: writer for writer in self.writers}
        return [(first, last, named[public]) for first, last, public in found]

    def key_at(self, public: str, seq: int, at: str) -> Optional[Key]:
        return key_at(self.keys, public, seq, at)

    def _read_head(self, record: Record) -> Tuple[Optional[Head], str, str]:
        """Return the head of a head record, its text and its signature; None without one, named if its body is there."""
        held = part(self.body(record.body), "head")
        text, signature = held.get("text"), held.get("signature")
        head = parse_head(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else None
        if head is None or not isinstance(text, str) or not isinstance(signature, str):
            if record.body in self.good:
                self.open.append((record.seq, record.seq, "record {seq} is of kind head but holds no head", {}))
            return None, "", ""
        return head, text, signature

    @staticmethod
    def _signer_of_head(head: Optional[Head], text: str, signature: str) -> Tuple[str, Optional[Said]]:
        """Return who signed a head, or why that is nobody."""
        try:
            return (signer_of(signature, "portalops-head", of_bytes(text.encode())) if head else ""), None
        except Bad as error:
            return "", error.said

    def _lines_at(self, wanted: Set[int]) -> Dict[int, Tuple[str, str]]:
        """Return the digests and times of the lines that heads and claims speak of."""
        noted: Dict[int, Tuple[str, str]] = {}
        with self.place.open("ledger.jsonl") as file:
            for place, (line, _) in enumerate(bounded_lines(file, MAX_LINE), 1):
                if place in wanted:
                    record = parse_record(line)
                    noted[place] = hashlib.sha256(line).hexdigest(), record.at if record else ""
        return noted

    def _find_losable(self) -> None:
        """(12) Find out which of the records that quarantines name may lack details, and of which this shows that they do; what is here belongs here.

        Details can come back later: the word of the two persons stands, but whether they were missing then is unknown.
        """
        first = self.bundle["blobs"]["first"] if self.bundle else self.records + 1
        with self.place.open("ledger.jsonl") as file:
            for place, (line, _) in enumerate(bounded_lines(file, MAX_LINE) if self.suspects else (), 1):
                record = parse_record(line) if place in self.suspects else None
                if record is None or record.kind in PLANNING:
                    continue
                needed = {record.body, *evidence_in(self.body(record.body))}
                self.named |= needed & self.good
                absent = needed - self.good
                self.losable.add(place)
                if not absent or not (record.kind in ALWAYS or place >= first) or absent & set(self.withheld):
                    self.doubtful.add(place)

    def _check_details(self) -> None:
        """(3) Read the lines again, now that it is known which details were erased."""
        first = self.bundle["blobs"]["first"] if self.bundle else self.records + 1
        always = {record.seq for record in self.always}
        with self.place.open("ledger.jsonl") as file:
            for place, (line, _) in enumerate(bounded_lines(file, MAX_LINE), 1):
                if place in always or place >= first:
                    record = parse_record(line)
                    if record is not None:
                        self._check_body(place, record)
        for path in self.paths:
            if path.startswith("blobs/") and path[6:] not in self.named:
                self.fault(0, "{path} does not belong to this bundle", path=path)
        for path in self.listed_only:
            if not path.startswith("blobs/") or path[6:] not in self.named:
                self.fault(0, "{path} is missing", path=path)

    def _check_body(self, place: int, record: Record) -> None:
        self._check_blob(place, record.body, record.kind if self.protects(place, record.kind) else "")
        if record.body in self.good and record.body not in self.searched and record.body not in self.excused:
            self.searched.add(record.body)
            for digest in sorted(evidence_in(self.body(record.body))):
                self._check_blob(place, digest, "")

    def _check_blob(self, place: int, digest: str, kind: str) -> None:
        """Name a blob that is not as it was, once: with the first record that it comes up for; `kind` of one that protects it."""
        is_new = digest not in self.named
        self.named.add(digest)
        if digest in self.good or digest in self.blamed:
            return
        there = self.place.holds("blobs/" + digest)
        withheld, erased = digest in self.withheld, digest in self.erased
        is_excused = (withheld and kind not in KEPT) or (erased and not kind)
        if withheld and not is_excused:
            what = "record {seq}: its details may not be withheld: {digest}"
        elif (is_excused and not there) or (not is_new and not erased):
            return
        elif there:
            what = "record {seq}: blob {digest} does not match its digest"
        else:
            what = "record {seq}: blob {digest} is missing"
        self.blamed.add(digest)
        if withheld and not is_excused:
            self.fault(place, what, digest=digest)
        else:
            self.excusable(place, what, digest=digest)

    def _check_heads(
        self, read: List[Any], signers: List[Tuple[str, Optional[Said]]], lines: Dict[int, Tuple[str, str]]
    ) -> None:
        held_up_to, before, size_before, known = 0, GENESIS, 0, True
        self.copies = copies_among(read, [signer for signer, _ in signers])
        by_two = {record.seq for record in self.always if record.kind in BY_TWO}
        for (record, head, text, _), (signer, why_not) in zip(read, signers):
            if record.seq in self.copies:
                what = "the head in record {seq} is a copy of the one in record {first}"
                self.excusable(record.seq, what, first=self.copies[record.seq])
                continue
            if head is None:
                known, size_before = False, 0  # what the next one should follow is not known either
                continue
            if why_not is not None:  # nobody signed it, so what it says besides is nobody's word
                why = say("its signature is not valid: {why}", why=why_not)
                self.excusable(record.seq, "the head in record {seq}: {why}", why=why)
                continue
            wrong: List[Said] = []
            if signer and signer in {key.public for key in self.keys} - self.confirmed_keys():
                wrong.append(say("it is signed by key {key}, which nobody confirmed", key=fingerprint(signer)))
            elif signer and self.key_at(signer, record.seq, head.at) is None:
                wrong.append(say("it is signed by a key that was not valid in the ledger at that time"))
            own = self.ledger in (None, head.ledger)
            if not own:
                wrong.append(say("it belongs to another ledger"))
            authentic = signer and self.key_at(signer, record.seq, head.at) and own
            fits = bool(signer)
            if authentic and lines.get(head.size, ("", ""))[0] != head.digest:
                # The ledger's key made it, so what it says of the records is evidence.
                self.fault(
                    held_up_to + 1,
                    "record {size} is not the record that the head in record {head} signed: records from {seq} on were rewritten",
                    size=head.size,
                    head=record.seq,
                )
                fits = False
            if known and head.previous != before:
                wrong.append(say("it does not follow the previous head"))
            if not size_before < head.size < record.seq:
                wrong.append(say("its size does not lie between the previous head's and its own record number"))
            since = "" if head.size in by_two else lines.get(head.size, ("", ""))[1]  # the time of these may be any
            if head.size < record.seq and not since <= head.at <= record.at:
                wrong.append(say("its time does not lie between the times of the records around it"))
            for why in wrong:
                self.excusable(record.seq, "the head in record {seq}: {why}", why=why)
            if fits and not wrong:
                held_up_to = head.size
                self.heads.append((record, head, signer, text))
                self.speaking.add(record.seq)
            if authentic:
                self.authentic.add(record.seq)
                # What somebody else recorded as a head is none that the next one follows.
                before, size_before, known = hashlib.sha256(text.encode()).hexdigest(), head.size, True
        # What somebody else recorded as a head is none; one whose details are not here is named elsewhere.
        ours = [
            (head, signer)
            for (record, head, _, _), (signer, _) in zip(read, signers)
            if record.seq in self.authentic or record.body not in self.good
        ]
        newest, signer = ours[-1] if ours else (None, "")
        self.newest_signer = (signer, newest.at) if newest else ("", "")
        if not ours:
            self.fault(1, "the bundle is not signed: it has no head")
        elif newest is not None:  # (5) only head records stand behind what the newest head is over
            heads = {record.seq for record, _, _, _ in read}
            behind = next((seq for seq in range(newest.size + 1, self.records + 1) if seq not in heads), None)
            if behind is not None:
                self.fault(behind, "record {seq} and all later records are not covered by a head")

    def _check_heads_folder(self, read: List[Any], signers: List[str]) -> None:
        ours: Set[str] = set()
        for each, signer in zip(read, signers):
            record, head, _, _ = each
            if head is None or record.seq in self.copies:
                continue
            name = "%010d" % head.size
            own = signer and self.ledger in (None, head.ledger) and key_at(self.listed, signer, record.seq, head.at)
            if own or name not in ours:  # a stranger's of the same size is in no file
                self.published[name] = each
            if own:
                ours.add(name)
        expected: Dict[str, Tuple[int, bytes]] = {}
        for name, (record, _, text, signature) in self.published.items():
            expected["heads/%s.txt" % name] = record.seq, text.encode()
            expected["heads/%s.sig" % name] = record.seq, signature.encode("utf-8", "surrogatepass")
        for path in self.paths:
            if path.endswith((".txt", ".sig")) and path.startswith("heads/") and path not in expected:
                self.fault(0, "{path} belongs to no head in the records", path=path)
        for path, (seq, data) in expected.items():
            if read_small(self.place, path) != data:
                self.fault(0, "{path} is not the head in record {of}", path=path, of=seq)

    def _check_replaced(self) -> None:
        """A key that names the one before it needs that one's word: a head by it over the record that adds the key."""
        for key in self.keys:
            own = [record.seq for record, _, signer, _ in self.heads if signer == key.public]
            vouched = any(
                signer == key.replaces and head.size >= key.added.seq and (not own or record.seq < own[0])
                for record, head, signer, _ in self.heads
            )
            if key.replaces and own and not (vouched and key.vouched is not None):
                self.fault(key.added.seq, "record {seq}: the key names a previous key that did not sign for it")

    def _check_allowed_signers(self) -> None:
        lines = []
        for key in self.listed:
            begin = listed_from(key.begin())
            options = 'namespaces="portalops-head,portalops-bundle,portalops-set",valid-after="%s"' % stamp(begin)
            options += ',valid-before="%s"' % stamp(listed_to(begin, key.retired.at)) if key.retired else ""
            lines.append("%s %s %s\n" % (self.ledger or "", options, key.public))
        seen = set()
        for record in self.always:
            held = sign_off_in(self.body(record.body)) if record.kind == "sign-off" else None
            if held and held["public_key"] not in seen:
                seen.add(held["public_key"])
                if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}", held["signer"]):
                    lines.append('%s namespaces="portalops-signoff" %s\n' % (held["signer"], held["public_key"]))
        if read_small(self.place, "allowed_signers", MAX_BODY) != "".join(lines).encode("utf-8", "surrogatepass"):
            self.fault(0, "allowed_signers contradicts the records")

    def _check_sums_signature(self) -> None:  # the rest of (1)
        signature = read_small(self.place, "SHA256SUMS.sig", MAX_LINE)
        try:
            if signature is None or not signature.isascii():
                raise Bad("it is missing")
            text = signature.decode("ascii")
            signer = signer_of(text, "portalops-bundle", lambda name: digests_of(self.place, "SHA256SUMS", name)[0])
            if not text.startswith(BEGIN) or not text.endswith(END + "\n") or "\r" in text:
                raise Bad("not in the format of ssh-keygen")
            if self.key_at(signer, self.records, self.last_at) is None:
                raise Bad("signed by a key that was not valid in the ledger")
        except Bad as error:
            self.fault(0, "the signature of SHA256SUMS is not valid: {cause}", cause=error.said)

    def _check_time_stamps(self, lines: Dict[int, Tuple[str, str]]) -> None:
        counted = {each.record.seq for each in [*self.quarantines, *self.mended]}
        for path in self.paths:
            if not path.endswith(".tsr"):
                continue
            name = path[6:].split(".")[0]
            if name not in self.published:
                self.fault(0, "{path} is for no head in the records", path=path)
                continue
            record, head, text, _ = self.published[name]
            try:
                imprint, moment = time_stamp(read_small(self.place, path) or b"")
            except Bad as error:
                self.fault(0, "{path} is not a valid time stamp: {cause}", path=path, cause=error.said)
                continue
            self.anchored.append((path, head.size, at_text(moment)))
            if imprint != hashlib.sha256(text.encode()).digest():
                self.fault(0, "{path} is a time stamp of something else", path=path)
            if at_text(moment + CLOCKS_APART) < head.at and record.seq not in self.mistimed:
                self.fault(0, "{path} is older than its head", path=path)
            behind = lines.get(record.seq + 1, ("", ""))[1]
            is_excused = record.seq + 1 in self.aside or record.seq + 1 in counted
            if behind and moment_of(behind) < moment - CLOCKS_APART and not is_excused:
                self.fault(
                    record.seq + 1,
                    "record {seq} claims a time before {path}, which is older than the record",
                    path=path,
                )

    def _check_brought(self, lines: Dict[int, Tuple[str, str]]) -> None:
        fits = {each: lines.get(each.size, ("", ""))[0].startswith(each.digest) for each in self.brought}
        for each in self.brought:
            if each.ledger and self.ledger not in (None, each.ledger):
                fits[each] = False
                self.fault(1, "the head {name} belongs to another ledger, {ledger}", name=each.name, ledger=each.ledger)
            elif each.size > self.records:
                fits[each] = False
                self.fault(
                    self.records + 1,
                    "the head {name} covers {size} records, but the ledger has fewer: its end was cut off",
                    name=each.name,
                    size=each.size,
                )
            elif not fits[each]:
                largest = max(
                    (other.size for other in self.brought if fits[other] and other.size < each.size), default=0
                )
                self.fault(
                    largest + 1,
                    "record {size} is not the record that the head {name} signed: records from {seq} on were rewritten later",
                    size=each.size,
                    name=each.name,
                )
            self.found_brought.append((each, fits[each]))
        covered, joined = self._hand_on()
        newest, at = self.newest_signer
        if self.trusted is not None and newest not in joined and not self._is_trusted(newest, at):
            self.fault(
                covered + 1,
                "records from {seq} on are not covered by a head of the keys that you gave",
            )

    def _hand_on(self) -> Tuple[int, Set[str]]:
        """Return up to which record the brought keys speak, and the keys that they handed on to, by heads over them.

        A key that was brought with an end hands on to none: who came after it was known when the end was written down.
        """
        lasting = {each.public for each in self.trusted or () if not each.valid_to}
        joined: Set[str] = set()
        covered = 0
        for _record, head, signer, _text in self.heads:
            if signer in joined or self._is_trusted(signer, head.at):
                covered = head.size
                if signer in joined or signer in lasting:
                    joined |= {key.public for key in self.keys if key.replaces == signer and key.added.seq <= head.size}
        return covered, joined

    def _is_trusted(self, signer: str, at: str) -> bool:
        return any(
            each.public == signer and each.valid_from <= stamp(at) and (not each.valid_to or stamp(at) <= each.valid_to)
            for each in self.trusted or ()
        )

    def _check_sign_off(self, record: Record) -> None:
        cause = self._flaw_of_sign_off(record)
        held = sign_off_in(self.body(record.body))
        if cause is None and held is not None:
            self.sign_offs.append(held)
        elif record.seq not in self.aside:
            self.fault(record.seq, "the sign-off in record {seq} is not valid: {cause}", cause=cause)

    def _flaw_of_sign_off(self, record: Record) -> Optional[Said]:
        held = sign_off_in(self.body(record.body))
        try:
            if held is None:
                raise Bad("it is none")
            if not HEX64.fullmatch(held["sha256"]) or held["text"] != held["sha256"] + "  " + held["report"] + "\n":
                raise Bad("what was signed is not the line of sha256sum for its report")
            message = held["text"].encode("utf-8", "surrogatepass")
            if signer_of(held["signature"], "portalops-signoff", of_bytes(message)) != held["public_key"]:
                raise Bad("it is signed by a different key than it names")
        except Bad as error:
            return error.said
        return None

    def _check_drill(self, record: Record) -> None:
        signer, cause = self._signer_of_drill(record)
        if cause is None:
            self.drills.append((record.seq, signer))
        elif record.seq not in self.aside:
            self.fault(record.seq, "the drill report in record {seq} is not valid: {cause}", cause=cause)

    def _signer_of_drill(self, record: Record) -> Tuple[str, Optional[Said]]:
        held = part(self.body(record.body), "drill_report")
        text, signature = held.get("text"), held.get("signature")
        try:
            if not isinstance(text, str) or not isinstance(signature, str):
                raise Bad("it is none")
            signer = signer_of(signature, "portalops-drill", of_bytes(text.encode("utf-8", "surrogatepass")))
            if signer in self.confirmed_keys():
                raise Bad("it is signed by a key of this ledger, so it is not from another host")
        except Bad as error:
            return "", error.said
        return signer, None

    def _read_erasures(self) -> None:
        for record, digest, reason, kept in self._erasures():
            if not self.counts(record):
                continue
            protecting = next((seq for seq, kind in kept if seq < record.seq and self.protects(seq, kind)), 0)
            if protecting:
                what = "the erasure in record {seq} counts for nothing: it names the details of record {record}, which are never erased"
                self.fault(record.seq, what, record=protecting)
            else:
                self.erased[digest] = reason
        self.excused = set(self.erased) | set(self.withheld)

    def protects(self, seq: int, kind: str) -> bool:
        """Say whether a record's details are never erased or withheld: it is of such a kind and counts. One that nobody claims does not: a stranger can record it."""
        if kind not in NEVER_ERASED or seq in self.aside:
            return False
        # What holds nothing of these kinds is a fault until it is set aside.
        is_of_itself = kind in SELF_SIGNED or kind in ("key.added", "key.retired")
        if is_of_itself or not self.writers or seq <= self.writers[0].added:
            return True
        owner = self.owner(seq)
        return owner is not None and (kind not in BY_AUTHORITY or owner.authority == "all")

    def _erasures(self) -> Iterator[Tuple[Record, str, str, List[Tuple[int, str]]]]:
        """Yield each erasure, what it names, why, and the records before and behind it, by number and kind, that may protect these details."""
        kept: Dict[str, List[Tuple[int, str]]] = {}
        for record in self.always:
            held = part(self.body(record.body), "erased") if record.kind == "blob.erased" else {}
            digest, reason, approved_by = [held.get(name) for name in ("digest", "reason", "approved_by")]
            if isinstance(digest, str) and isinstance(reason, str) and isinstance(approved_by, str):
                yield record, digest, reason, kept.setdefault(digest, [])
            if record.kind in NEVER_ERASED:
                kept.setdefault(record.body, []).append((record.seq, record.kind))

    # -- (10) the figures of the report

    def _read_figures(self) -> Optional[Dict[str, Any]]:
        data = read_small(self.place, "figures.json") or b""
        try:
            held = read_json(data)
        except ValueError:
            return None
        return held if isinstance(held, dict) and written(held) == data else None

    def _check_figures(self) -> None:
        wrong = self.figures.differing(self)
        for name in wrong:
            self.fault(0, "figures.json: {name} does not equal what is computed from the records", name=name)


SIGN_OFF = ("report", "sha256", "signer", "name", "office", "public_key", "text", "signature")


def sign_off_in(body: object) -> Optional[Dict[str, str]]:
    held = part(body, "sign_off")
    return held if all(isinstance(held.get(name), str) for name in SIGN_OFF) else None


def copies_among(read: List[Any], signers: List[str]) -> Dict[int, int]:
    """Return which heads say word for word what one before them says, by the same key, each with that one's record."""
    first: Dict[Tuple[str, str], int] = {}
    copies: Dict[int, int] = {}
    for (record, _, text, _), signer in zip(read, signers):
        if signer and first.setdefault((text, signer), record.seq) != record.seq:
            copies[record.seq] = first[text, signer]
    return copies


def is_bundle(held: Dict[str, Any]) -> bool:
    """Say whether bundle.json has the keys that it must have, each with a value of the right form."""
    period, portal, blobs, withheld = (
        part(held, "period"),
        part(held, "portal"),
        part(held, "blobs"),
        held.get("withheld"),
    )
    keys = ["blobs", "format", "head", "ledger", "period", "portal", "portalops", "records", "timezone", "withheld"]
    texts = [
        held.get("ledger"),
        held.get("head"),
        held.get("timezone"),
        held.get("portalops"),
        *portal.values(),
        *period.values(),
    ]
    if not all(isinstance(text, str) for text in texts) or not isinstance(withheld, list) or sorted(held) != keys:
        return False
    items = [(each.get("digest"), each.get("reason"), len(each)) for each in objects(withheld)]
    digests = [
        digest for digest, reason, size in items if isinstance(digest, str) and isinstance(reason, str) and size == 2
    ]
    return (
        held["format"] in (1, 2, 3, 4)
        and re.fullmatch(r"[0-9a-f]{32}", held["ledger"]) is not None
        and HEX64.fullmatch(held["head"]) is not None
        and sorted(portal) == ["en", "id", "vi"]
        and sorted(period) == ["first", "last"]
        and all(day_of(day) for day in period.values())
        and period["first"] <= period["last"]
        and sorted(blobs) == ["first", "last"]
        and all(type(number) is int for number in (held["format"], held["records"], *blobs.values()))
        and 1 <= blobs["first"] <= blobs["last"] == held["records"] < 10**18
        and len(digests) == len(withheld)
        and digests == sorted(set(digests))
        and all(HEX64.fullmatch(digest) for digest in digests)
    )


def day_of(value: object) -> Optional[date]:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and is_day(value):
        return date(int(value[:4]), int(value[5:7]), int(value[8:]))
    return None


def stamp(at: str) -> str:
    """Write a moment as allowed_signers has it, in whole seconds."""
    return re.sub(r"[-:T]", "", at[:19]) + "Z"


def listed_from(begin: str) -> str:
    """Return from when on a bundle's allowed_signers lists a key: ssh-keygen takes no time before the first second of 1970."""
    return max(begin, "1970-01-01T00:00:01.000Z")


def listed_to(begin: str, end: str) -> str:
    """Return until when it does: ssh-keygen takes no end that is not behind the beginning."""
    return max(end, at_text(moment_of(begin) + timedelta(seconds=1)))


def at_text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


# ------------------------------------------------------------------------------------------------- 9 completeness


class Unknown(ValueError):
    """It cannot be found out what was expected; holds why, in both languages."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


SlotKey = Tuple[str, ...]  # by what runs fill a slot: kind, duty (the kind where there is none), job, slot


class Runs:
    """What began and what ended, by the records that frame runs."""

    def __init__(self) -> None:
        self.open: Dict[Tuple[str, str], Record] = {}
        self.begun: Set[int] = set()  # hashes: a ledger of a million records has half a million of them
        self.without_beginning: List[int] = []
        self.starts: Dict[SlotKey, List[str]] = {}

    def take(self, record: Record, *, is_timed: bool = True) -> None:
        if record.kind.endswith(".started"):
            key = record.run, record.kind[:-8]
            self.open[key] = record
            self.begun.add(hash(key))
            if is_timed:
                add_start(self.starts, key, record.at)
        elif record.kind.endswith(".finished"):
            key = record.run, record.kind[:-9]
            if self.open.pop(key, None) is None and hash(key) not in self.begun:
                self.without_beginning.append(record.seq)


def add_start(starts: Dict[SlotKey, List[str]], run: Tuple[str, str], at: str) -> None:
    """Note when a run (id and kind) began under what its id names: DUTY:JOB:SLOT or DUTY:JOB:SLOT:SUFFIX."""
    parts = run[0].split(":")
    if 3 <= len(parts) <= 4 and all(parts):
        parts[-1] = re.sub(r"\.[1-9][0-9]*$", "", parts[-1])  # the number of a further attempt
        starts.setdefault(tuple(map(sys.intern, (run[1], *parts[:3]))), []).append(at)


class Plan(NamedTuple):
    at: datetime
    zone: str
    jobs: Tuple[Tuple[str, str, str, str], ...]  # id, kind, every, duty


EVERY = ("hour", "day", "week", "month")
KINDS = ("backup", "copy", "verify", "drill", "prune", "inventory", "check", "updates", "report", "anchor")


def read_plan(record: Record, body: object, zone: str) -> Plan:
    plan = part(body, "plan")
    named, jobs = plan.get("timezone", ""), plan.get("jobs")
    texts = [plan.get("rulebook"), plan.get("configuration"), named]
    texts += [job.get(name, "") for job in objects(jobs) for name in ("at", "on")]
    found = [(job.get("id"), job.get("kind"), job.get("every"), job.get("duty", "")) for job in objects(jobs)]
    if (
        not isinstance(jobs, list)
        or len(found) != len(jobs)
        or not all(isinstance(text, str) for job in [texts, *found] for text in job)
        or not all(job[1] in KINDS and job[2] in EVERY for job in found)
    ):
        raise Unknown(
            say(
                "the plan in record {seq} is missing or cannot be read: the expected runs are not known", seq=record.seq
            )
        )
    return Plan(
        moment_of(record.at), str(named) or zone, tuple((str(a), str(b), str(c), str(d)) for a, b, c, d in found)
    )


# The names of IANA's list: what a machine or a browser knows besides is no zone, so that all verifiers know the same ones.
ZONE_NAMES = """
Africa/Abidjan Africa/Accra Africa/Addis_Ababa Africa/Algiers Africa/Asmara Africa/Asmera Africa/Bamako Africa/Bangui
Africa/Banjul Africa/Bissau Africa/Blantyre Africa/Brazzaville Africa/Bujumbura Africa/Cairo Africa/Casablanca
Africa/Ceuta Africa/Conakry Africa/Dakar Africa/Dar_es_Salaam Africa/Djibouti Africa/Douala Africa/El_Aaiun
Africa/Freetown Africa/Gaborone Africa/Harare Africa/Johannesburg Africa/Juba Africa/Kampala Africa/Khartoum
Africa/Kigali Africa/Kinshasa Africa/Lagos Africa/Libreville Africa/Lome Africa/Luanda Africa/Lubumbashi Africa/Lusaka
Africa/Malabo Africa/Maputo Africa/Maseru Africa/Mbabane Africa/Mogadishu Africa/Monrovia Africa/Nairobi Africa/Ndjamena
Africa/Niamey Africa/Nouakchott Africa/Ouagadougou Africa/Porto-Novo Africa/Sao_Tome Africa/Timbuktu Africa/Tripoli
Africa/Tunis Africa/Windhoek America/Adak America/Anchorage America/Anguilla America/Antigua America/Araguaina
America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/ComodRivadavia America/Argentina/Cordoba
America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos
America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman
America/Argentina/Ushuaia America/Aruba America/Asuncion America/Atikokan America/Atka America/Bahia
America/Bahia_Banderas America/Barbados America/Belem America/Belize America/Blanc-Sablon America/Boa_Vista
America/Bogota America/Boise America/Buenos_Aires America/Cambridge_Bay America/Campo_Grande America/Cancun
America/Caracas America/Catamarca America/Cayenne America/Cayman America/Chicago America/Chihuahua America/Ciudad_Juarez
America/Coral_Harbour America/Cordoba America/Costa_Rica America/Coyhaique America/Creston America/Cuiaba
America/Curacao America/Danmarkshavn America/Dawson America/Dawson_Creek America/Denver America/Detroit America/Dominica
America/Edmonton America/Eirunepe America/El_Salvador America/Ensenada America/Fort_Nelson America/Fort_Wayne
America/Fortaleza America/Glace_Bay America/Godthab America/Goose_Bay America/Grand_Turk America/Grenada
America/Guadeloupe America/Guatemala America/Guayaquil America/Guyana America/Halifax America/Havana America/Hermosillo
America/Indiana/Indianapolis America/Indiana/Knox America/Indiana/Marengo America/Indiana/Petersburg
America/Indiana/Tell_City America/Indiana/Vevay America/Indiana/Vincennes America/Indiana/Winamac America/Indianapolis
America/Inuvik America/Iqaluit America/Jamaica America/Jujuy America/Juneau America/Kentucky/Louisville
America/Kentucky/Monticello America/Knox_IN America/Kralendijk America/La_Paz America/Lima America/Los_Angeles
America/Louisville America/Lower_Princes America/Maceio America/Managua America/Manaus America/Marigot
America/Martinique America/Matamoros America/Mazatlan America/Mendoza America/Menominee America/Merida
America/Metlakatla America/Mexico_City America/Miquelon America/Moncton America/Monterrey America/Montevideo
America/Montreal America/Montserrat America/Nassau America/New_York America/Nipigon America/Nome America/Noronha
America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Nuuk America/Ojinaga
America/Panama America/Pangnirtung America/Paramaribo America/Phoenix America/Port-au-Prince America/Port_of_Spain
America/Porto_Acre America/Porto_Velho America/Puerto_Rico America/Punta_Arenas America/Rainy_River America/Rankin_Inlet
America/Recife America/Regina America/Resolute America/Rio_Branco America/Rosario America/Santa_Isabel America/Santarem
America/Santiago America/Santo_Domingo America/Sao_Paulo America/Scoresbysund America/Shiprock America/Sitka
America/St_Barthelemy America/St_Johns America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent
America/Swift_Current America/Tegucigalpa America/Thule America/Thunder_Bay America/Tijuana America/Toronto
America/Tortola America/Vancouver America/Virgin America/Whitehorse America/Winnipeg America/Yakutat America/Yellowknife
Antarctica/Casey Antarctica/Davis Antarctica/DumontDUrville Antarctica/Macquarie Antarctica/Mawson Antarctica/McMurdo
Antarctica/Palmer Antarctica/Rothera Antarctica/South_Pole Antarctica/Syowa Antarctica/Troll Antarctica/Vostok
Arctic/Longyearbyen Asia/Aden Asia/Almaty Asia/Amman Asia/Anadyr Asia/Aqtau Asia/Aqtobe Asia/Ashgabat Asia/Ashkhabad
Asia/Atyrau Asia/Baghdad Asia/Bahrain Asia/Baku Asia/Bangkok Asia/Barnaul Asia/Beirut Asia/Bishkek Asia/Brunei
Asia/Calcutta Asia/Chita Asia/Choibalsan Asia/Chongqing Asia/Chungking Asia/Colombo Asia/Dacca Asia/Damascus Asia/Dhaka
Asia/Dili Asia/Dubai Asia/Dushanbe Asia/Famagusta Asia/Gaza Asia/Harbin Asia/Hebron Asia/Ho_Chi_Minh Asia/Hong_Kong
Asia/Hovd Asia/Irkutsk Asia/Istanbul Asia/Jakarta Asia/Jayapura Asia/Jerusalem Asia/Kabul Asia/Kamchatka Asia/Karachi
Asia/Kashgar Asia/Kathmandu Asia/Katmandu Asia/Khandyga Asia/Kolkata Asia/Krasnoyarsk Asia/Kuala_Lumpur Asia/Kuching
Asia/Kuwait Asia/Macao Asia/Macau Asia/Magadan Asia/Makassar Asia/Manila Asia/Muscat Asia/Nicosia Asia/Novokuznetsk
Asia/Novosibirsk Asia/Omsk Asia/Oral Asia/Phnom_Penh Asia/Pontianak Asia/Pyongyang Asia/Qatar Asia/Qostanay
Asia/Qyzylorda Asia/Rangoon Asia/Riyadh Asia/Saigon Asia/Sakhalin Asia/Samarkand Asia/Seoul Asia/Shanghai Asia/Singapore
Asia/Srednekolymsk Asia/Taipei Asia/Tashkent Asia/Tbilisi Asia/Tehran Asia/Tel_Aviv Asia/Thimbu Asia/Thimphu Asia/Tokyo
Asia/Tomsk Asia/Ujung_Pandang Asia/Ulaanbaatar Asia/Ulan_Bator Asia/Urumqi Asia/Ust-Nera Asia/Vientiane Asia/Vladivostok
Asia/Yakutsk Asia/Yangon Asia/Yekaterinburg Asia/Yerevan Atlantic/Azores Atlantic/Bermuda Atlantic/Canary
Atlantic/Cape_Verde Atlantic/Faeroe Atlantic/Faroe Atlantic/Jan_Mayen Atlantic/Madeira Atlantic/Reykjavik
Atlantic/South_Georgia Atlantic/St_Helena Atlantic/Stanley Australia/ACT Australia/Adelaide Australia/Brisbane
Australia/Broken_Hill Australia/Canberra Australia/Currie Australia/Darwin Australia/Eucla Australia/Hobart
Australia/LHI Australia/Lindeman Australia/Lord_Howe Australia/Melbourne Australia/NSW Australia/North Australia/Perth
Australia/Queensland Australia/South Australia/Sydney Australia/Tasmania Australia/Victoria Australia/West
Australia/Yancowinna Brazil/Acre Brazil/DeNoronha Brazil/East Brazil/West CET CST6CDT Canada/Atlantic Canada/Central
Canada/Eastern Canada/Mountain Canada/Newfoundland Canada/Pacific Canada/Saskatchewan Canada/Yukon Chile/Continental
Chile/EasterIsland Cuba EET EST EST5EDT Egypt Eire Etc/GMT Etc/GMT+0 Etc/GMT+1 Etc/GMT+10 Etc/GMT+11 Etc/GMT+12
Etc/GMT+2 Etc/GMT+3 Etc/GMT+4 Etc/GMT+5 Etc/GMT+6 Etc/GMT+7 Etc/GMT+8 Etc/GMT+9 Etc/GMT-0 Etc/GMT-1 Etc/GMT-10
Etc/GMT-11 Etc/GMT-12 Etc/GMT-13 Etc/GMT-14 Etc/GMT-2 Etc/GMT-3 Etc/GMT-4 Etc/GMT-5 Etc/GMT-6 Etc/GMT-7 Etc/GMT-8
Etc/GMT-9 Etc/GMT0 Etc/Greenwich Etc/UCT Etc/UTC Etc/Universal Etc/Zulu Europe/Amsterdam Europe/Andorra Europe/Astrakhan
Europe/Athens Europe/Belfast Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Bucharest
Europe/Budapest Europe/Busingen Europe/Chisinau Europe/Copenhagen Europe/Dublin Europe/Gibraltar Europe/Guernsey
Europe/Helsinki Europe/Isle_of_Man Europe/Istanbul Europe/Jersey Europe/Kaliningrad Europe/Kiev Europe/Kirov Europe/Kyiv
Europe/Lisbon Europe/Ljubljana Europe/London Europe/Luxembourg Europe/Madrid Europe/Malta Europe/Mariehamn Europe/Minsk
Europe/Monaco Europe/Moscow Europe/Nicosia Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Riga
Europe/Rome Europe/Samara Europe/San_Marino Europe/Sarajevo Europe/Saratov Europe/Simferopol Europe/Skopje Europe/Sofia
Europe/Stockholm Europe/Tallinn Europe/Tirane Europe/Tiraspol Europe/Ulyanovsk Europe/Uzhgorod Europe/Vaduz
Europe/Vatican Europe/Vienna Europe/Vilnius Europe/Volgograd Europe/Warsaw Europe/Zagreb Europe/Zaporozhye Europe/Zurich
GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Indian/Antananarivo Indian/Chagos Indian/Christmas
Indian/Cocos Indian/Comoro Indian/Kerguelen Indian/Mahe Indian/Maldives Indian/Mauritius Indian/Mayotte Indian/Reunion
Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT Mexico/BajaNorte Mexico/BajaSur Mexico/General NZ NZ-CHAT
Navajo PRC PST8PDT Pacific/Apia Pacific/Auckland Pacific/Bougainville Pacific/Chatham Pacific/Chuuk Pacific/Easter
Pacific/Efate Pacific/Enderbury Pacific/Fakaofo Pacific/Fiji Pacific/Funafuti Pacific/Galapagos Pacific/Gambier
Pacific/Guadalcanal Pacific/Guam Pacific/Honolulu Pacific/Johnston Pacific/Kanton Pacific/Kiritimati Pacific/Kosrae
Pacific/Kwajalein Pacific/Majuro Pacific/Marquesas Pacific/Midway Pacific/Nauru Pacific/Niue Pacific/Norfolk
Pacific/Noumea Pacific/Pago_Pago Pacific/Palau Pacific/Pitcairn Pacific/Pohnpei Pacific/Ponape Pacific/Port_Moresby
Pacific/Rarotonga Pacific/Saipan Pacific/Samoa Pacific/Tahiti Pacific/Tarawa Pacific/Tongatapu Pacific/Truk Pacific/Wake
Pacific/Wallis Pacific/Yap Poland Portugal ROC ROK Singapore Turkey UCT US/Alaska US/Aleutian US/Arizona US/Central
US/East-Indiana US/Eastern US/Hawaii US/Indiana-Starke US/Michigan US/Mountain US/Pacific US/Samoa UTC Universal W-SU
WET Zulu
"""
ZONES = frozenset(ZONE_NAMES.split())


class LacksZone(Unknown):
    """This machine has no data of a time zone that there is."""


def zone_of(name: str) -> tzinfo:
    """Return a time zone of IANA's list; without the system's data, the one that Viet Nam has had since 1975."""
    if name not in ZONES:
        raise Unknown(say("{name} is no time zone of IANA's list", name=name))
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    except (ImportError, ValueError, KeyError, OSError):
        if name in ("Asia/Ho_Chi_Minh", "Asia/Saigon"):
            return timezone(timedelta(hours=7))
        if name in ("UTC", "Etc/UTC"):
            return UTC
    raise LacksZone(say("the time zone {name} is not known here", name=name))  # Python 3.8 knows none


def slots(every: str, first: datetime, end: datetime, zone: tzinfo) -> Iterator[Tuple[str, datetime, datetime]]:
    """Yield name, start and end of the local hours, days, ISO weeks or months that lie wholly between two moments."""
    local = first.astimezone(zone).replace(tzinfo=None)
    start = local.replace(minute=0, second=0, microsecond=0)
    if every != "hour":
        start = start.replace(hour=0)
    if every == "week":
        start -= timedelta(days=start.weekday())
    elif every == "month":
        start = start.replace(day=1)
    if start < local:
        start = following(every, start)
    while True:
        after = following(every, start)
        start_at, end_at = [each.replace(tzinfo=zone).astimezone(UTC) for each in (start, after)]
        if end_at > end:
            return
        if start_at >= end_at:  # its local time is left out: nothing could run in it
            start = after
            continue
        week = start.isocalendar()
        text = start.isoformat()
        names = {"hour": text[:13], "day": text[:10], "week": "%04d-W%02d" % (week[0], week[1]), "month": text[:7]}
        yield names[every], start_at, end_at
        start = after


def following(every: str, start: datetime) -> datetime:
    if every == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}[every]


class Missing(NamedTuple):
    job: str
    kind: str
    slot: str


def missing_slots(
    plans: List[Plan],
    starts: Dict[SlotKey, List[str]],
    until: datetime,
    since: Optional[datetime] = None,
    before: Optional[datetime] = None,
) -> List[Missing]:
    """Return the slots in which a planned job left no run, up to a moment.

    A slot counts if it lies wholly within a time in which the job was planned unchanged; a run counts for
    it that is of its kind, bears its name, and began in it, or within the hour after it.
    """
    spans, current = [], {}  # type: ignore[var-annotated]
    for plan in plans:
        if plan.at >= until:
            break
        planned = {(job, plan.zone): None for job in plan.jobs}
        ended = [each for each in current if each not in planned]
        spans += [(each, current.pop(each), plan.at) for each in ended]
        for each in planned:
            current.setdefault(each, plan.at)
    spans += [(each, began, until) for each, began in current.items()]
    found, looked_at = [], 0
    try:
        for ((job, kind, every, duty), zone), began, ended_at in spans:
            lead = duty or kind
            for name, start, end in slots(every, max(began, since or began), ended_at, zone_of(zone)):
                looked_at += 1
                if before is not None and start >= before:
                    break
                if looked_at > MAX_SLOTS:
                    raise OverflowError
                first, last = at_text(start), at_text(end + timedelta(hours=1))
                if not any(first <= at < last for at in starts.get((kind, lead, job, name), ())):
                    found.append((start, name, Missing(job, kind, name)))
    except (OverflowError, ValueError) as error:
        if isinstance(error, Unknown):
            raise
        raise Unknown(say("a plan is outside the calendar")) from None
    return [each for _, _, each in sorted(found)]


class Completeness:
    """The second verdict, as of the last record."""

    def __init__(self, check: Check) -> None:
        self.problem: Optional[Said] = None
        self.missing: List[Missing] = []
        self.crashed = list(check.runs.open.values())
        self.unbegun = check.runs.without_beginning
        self.waivers, self.unread_waivers = waivers_in_force(check)
        try:
            if check.bundle is None or not check.last_at:
                raise Unknown(say("bundle.json lacks what is needed"))
            zone_of(check.bundle["timezone"])
            if not plans_in(check):
                raise Unknown(
                    say(
                        "no plan is recorded, so the expected runs are not known: ask for a bundle made after a 'portalops run', which records the plan"
                    )
                )
            plans = [
                read_plan(
                    each, None if each.body in check.withheld else check.body(each.body), check.bundle["timezone"]
                )
                for each in plans_in(check)
            ]
            self.missing = missing_slots(plans, check.runs.starts, moment_of(check.last_at))
        except Unknown as error:
            self.problem = error.said

    @property
    def holds(self) -> Optional[bool]:
        return None if self.problem else not self.missing and not self.unbegun


def plans_in(check: Check) -> List[Record]:
    plans = [record for record in check.always if record.kind == "plan" and record.seq not in check.mistimed]
    return [record for record in plans if check.counts(record)]


def waivers_in_force(check: Check) -> Tuple[List[Tuple[int, Dict[str, Any], str]], List[int]]:
    """Return the waivers in force on some day of the period: record, what it says, and when it was withdrawn.

    One granted anew under its id is another one; a withdrawal is of the newest, and ends it with the day before. A withdrawal
    that cannot be read may be of any waiver granted before it, so it ends them all. Also return the records that cannot be read.
    """
    granted: List[Tuple[int, Dict[str, Any], str]] = []
    unread: List[int] = []
    for record in check.always:
        if record.kind not in ("waiver.granted", "waiver.withdrawn"):
            continue
        held = read_waiver(record.kind, check.body(record.body))
        if held is None:
            unread.append(record.seq)
        if record.kind == "waiver.granted":
            granted += [(record.seq, held, "")] if held else []
            continue
        places = [place for place, each in enumerate(granted) if held is None or each[1]["id"] == held["id"]]
        for place in places if held is None else places[-1:]:
            granted[place] = granted[place][0], granted[place][1], granted[place][2] or record.at
    found = []
    for seq, held, withdrawn in granted:
        first, last = day_of(held["valid_from"]), day_of(held["valid_to"])
        period, zone = check.figures.period, check.figures.zone
        if period and zone and first and last:
            if withdrawn:
                last = min(last, day_before(withdrawn, zone))
            if max(first, period[0]) <= min(last, period[1]):
                found.append((seq, held, withdrawn))
    return found, unread


def read_waiver(kind: str, body: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """Return what a waiver record's details say, or None if they are not as portalops writes them."""
    is_grant = kind == "waiver.granted"
    held = part(body, "waiver" if is_grant else "withdrawal")
    if is_grant and (day_of(held.get("valid_from")) is None or day_of(held.get("valid_to")) is None):
        return None
    texts = ["id", "reason", "approved_by"] + (["duty", "subject", "document"] if is_grant else [])
    return held if all(is_text(held.get(name)) for name in texts) else None


def is_text(value: object) -> bool:
    """Say whether it is text that UTF-8 can hold."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def day_before(at: str, zone: tzinfo) -> date:
    try:
        return moment_of(at).astimezone(zone).date() - timedelta(days=1)
    except OverflowError:  # at an end of the calendar
        return date.max if at[0] == "9" else date.min


# ------------------------------------------------------------------------------------------------------ 10 figures

VERDICTS = ("pass", "fail", "unknown", "not-applicable", "error")
OUTCOMES = ("complete", "incomplete", "failed")


class NotHere(Exception):
    """A figure rests on details that are not in this bundle: it cannot be computed again here."""


class Figures:
    """Counts what figures.json counts, while the records go by, so that nothing has to be read twice."""

    def __init__(self, bundle: Optional[Dict[str, Any]], held: Optional[Dict[str, Any]]) -> None:
        self.held = held
        last = part(held, "records").get("last")
        self.last = last if type(last) is int else 0
        self.as_of = ""
        self.not_compared: List[str] = []
        self.runs: Dict[Tuple[str, str], List[Any]] = {}  # when it began, whether in the period, its end if any
        self.results: Dict[str, List[Record]] = {"backup.finished": [], "check.finished": [], "updates.finished": []}
        self.in_period = 0
        self.period: Optional[Tuple[date, date]] = None
        self.zone: Optional[tzinfo] = None
        self.texts = ("~", "~", "~")  # behind every moment
        try:
            if bundle is not None:
                self._set_period(bundle)
        except (Unknown, OverflowError, ValueError):
            pass  # there is no such day or zone: nothing is compared, and that is said

    def _set_period(self, bundle: Dict[str, Any]) -> None:
        zone = zone_of(bundle["timezone"])
        first, last = day_of(bundle["period"]["first"]), day_of(bundle["period"]["last"])
        if first is None or last is None or last < first:
            return
        ends = [
            datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
            for day in (first, last + timedelta(days=1))
        ]
        self.texts = at_text(ends[0] - BEFORE_PERIOD), at_text(ends[0]), at_text(ends[1])
        self.starts_at, self.ends_at = ends
        self.period, self.zone = (first, last), zone

    def take(self, record: Record, *, is_timed: bool = True) -> None:
        since, start, end = self.texts
        if record.seq == self.last:
            self.as_of = record.at
        if record.seq > self.last or record.at < since or not is_timed:
            return
        in_period = start <= record.at < end
        self.in_period += in_period
        if record.kind.endswith(".started") and record.at >= start:
            self.runs[record.run, record.kind[:-8]] = [record.at, in_period, None]
        elif record.kind.endswith(".finished"):
            begun = self.runs.get((record.run, record.kind[:-9]))
            if begun is not None:
                begun[2] = record
            if record.kind in self.results and (in_period or record.kind == "updates.finished"):
                self.results[record.kind].append(record)

    def differing(self, check: Check) -> List[str]:
        """Return the parts of figures.json that are not what the records give."""
        parts = {"runs": self._runs, "backups": self._backups, "checks": self._checks, "updates": self._updates}
        if self.period is None or check.bundle is None:
            self.not_compared = list(parts) if "figures.json" in check.paths else []
            return []
        held = self.held
        if held is None:
            return ["format"]
        period = {"first": check.bundle["period"]["first"], "last": check.bundle["period"]["last"]}
        found: Dict[str, Any] = {
            "as_of": self.as_of,
            "format": 1,
            "period": period,
            "timezone": check.bundle["timezone"],
            "records": {"first": 1, "in_period": self.in_period, "last": self.last},
        }
        for name, recompute in parts.items():
            try:
                found.update(recompute(check))
            except NotHere:
                self.not_compared.append(name)
                names = ("portal_days", "unit_weeks") if name == "updates" else (name,)
                found.update((each, held[each]) for each in names if each in held)
        if not self.as_of:
            return ["records"]
        return sorted(
            name for name in {*found, *held} if written(found.get(name, "~")) != written(held.get(name, "~~"))
        )

    def _body(self, check: Check, record: Record) -> Optional[Dict[str, Any]]:
        """Return what a body says, None if it cannot be read as JSON; raise NotHere if it is not in this bundle."""
        if record.body in check.excused or record.body not in check.good:
            raise NotHere
        return check.body(record.body)

    def _runs(self, check: Check) -> Dict[str, Any]:
        assert check.bundle is not None
        counts: Dict[str, Dict[str, Optional[int]]] = {}
        nothing = dict.fromkeys((*OUTCOMES, "missing", "unfinished", "unknown"), 0)
        for (_run, kind), (_at, in_period, end) in self.runs.items():
            if in_period:
                how = "unfinished"
                if end is not None:
                    outcome = part(self._body(check, end), "run").get("outcome")
                    how = outcome if isinstance(outcome, str) and outcome in OUTCOMES else "unknown"
                counted = counts.setdefault(kind, {**nothing})
                counted[how] = (counted[how] or 0) + 1
        plans = [each for each in check.always if each.kind == "plan" and each.seq <= self.last]
        plans = [each for each in plans if each.seq not in check.mistimed]
        bodies = [self._body(check, each) for each in plans]
        try:
            read = [read_plan(each, body, check.bundle["timezone"]) for each, body in zip(plans, bodies)]
            starts: Dict[SlotKey, List[str]] = {}
            for run, (at, _in_period, _end) in self.runs.items():
                add_start(starts, run, at)
            until = moment_of(self.as_of) if self.as_of else self.starts_at
            for missing in missing_slots(read, starts, until, since=self.starts_at, before=self.ends_at):
                counted = counts.setdefault(missing.kind, {**nothing})
                counted["missing"] = (counted["missing"] or 0) + 1
        except LacksZone:  # this machine cannot tell: that is no fault of the bundle
            raise NotHere from None
        except Unknown:
            for counted in counts.values():
                counted["missing"] = None
        return {"runs": counts}

    def _backups(self, check: Check) -> Dict[str, Any]:
        results = [part(self._body(check, each), "backup") for each in self.results["backup.finished"]]
        copies = [copy for each in results for copy in objects(each.get("copies"))]
        return {
            "backups": {
                "sets": sum(isinstance(each.get("set"), dict) for each in results),
                "verified_copies": sum(copy.get("state") == "verified" for copy in copies),
            }
        }

    def _newest(self, check: Check, kind: str) -> Optional[Dict[str, Any]]:
        for record in reversed(self.results[kind + ".finished"]):
            body = self._body(check, record)
            if body and isinstance(body.get(kind), dict):
                return part(body, kind)
        return None

    def _checks(self, check: Check) -> Dict[str, Any]:
        newest = self._newest(check, "check")
        results = [each for host in objects((newest or {}).get("hosts")) for each in objects(host.get("results"))]
        found = {verdict: sum(each.get("verdict") == verdict for each in results) for verdict in VERDICTS}
        return {"checks": None if newest is None else found}

    def _updates(self, check: Check) -> Dict[str, Any]:
        newest = self._newest(check, "updates")
        if newest is None:
            return {"portal_days": None, "unit_weeks": None}
        days = [each for each in objects(newest.get("portal_days")) if each.get("working") is True]
        return {
            "portal_days": self._verdicts((day_of(each.get("day")), each) for each in days),
            "unit_weeks": self._verdicts(
                (monday_of(each.get("week")), each) for each in objects(newest.get("unit_weeks"))
            ),
        }

    def _verdicts(self, dated: Iterator[Tuple[Optional[date], Dict[str, Any]]]) -> Dict[str, int]:
        assert self.period is not None
        counts: Dict[str, int] = {}
        for day, each in dated:
            verdict = each.get("verdict")
            if day and self.period[0] <= day <= self.period[1] and isinstance(verdict, str):
                counts[verdict] = counts.get(verdict, 0) + 1
        return counts


def monday_of(week: object) -> Optional[date]:
    year, number = part({"week": week}, "week").get("year"), part({"week": week}, "week").get("number")
    if type(year) is not int or type(number) is not int:
        return None
    try:
        return date.fromisocalendar(year, number, 1)
    except (ValueError, OverflowError):
        return None


# ------------------------------------------------------------------------------------------------------- 11 output


class Trusted(NamedTuple):
    """A key that the auditor brings, and its times as allowed_signers has them; empty where there are none."""

    public: str
    valid_from: str
    valid_to: str


_SIGNER = re.compile(
    r"(?:\"[^\"]*\"|\S+)[ \t]+(?:([a-z-]+(?:=\"[^\"]*\")?(?:,[a-z-]+(?:=\"[^\"]*\")?)*)[ \t]+)?"
    r"((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/=]+)(?:[ \t].*)?",
    re.IGNORECASE | re.ASCII,
)
_TIME = re.compile(r"([0-9]{8})([0-9]{4})?([0-9]{2})?Z")


def read_trusted(path: str) -> List[Trusted]:
    """Read an allowed_signers file (ssh-keygen(1)); the keys in it that sign heads."""
    wrong = NotABundle(say("{path} is not an allowed_signers file with a key", path=path))
    try:
        lines = read_own(path).decode("utf-8").split("\n")
    except ValueError:
        raise wrong from None
    found, keys = [], 0
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _SIGNER.fullmatch(line.strip())
        if match is None:
            raise wrong
        options, kind, encoded = match.group(1) or "", match.group(2), match.group(3)
        if kind not in (PLAIN_KEY, TOKEN_KEY) or "cert-authority" in options.lower().split(","):
            continue
        given = [(name.lower(), value) for name, value in re.findall(r'([A-Za-z-]+)="([^"]*)"', options)]
        values = dict(given)
        key = kind + " " + encoded
        try:
            after, before = [_stamped(values.get(name)) for name in ("valid-after", "valid-before")]
        except ValueError:
            raise wrong from None
        if len(values) != len(given) or not is_key(key):
            raise wrong
        keys += 1
        if "portalops-head" in values.get("namespaces", "portalops-head").split(","):
            found.append(Trusted(key, after, before))
    if not keys:
        raise wrong
    return found


def _stamped(text: Optional[str]) -> str:
    """Return a time of an allowed_signers file to the second; "" without one, ValueError if it is none in UTC."""
    if text is None:
        return ""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not a time in UTC")
    second = match.group(1) + (match.group(2) or "0000") + (match.group(3) or "00")
    datetime.strptime(second + "+0000", "%Y%m%d%H%M%S%z")
    return second + "Z"


def read_own(path: str) -> bytes:
    """Return what a file of the auditor's own holds; one that is larger than any that is meant is cut, and then is none."""
    try:
        with open(path, "rb") as file:
            return file.read(MAX_SMALL + 1)
    except (OSError, ValueError):
        raise NotABundle(say("{path} cannot be read", path=path)) from None


def read_brought(files: List[str], codes: List[str]) -> List[Brought]:
    brought = []
    for path in files:
        head = parse_head(read_own(path).replace(b"\r\n", b"\n"))
        if head is None:
            raise NotABundle(say("{path} is not a head: it does not have the six lines of a head", path=path))
        brought.append(Brought(path, head.ledger, head.size, head.digest))
    for code in codes:
        found = CODE.fullmatch(code.strip().lower())
        if found is None:
            raise NotABundle(say("this is not a head code: {code}", code=code))
        brought.append(Brought(code.strip().lower(), "", int(found.group(1)), found.group(2).replace("-", "")))
    return brought


def as_json(check: Check, complete: Completeness) -> Dict[str, Any]:
    newest = check.heads[-1] if check.heads else None
    return {
        "ledger": check.ledger,
        "integrity": {
            "holds": not check.fault_count,
            "first_bad": check.first_bad,
            "fault_count": check.fault_count,
            "faults": [{"seq": seq, "what": said.en} for seq, said in check.first_faults()],
            "records": check.records,
            "first_at": check.first_at,
            "last_at": check.last_at,
            "head": check.head_digest,
            "code": code_of(newest[1]) if newest else "",
            "heads": len(check.heads),
            "keys": [fingerprint(key.public) for key in check.keys],
            "brought": [{"name": each.name, "holds": holds} for each, holds in check.found_brought],
            "time_stamps": [{"file": path, "size": size, "at": at} for path, size, at in check.anchored],
            "sign_offs": [
                {"report": each["report"], "signer": each["signer"], "file": check.reports.get(each["sha256"])}
                for each in check.sign_offs
            ],
            "writers": [
                {
                    "name": each.name,
                    "key": fingerprint(each.public),
                    "authority": each.authority,
                    "added": each.added,
                    "ended": each.ended,
                }
                for each in check.writers
            ],
            "claimed": [{"first": first, "last": last, "by": each.name} for first, last, each in check.owners()],
            "unclaimed": [{"first": first, "last": last} for first, last in check.unclaimed],
            "set_aside": [
                {
                    "seq": each.record.seq,
                    "at": each.record.at,
                    "first": each.first,
                    "last": each.last,
                    "by": each.by,
                    "second": each.second,
                    "key": fingerprint(each.public),
                    "reason": each.reason,
                    "proven": each.record.seq not in check.unproven,
                }
                for each in check.quarantines
            ],
            "mended_clocks": [
                {
                    "seq": each.record.seq,
                    "at": each.record.at,
                    "first": each.first,
                    "last": each.last,
                    "since": each.since,
                    "by": each.by,
                    "second": each.second,
                    "key": fingerprint(each.public),
                    "reason": each.reason,
                }
                for each in check.mended
            ],
            "drills": [{"seq": seq, "key": fingerprint(key)} for seq, key in check.drills],
            "not_compared": check.figures.not_compared,
        },
        "completeness": {
            "holds": complete.holds,
            "problem": complete.problem.en if complete.problem else None,
            "missing": [{"job": each.job, "slot": each.slot} for each in complete.missing],
            "crashed": [{"id": each.run, "seq": each.seq, "started_at": each.at} for each in complete.crashed],
            "unbegun": complete.unbegun,
            "withheld": sorted(check.withheld),
            "erased": sorted(check.erased),
            "waivers": [seq for seq, _, _ in complete.waivers],
            "unread_waivers": complete.unread_waivers,
        },
        "limits": list(LIMITS),
    }


def exit_code(check: Check, complete: Completeness) -> int:
    if check.fault_count:
        return 5
    return {None: 3, False: 1, True: 3 if check.unclaimed or check.unproven else 0}[complete.holds]


def report(check: Check, complete: Completeness) -> Iterator[Said]:
    """Yield what is printed, line by line: the limits first, then both verdicts, and one sentence at the end."""
    yield say("Bundle of ledger {ledger}, portal {portal}", ledger=check.ledger or "?", portal=portal_of(check))
    yield say("Records: {n}, {first} .. {last}", n=check.records, first=check.first_at, last=check.last_at)
    yield say("")
    yield say("WHAT THIS CANNOT SHOW")
    for limit in LIMITS:
        yield say("  - {limit}", limit=say(limit))
    yield say("")
    yield from integrity_lines(check)
    yield say("")
    yield from completeness_lines(check, complete)
    yield say("")
    yield sentence(check, complete)


def portal_of(check: Check) -> Said:
    portal = check.bundle["portal"] if check.bundle else {"en": "?", "vi": "?"}
    return Said(show(portal["en"]), show(portal["vi"]))


def integrity_lines(check: Check) -> Iterator[Said]:
    yield say("INTEGRITY: whether anything was changed")
    yield (say("  Verdict: DOES NOT HOLD") if check.fault_count else say("  Verdict: holds"))
    if check.heads:
        _record, head, signer, _ = check.heads[-1]
        yield say(
            "  Heads that hold: {n}; the newest: {code}, {at}", n=len(check.heads), code=code_of(head), at=head.at
        )
        yield say("  signed by the key {key}", key=fingerprint(signer))
    for place, key in enumerate(check.keys):
        if (
            place
            and key.added.seq not in check.aside
            and not any(signer == key.replaces and head.size >= key.added.seq for _, head, signer, _ in check.heads)
        ):
            yield say(
                "  NOTE: the key {key} (record {seq}) is confirmed by no earlier key.",
                key=fingerprint(key.public),
                seq=key.added.seq,
            )
    for brought, holds in check.found_brought:
        yield (
            say("  Your {name}: it holds", name=brought.name)
            if holds
            else say("  Your {name}: it DOES NOT HOLD", name=brought.name)
        )
    if not check.found_brought:
        yield say(
            "  NOTE: you gave no head of your own, so a ledger rewritten by a holder of its key would not be found."
        )
    for path, size, at in check.anchored:
        yield say("  Time stamp {path}: {n} records, {at}", path=path, n=size, at=at)
    for each in check.sign_offs:
        yield say(
            "  {name}, {office}, signed a report named {report}: {which}",
            report=each["report"],
            name=each["name"],
            office=each["office"],
            which=report_signed(check, each["sha256"]),
        )
    for seq, drilled_by in check.drills:
        yield say(
            "  Record {seq}: a drill of another host, signed with the key {key}",
            seq=seq,
            key=fingerprint(drilled_by),
        )
    for aside in check.quarantines[:MAX_SHOWN]:
        yield say(
            "  NOTE: records {first} to {last} were set aside on {day} by {by} and {second} (key {key}): {reason}",
            first=aside.first,
            last=aside.last,
            day=aside.record.at[:10],
            by=aside.by,
            second=aside.second,
            key=fingerprint(aside.public),
            reason=aside.reason,
        )
    if len(check.quarantines) > MAX_SHOWN:
        yield say("    ... and {n} more (--json has them all)", n=len(check.quarantines) - MAX_SHOWN)
    for seq in sorted(check.unproven)[:MAX_SHOWN]:
        yield say(
            "  NOTE: what record {seq} sets aside is said to lack its details, which this bundle leaves out or has: that could not be found out.",
            seq=seq,
        )
    for mend in check.mended[:MAX_SHOWN]:
        yield say(
            "  NOTE: the times of records {first} to {last} are wrong, and right from {since} on, say {by} and {second} (key {key}): {reason}",
            first=mend.first,
            last=mend.last,
            since=mend.since,
            by=mend.by,
            second=mend.second,
            key=fingerprint(mend.public),
            reason=mend.reason,
        )
    if len(check.mended) > MAX_SHOWN:
        yield say("    ... and {n} more (--json has them all)", n=len(check.mended) - MAX_SHOWN)
    for first, last in check.unclaimed[:MAX_SHOWN]:
        yield say("  NOTE: no writer claims records {first} to {last}.", first=first, last=last)
    owners = check.owners()
    for first, last, writer in owners[:MAX_SHOWN]:
        yield say(
            "  Records {first} to {last} were recorded by {name} (key {key})",
            first=first,
            last=last,
            name=writer.name,
            key=fingerprint(writer.public),
        )
    if len(owners) > MAX_SHOWN:
        yield say("    ... and {n} more (--json has them all)", n=len(owners) - MAX_SHOWN)
    if check.figures.not_compared:
        yield say(
            "  Figures not computed again, because their details are not in this bundle: {names}",
            names=", ".join(check.figures.not_compared),
        )
    faults = check.first_faults()
    if check.first_bad is not None:
        yield say("  The first record that cannot be trusted is {seq}.", seq=check.first_bad)
    for seq, said in faults[:MAX_SHOWN]:
        yield say("  [{seq}] {what}", seq=seq or "-", what=said)
    if check.fault_count > MAX_SHOWN:
        yield say("  ... and {n} more", n=check.fault_count - min(MAX_SHOWN, len(faults)))


def report_signed(check: Check, digest: str) -> Said:
    """Say which file a person signed: only its digest counts, for a file of the same name may be another one."""
    if digest in check.reports:
        return say("it is {file} of this bundle", file=check.reports[digest])
    return say("it is NOT a report of this bundle; ask for the file whose sha256sum is {digest}", digest=digest)


def completeness_lines(check: Check, complete: Completeness) -> Iterator[Said]:
    yield say("COMPLETENESS: whether anything expected is missing, as of {at}", at=check.last_at)
    if complete.holds is None:
        yield say("  Verdict: UNKNOWN")
        yield say("  {why}", why=complete.problem or "")
    else:
        yield (say("  Verdict: holds") if complete.holds else say("  Verdict: DOES NOT HOLD"))
    lists = (
        ("Planned runs without a record", ["%s %s" % (each.job, each.slot) for each in complete.missing]),
        ("Runs that started but did not finish", ["%s (%d)" % (each.run, each.seq) for each in complete.crashed]),
        ("Ends without a start, by record", [str(seq) for seq in complete.unbegun]),
        ("Details withheld", ["%s: %s" % (each, why) for each, why in sorted(check.withheld.items())]),
        ("Details erased", ["%s: %s" % (each, why) for each, why in sorted(check.erased.items())]),
        ("Waivers in force in the period", [waiver_text(each) for each in complete.waivers]),
        ("Records of waivers that cannot be read", [str(seq) for seq in complete.unread_waivers]),
    )
    for what, held in lists if complete.problem is None else lists[1:]:  # what is missing is not known then
        yield say("  {what}: {n}", what=say(what), n=len(held))
        for each in held[:MAX_SHOWN]:
            yield say("    {it}", it=each)
        if len(held) > MAX_SHOWN:
            yield say("    ... and {n} more (--json has them all)", n=len(held) - MAX_SHOWN)


def waiver_text(waiver: Tuple[int, Dict[str, Any], str]) -> str:
    seq, held, withdrawn = waiver
    texts = [text_in(held, name) for name in ("id", "valid_from", "valid_to", "reason")]
    return "%s %s..%s (%d) %s %s" % (
        texts[0],
        texts[1],
        texts[2],
        seq,
        texts[3],
        "withdrawn/rút " + withdrawn if withdrawn else "",
    )


def sentence(check: Check, complete: Completeness) -> Said:
    whole = {
        None: say("it is not known whether anything expected is missing"),
        False: say("something expected is missing"),
        True: say("nothing expected is missing"),
    }[complete.holds]
    if not check.fault_count and check.unclaimed:
        return say(
            "RESULT: nothing was changed since it was signed, but no writer claims {n} records, the first is {seq} ({whole}).",
            n=sum(last - first + 1 for first, last in check.unclaimed),
            seq=check.unclaimed[0][0],
            whole=whole,
        )
    if not check.fault_count and check.unproven:
        return say(
            "RESULT: nothing was changed since it was signed, but whether what record {seq} sets aside counts could not be found out ({whole}).",
            seq=min(check.unproven),
            whole=whole,
        )
    if not check.fault_count:
        return say("RESULT: nothing was changed since it was signed, and {whole}.", whole=whole)
    if check.first_bad is not None:
        return say(
            "RESULT: this bundle was changed: do not trust it from record {seq} on ({whole}).",
            seq=check.first_bad,
            whole=whole,
        )
    return say(
        "RESULT: files of this bundle were changed: do not trust it, although the records themselves join ({whole}).",
        whole=whole,
    )


def language_of(chosen: Optional[str]) -> str:
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return chosen or ("vi" if next((name for name in names if name), "").lower().startswith("vi") else "en")


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description=(__doc__ or "").split("\n\n")[0],
        epilog="EXIT STATUS: 0 both hold, 1 incomplete, 2 no bundle, 3 completeness unknown, 5 changed.",
    )
    parser.add_argument(
        "bundle",
        nargs="?",
        default=os.path.dirname(os.path.abspath(__file__)),
        metavar="BUNDLE",
        help="its folder, or a ZIP file of it",
    )
    parser.add_argument(
        "--head", action="append", default=[], metavar="FILE", help="a head that you kept: its six lines"
    )
    parser.add_argument(
        "--head-code", action="append", default=[], metavar="CODE", help="a code from a report that you kept"
    )
    parser.add_argument("--signers", metavar="FILE", help="an allowed_signers file that you kept")
    parser.add_argument("--lang", choices=("vi", "en"))
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    chosen = parser.parse_args(arguments)
    language = language_of(chosen.lang)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        trusted = read_trusted(chosen.signers) if chosen.signers else None
        check = Check(chosen.bundle, read_brought(chosen.head, chosen.head_code), trusted)
        complete = Completeness(check)
        if chosen.json:
            lines = [json.dumps(as_json(check, complete), ensure_ascii=True, indent=1)]
        else:
            lines = [getattr(said, language) for said in report(check, complete)]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        return exit_code(check, complete)
    except NotABundle as error:
        sys.stderr.write("verify.py: " + getattr(error.said, language) + "\n")
        return 2
    except BrokenPipeError:  # whoever read the output has stopped; the verdict was not delivered
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 70
    except Exception as error:  # nothing is known then, and that must not look like a verdict
        said = say("this program failed, so there is no verdict: {why}", why=repr(error))
        sys.stderr.write("verify.py: " + getattr(said, language) + "\n")
        return 70


# ---------------------------------------------------------------------------------------------------- 12 Vietnamese

VI = {
    "It cannot show that a statement was true when it was recorded.": "Không chứng minh được một nội dung là đúng sự thật vào lúc được ghi.",
    "A holder of the signing key can rewrite everything and sign it again. Only heads, codes, time stamps or keys that you received earlier and kept yourself show that. Give them with --head, --head-code, --signers.": "Người giữ khóa ký có thể viết lại toàn bộ rồi ký lại: chỉ mốc sổ cái, mã của mốc sổ cái, dấu thời gian hoặc khóa mà ông/bà đã nhận từ trước và tự lưu giữ mới cho thấy điều đó. Hãy đưa vào kiểm tra: --head, --head-code, --signers.",
    "Backdating is found only up to the newest head, code or time stamp that was kept elsewhere.": "Việc ghi lùi ngày chỉ bị phát hiện đến mốc sổ cái, mã hoặc dấu thời gian gần nhất được lưu ở nơi khác.",
    "Completeness is measured by the plans recorded in this ledger; what was never planned is not missed.": "Tính đầy đủ được xét theo các kế hoạch đã ghi trong chính sổ cái này; việc chưa từng được lập kế hoạch thì không bị coi là thiếu.",
    "The signature inside a time stamp is not checked here: HOW-TO-VERIFY shows openssl ts -verify.": "Chữ ký bên trong dấu thời gian không được kiểm tra ở đây: xem lệnh openssl ts -verify trong HOW-TO-VERIFY.",
    "RESULT: files of this bundle were changed: do not trust it, although the records themselves join ({whole}).": "KẾT QUẢ: có tệp trong gói bằng chứng đã bị thay đổi: không được tin gói này, dù các bản ghi vẫn nối liền nhau ({whole}).",
    "extra bytes at the end": "thừa dữ liệu ở cuối",
    "not an OpenSSH signature": "không phải chữ ký OpenSSH",
    "not in the format of ssh-keygen": "không đúng dạng do ssh-keygen ghi",
    "not an OpenSSH signature of version 1": "không phải chữ ký OpenSSH phiên bản 1",
    "it was made for another purpose": "được ký cho mục đích khác",
    "unknown hash algorithm": "thuật toán băm lạ",
    "it does not match the signed data": "không khớp với nội dung đã ký",
    "not a time-stamp response": "không phải phản hồi dấu thời gian",
    "it was not granted": "không được cấp",
    "it holds no signed data": "không chứa dữ liệu có chữ ký",
    "it holds no time stamp": "không chứa dấu thời gian",
    "it is not over a SHA-256": "không lập trên mã băm SHA-256",
    "its time cannot be read": "không đọc được thời điểm",
    "bundle.json does not have the format that portalops writes": "bundle.json không đúng dạng do portalops ghi",
    "no plan is recorded, so the expected runs are not known: ask for a bundle made after a 'portalops run', which records the plan": "chưa ghi kế hoạch nào nên không xác định được những lần chạy dự kiến: hãy đề nghị một gói lập sau khi chạy 'portalops run', lệnh này ghi kế hoạch",
    "the time zone {name} is not known here": "không biết múi giờ {name}",
    "{name} is no time zone of IANA's list": "{name} không phải là múi giờ trong danh sách của IANA",
    "{path} is neither the folder of a bundle nor a ZIP file of one": "{path} không phải thư mục hay tệp ZIP của gói bằng chứng",
    "record {seq}: no key of the ledger confirms that key {key} was retired": "bản ghi {seq}: không có khóa nào của sổ cái xác nhận việc thôi dùng khóa {key}",
    "{path} is not an allowed_signers file with a key": "{path} không phải tệp allowed_signers có khóa",
    "Bundle of ledger {ledger}, portal {portal}": "Gói bằng chứng của sổ cái {ledger}, cổng {portal}",
    "Records: {n}, {first} .. {last}": "Số bản ghi: {n}, {first} .. {last}",
    "WHAT THIS CANNOT SHOW": "NHỮNG ĐIỀU KHÔNG THỂ CHỨNG MINH",
    "INTEGRITY: whether anything was changed": "TOÀN VẸN: có nội dung nào bị thay đổi hay không",
    "COMPLETENESS: whether anything expected is missing, as of {at}": "ĐẦY ĐỦ: có thiếu việc đã dự kiến hay không, tính đến {at}",
    "RESULT: nothing was changed since it was signed, and {whole}.": "KẾT QUẢ: không có gì bị thay đổi kể từ khi ký, và {whole}.",
    "RESULT: this bundle was changed: do not trust it from record {seq} on ({whole}).": "KẾT QUẢ: gói bằng chứng này đã bị thay đổi: không được tin từ bản ghi {seq} trở đi ({whole}).",
    "truncated": "bị cắt cụt",
    "not an Ed25519 signature": "không phải chữ ký Ed25519",
    "not DER": "không phải dữ liệu DER",
    "the ledger has no records": "sổ cái không có bản ghi nào",
    "record {seq} does not have the format that portalops writes": "bản ghi {seq} không đúng dạng do portalops ghi",
    "record {other} is stored as number {place}": "ở vị trí {place} là bản ghi {other}",
    "record {seq} has the time {at}, earlier than the record before it": "bản ghi {seq} có thời điểm {at}, sớm hơn bản ghi đứng trước",
    "record {seq} is not the record that record {next} was chained to": "bản ghi {seq} không phải bản ghi mà bản ghi {next} được nối vào",
    "record {seq}: a ledger begins with ledger.created, once": "bản ghi {seq}: sổ cái bắt đầu bằng ledger.created, và chỉ một lần",
    "bundle.json names a different ledger than record 1": "bundle.json nêu sổ cái khác với bản ghi 1",
    "record 1 does not name the ledger": "bản ghi 1 không nêu sổ cái",
    "the bundle is not signed: it has no head": "chưa có gì được ký: không có mốc sổ cái nào",
    "allowed_signers contradicts the records": "allowed_signers không đúng như các bản ghi",
    "records from {seq} on are not covered by a head of the keys that you gave": "các bản ghi từ {seq} trở đi không được mốc nào do các khóa đã cung cấp ký bao gồm",
    "figures.json: {name} does not equal what is computed from the records": "figures.json: {name} không khớp với kết quả tính lại từ các bản ghi",
    "the plan in record {seq} is missing or cannot be read: the expected runs are not known": "kế hoạch trong bản ghi {seq} không có ở đây hoặc không đọc được: không biết những gì đã được dự kiến",
    "  Verdict: DOES NOT HOLD": "  Kết luận: KHÔNG ĐẠT",
    "  Verdict: holds": "  Kết luận: đạt",
    "  Heads that hold: {n}; the newest: {code}, {at}": "  Mốc sổ cái hợp lệ: {n}; mới nhất: {code}, {at}",
    "  signed by the key {key}": "  do khóa {key} ký",
    "  NOTE: you gave no head of your own, so a ledger rewritten by a holder of its key would not be found.": "  LƯU Ý: ông/bà không cung cấp mốc sổ cái nào, nên không thể phát hiện sổ cái do chính người giữ khóa viết lại.",
    "  Time stamp {path}: {n} records, {at}": "  Dấu thời gian {path}: {n} bản ghi, {at}",
    "  {name}, {office}, signed a report named {report}: {which}": "  {name}, {office}, đã ký xác nhận báo cáo tên {report}: {which}",
    "it is {file} of this bundle": "đó là {file} trong gói này",
    "it is NOT a report of this bundle; ask for the file whose sha256sum is {digest}": "đó KHÔNG phải báo cáo trong gói này; hãy yêu cầu cung cấp tệp có sha256sum là {digest}",
    "  Figures not computed again, because their details are not in this bundle: {names}": "  Số liệu không tính lại được do chi tiết không có trong gói này: {names}",
    "  The first record that cannot be trusted is {seq}.": "  Bản ghi đầu tiên không còn đáng tin là bản ghi {seq}.",
    "  ... and {n} more": "  ... và {n} lỗi khác",
    "  Verdict: UNKNOWN": "  Kết luận: KHÔNG XÁC ĐỊNH ĐƯỢC",
    "it is not known whether anything expected is missing": "chưa xác định được có thiếu việc đã dự kiến hay không",
    "something expected is missing": "có việc đã dự kiến bị thiếu",
    "nothing expected is missing": "không thiếu việc nào đã dự kiến",
    "this program failed, so there is no verdict: {why}": "chương trình gặp lỗi, chưa có kết luận nào: {why}",
    "the security key was not touched": "khóa bảo mật không được chạm xác nhận",
    "this bundle is of a newer format, {version}: it needs a newer verify.py": "gói bằng chứng này có định dạng mới hơn, {version}: cần verify.py mới hơn",
    "{path} is not listed in SHA256SUMS": "{path} không có trong SHA256SUMS",
    "{path} cannot be read": "không đọc được {path}",
    "the folder {path} cannot be read": "không đọc được thư mục {path}",
    "record {seq} is of kind key but holds no key": "bản ghi {seq} là bản ghi khóa nhưng không có khóa",
    "record {seq} is of kind head but holds no head": "bản ghi {seq} là bản ghi mốc sổ cái nhưng không có mốc sổ cái",
    "{path} does not belong to this bundle": "{path} không thuộc gói này",
    "{path} is missing": "thiếu {path}",
    "{path} belongs to no head in the records": "{path} không phải mốc sổ cái của bản ghi nào",
    "{path} is not the head in record {of}": "{path} không phải mốc sổ cái trong bản ghi {of}",
    "record {seq}: the key names a previous key that did not sign for it": "bản ghi {seq}: khóa nêu một khóa trước không hề ký cho nó",
    "it is missing": "không có",
    "signed by a key that was not valid in the ledger": "được ký bằng khóa mà sổ cái không công nhận",
    "the signature of SHA256SUMS is not valid: {cause}": "chữ ký của SHA256SUMS không đúng: {cause}",
    "{path} is for no head in the records": "{path} không thuộc mốc sổ cái của bản ghi nào",
    "{path} is a time stamp of something else": "{path} là dấu thời gian của nội dung khác",
    "{path} is older than its head": "{path} có trước mốc sổ cái của nó",
    "record {seq} claims a time before {path}, which is older than the record": "bản ghi {seq} ghi thời điểm trước {path}, trong khi được ghi sau đó",
    "the head {name} belongs to another ledger, {ledger}": "mốc {name} thuộc sổ cái khác, {ledger}",
    "it is none": "không có nội dung",
    "what was signed is not the line of sha256sum for its report": "nội dung đã ký không phải dòng sha256sum của báo cáo",
    "it is signed by a different key than it names": "được ký bằng khóa khác với khóa đã nêu",
    "the sign-off in record {seq} is not valid: {cause}": "ký xác nhận trong bản ghi {seq} không đúng: {cause}",
    "the drill report in record {seq} is not valid: {cause}": "báo cáo diễn tập trong bản ghi {seq} không đúng: {cause}",
    "it is signed by a key of this ledger, so it is not from another host": "báo cáo được ký bằng khóa của chính sổ cái này, nên không phải của máy khác",
    "  Record {seq}: a drill of another host, signed with the key {key}": "  Bản ghi {seq}: diễn tập do máy khác thực hiện, ký bằng khóa {key}",
    "the writer in record {seq} counts for nothing: {why}": "việc đăng ký trong bản ghi {seq} không có giá trị: {why}",
    "the claim in record {seq} counts for nothing: {why}": "việc nhận bản ghi trong bản ghi {seq} không có giá trị: {why}",
    "it names no writer": "không nêu bên ghi nào",
    "it names no records": "không nêu bản ghi nào",
    "it is not signed by a key of the ledger": "không được ký bằng khóa của sổ cái",
    "it is signed by key {key}, which nobody confirmed": "được ký bằng khóa {key} mà chưa ai xác nhận",
    "another writer is called {name}": "đã có bên ghi khác tên là {name}",
    "it names records that did not exist": "nêu những bản ghi lúc đó chưa có",
    "the quarantine in record {seq} counts for nothing: {why}": "việc cách ly ghi trong bản ghi {seq} không có giá trị: {why}",
    "the mended clock in record {seq} counts for nothing: {why}": "việc sửa đồng hồ ghi trong bản ghi {seq} không có giá trị: {why}",
    "it does not end with the record before it": "phạm vi không kết thúc ở bản ghi ngay trước",
    "record {record} names the same records": "bản ghi {record} đã nêu cùng những bản ghi ấy",
    "{since} does not lie between record {record} and it": "thời điểm {since} không nằm giữa bản ghi {record} và bản ghi này",
    "record {record} is not ahead of {since}": "bản ghi {record} không ở sau thời điểm {since}",
    "  NOTE: the times of records {first} to {last} are wrong, and right from {since} on, say {by} and {second} (key {key}): {reason}": "  LƯU Ý: {by} và {second} (khóa {key}) xác nhận thời gian của các bản ghi từ {first} đến {last} bị sai, và đúng trở lại từ {since}: {reason}",
    "a signature is missing": "thiếu một chữ ký",
    "the second key is the ledger's own, or a machine's": "khóa thứ hai là khóa của chính sổ cái hoặc của một máy",
    "record {last} is another one than it names": "bản ghi {last} không phải bản ghi được nêu",
    "record {record} is whole, and no stranger's": "bản ghi {record} còn nguyên vẹn và không phải do người lạ ghi",
    "  NOTE: records {first} to {last} were set aside on {day} by {by} and {second} (key {key}): {reason}": "  LƯU Ý: các bản ghi từ {first} đến {last} đã được {by} và {second} (khóa {key}) cách ly ngày {day}: {reason}",
    "its records were claimed or set aside before": "các bản ghi này đã được nhận hoặc cách ly từ trước",
    "key {key} is not enrolled": "khóa {key} chưa được đăng ký",
    "of the records that the claim in record {seq} names, some were claimed or set aside before": "trong các bản ghi mà bản ký nhận ở bản ghi {seq} nêu, có bản ghi đã được nhận hoặc cách ly trước đó",
    "record {seq}: {name} may not record {kind}": "bản ghi {seq}: {name} không được phép ghi loại {kind}",
    "the erasure in record {seq} counts for nothing: it names the details of record {record}, which are never erased": "bản ghi xóa {seq} không có giá trị: bản ghi này nêu chi tiết của bản ghi {record}, là chi tiết không bao giờ được xóa",
    "  NOTE: what record {seq} sets aside is said to lack its details, which this bundle leaves out or has: that could not be found out.": "  LƯU Ý: những gì bản ghi {seq} cách ly được nói là thiếu nội dung chi tiết, mà gói này không chứa hoặc lại có nội dung đó: không xác định được.",
    "RESULT: nothing was changed since it was signed, but whether what record {seq} sets aside counts could not be found out ({whole}).": "KẾT QUẢ: không có gì bị thay đổi từ khi ký, nhưng không xác định được những gì bản ghi {seq} cách ly có giá trị hay không ({whole}).",
    "  NOTE: no writer claims records {first} to {last}.": "  LƯU Ý: không bên ghi nào nhận các bản ghi từ {first} đến {last}.",
    "RESULT: nothing was changed since it was signed, but no writer claims {n} records, the first is {seq} ({whole}).": "KẾT QUẢ: không có gì bị thay đổi từ khi ký, nhưng {n} bản ghi không bên ghi nào nhận, đầu tiên là bản ghi {seq} ({whole}).",
    "record {last} is not the record that the claim in record {claim} signed: records from {seq} on were rewritten": "bản ghi {last} không phải nội dung mà bên ghi đã ký nhận trong bản ghi {claim}: các bản ghi từ {seq} trở đi đã bị viết lại",
    "  Records {first} to {last} were recorded by {name} (key {key})": "  Các bản ghi từ {first} đến {last} do {name} ghi (khóa {key})",
    "a plan is outside the calendar": "kế hoạch nằm ngoài phạm vi lịch",
    "{path} is not a head: it does not have the six lines of a head": "{path} không phải mốc sổ cái: không có đủ sáu dòng",
    "this is not a head code: {code}": "đây không phải mã của mốc sổ cái: {code}",
    "  NOTE: the key {key} (record {seq}) is confirmed by no earlier key.": "  LƯU Ý: khóa {key} (bản ghi {seq}) chỉ tự xác nhận: không có khóa nào trước đó ký cho nó.",
    "  Your {name}: it holds": "  Tệp hoặc mã của ông/bà, {name}: khớp",
    "  Your {name}: it DOES NOT HOLD": "  Tệp hoặc mã của ông/bà, {name}: KHÔNG KHỚP",
    "    {it}": "    {it}",
    "    ... and {n} more (--json has them all)": "    ... và {n} mục khác (--json có đủ)",
    "{path} does not match its digest in SHA256SUMS": "{path} không đúng như SHA256SUMS ghi",
    "{path} does not belong here": "{path} không thuộc gói này",
    "line {line} of SHA256SUMS is not in the format of sha256sum, or not in order": "dòng {line} của SHA256SUMS không đúng dạng của sha256sum, hoặc sai thứ tự",
    "SHA256SUMS has many more lines than there are files": "SHA256SUMS có nhiều dòng hơn hẳn số tệp",
    "record {seq} does not end in a line feed": "bản ghi {seq} không kết thúc bằng dấu xuống dòng",
    "records {seq} to {last} are missing": "thiếu các bản ghi từ {seq} đến {last}",
    "record {size} is not the record that the head in record {head} signed: records from {seq} on were rewritten": "bản ghi {size} không phải nội dung mà mốc sổ cái trong bản ghi {head} đã ký: các bản ghi từ {seq} trở đi đã bị viết lại",
    "record {seq} and all later records are not covered by a head": "bản ghi {seq} và các bản ghi sau nó không thuộc mốc sổ cái nào",
    "{path} is not a valid time stamp: {cause}": "{path} không phải dấu thời gian: {cause}",
    "the head {name} covers {size} records, but the ledger has fewer: its end was cut off": "mốc {name} bao gồm {size} bản ghi nhưng sổ cái có ít hơn: phần cuối đã bị cắt",
    "bundle.json lacks what is needed": "bundle.json không cho biết điều cần thiết",
    "this is not a bundle: {folder} has no readable file {name}": "đây không phải gói bằng chứng: {folder} không có tệp {name} đọc được",
    "record {seq} was added after the last record": "bản ghi {seq} được thêm vào sau bản ghi cuối",
    "record {size} is not the record that the head {name} signed: records from {seq} on were rewritten later": "bản ghi {size} không phải là bản ghi mà mốc {name} đã ký: các bản ghi từ {seq} trở đi đã bị viết lại sau đó",
    "record {seq} is not the last record": "bản ghi {seq} không phải bản ghi cuối cùng",
    "record {seq}: its details may not be withheld: {digest}": "bản ghi {seq}: không được giữ lại chi tiết: {digest}",
    "record {seq}: blob {digest} does not match its digest": "bản ghi {seq}: khối dữ liệu {digest} đã khác trước",
    "record {seq}: blob {digest} is missing": "bản ghi {seq}: thiếu khối dữ liệu {digest}",
    "it is signed by a key that was not valid in the ledger at that time": "được ký bằng khóa mà sổ cái không công nhận vào lúc đó",
    "it belongs to another ledger": "thuộc sổ cái khác",
    "it does not follow the previous head": "không nối tiếp mốc sổ cái đứng trước",
    "its size does not lie between the previous head's and its own record number": "số bản ghi không nằm giữa mốc sổ cái đứng trước và chính nó",
    "its time does not lie between the times of the records around it": "thời điểm không nằm giữa các bản ghi liên quan",
    "its signature is not valid: {why}": "chữ ký không đúng: {why}",
    "the head in record {seq} is a copy of the one in record {first}": "mốc sổ cái trong bản ghi {seq} chép lại mốc trong bản ghi {first}",
    "the head in record {seq}: {why}": "mốc sổ cái trong bản ghi {seq}: {why}",
    "Planned runs without a record": "Việc theo kế hoạch không có bản ghi",
    "Runs that started but did not finish": "Lần chạy đã bắt đầu mà không kết thúc",
    "Ends without a start, by record": "Bản ghi kết thúc không có bắt đầu",
    "Details withheld": "Chi tiết được giữ lại, không đưa vào gói",
    "Details erased": "Chi tiết đã xóa",
    "Waivers in force in the period": "Miễn trừ có hiệu lực trong kỳ",
    "Records of waivers that cannot be read": "Bản ghi về miễn trừ không đọc được",
}


if __name__ == "__main__":
    sys.exit(main())
