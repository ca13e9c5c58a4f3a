"""What a wheelhouse is made of: locked requirements, wheels, the list of what is in it, and archives that are the same each time.

Nothing here reaches the network; scripts/build_wheelhouse.py and scripts/build_deb.py put it together.
"""

from __future__ import annotations

import csv
import email.parser
import email.policy
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"
NAMESPACE = "portalops-release"
"""Of its signature (PROTOCOL.sshsig): a signature made for anything else does not pass for one of a wheelhouse."""
GLIBC = (2, 34)
"""The oldest C library that it is for: Debian 12 has 2.36, and the wheels of some requirements need 2.34."""


class BuildFailed(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


# --- the lock ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pin:
    """A requirement of a lock file."""

    name: str
    """Canonical: lower case, words joined by hyphens."""
    version: str
    marker: str
    """PEP 508, or empty."""
    hashes: frozenset[str]
    """SHA-256 of each file that may stand for it."""


def read_lock(text: str) -> tuple[Pin, ...]:
    """Return what a lock file names.

    Raises:
        BuildFailed: a line is none that scripts/lock.py writes, or names no digest.
    """
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    pins = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        found = re.fullmatch(
            r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)(?:\s*;\s*(.*?))?((?:\s+--hash=sha256:[0-9a-f]{64})+)", line
        )
        if found is None:
            raise BuildFailed(f"not a locked requirement: {line[:80]}", "Write the lock files anew: make lock.")
        hashes = frozenset(re.findall(r"sha256:([0-9a-f]{64})", found[4]))
        pins.append(Pin(canonicalize_name(found[1]), found[2], found[3] or "", hashes))
    return tuple(pins)


def environment_of(python: str) -> Mapping[str, str]:
    """Return what markers are judged by for a Python of Linux on x86_64: the builder's own counts for nothing."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "extra": "",
    }


def pins_for(pins: Iterable[Pin], python: str) -> tuple[Pin, ...]:
    """Return the requirements that hold for a Python, such as 3.13."""
    environment = dict(environment_of(python))
    return tuple(pin for pin in pins if not pin.marker or Marker(pin.marker).evaluate(environment))


def requirements_text(pins: Iterable[Pin], hashes: Mapping[str, Iterable[str]]) -> str:
    """Return requirements that name no index, and only the digests of wheels that are there.

    Args:
        pins: what is locked.
        hashes: of the wheels, by canonical name; a pin without any is left out.
    """
    lines = []
    for pin in sorted(pins, key=lambda each: each.name):
        if held := sorted(hashes.get(pin.name, ())):
            marker = f" ; {pin.marker}" if pin.marker else ""
            lines.append(
                f"{pin.name}=={pin.version}{marker}" + "".join(f" \\\n    --hash=sha256:{one}" for one in held)
            )
    return "\n".join(lines) + "\n"


# --- wheels -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel, as its own files tell of it."""

    path: Path
    sha256: str
    name: str
    """Canonical."""
    version: str
    licence: str
    """An SPDX expression or what its makers call it; empty if they name none."""
    summary: str
    requires: tuple[str, ...]
    """`Requires-Dist`, as written."""
    record: str
    """The text of RECORD."""
    installed_bytes: int
    """What its files take, with byte code about as large as the code."""
    tags: frozenset[str] = field(default=frozenset())
    """Of interpreters: cp313, cp39, py3."""

    def is_for(self, python: str) -> bool:
        """Say whether it can be installed in a Python, such as 3.13."""
        minor = int(python.partition(".")[2])
        abi = self.path.stem.split("-")[-2]
        for tag in self.tags:
            if tag in {"py3", f"cp3{minor}", f"py3{minor}"}:
                return True
            if abi == "abi3" and (older := re.fullmatch(r"cp3(\d+)", tag)) and int(older[1]) <= minor:
                return True
        return False


def read_wheel(path: Path) -> Wheel:
    """Read a wheel.

    Raises:
        BuildFailed: it is none.
    """
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            (folder,) = {name.partition("/")[0] for name in names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)}
            told = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(archive.read(f"{folder}/METADATA"))
            record = archive.read(f"{folder}/RECORD").decode()
            size = sum(info.file_size * (2 if info.filename.endswith(".py") else 1) for info in archive.infolist())
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise BuildFailed(
            f"{path.name} is no wheel: {error}", "Remove it from .cache/wheels and build again."
        ) from error
    return Wheel(
        path,
        hashlib.sha256(data).hexdigest(),
        canonicalize_name(str(told["Name"])),
        str(told["Version"]),
        _licence(told),
        str(told["Summary"] or ""),
        tuple(str(each) for each in told.get_all("Requires-Dist") or ()),
        record,
        size,
        frozenset(path.stem.split("-")[-3].split(".")),
    )


def _licence(told: email.message.Message) -> str:
    expression = str(told["License-Expression"] or "")
    if expression:
        return expression
    named = str(told["License"] or "").strip()
    if named and len(named) <= 60 and "\n" not in named:
        return named
    classified = [
        str(each).rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License")
    ]
    return " OR ".join(classified)


def unpack(wheel: Wheel, packages: Path, scripts: Path, shebang: str, data: Path) -> None:
    """Lay a wheel's files out as an installer does (packaging.python.org, *Binary distribution format*).

    Args:
        wheel: what is unpacked.
        packages: where modules go.
        scripts: where programs go.
        shebang: the first line of programs in Python.
        data: what `data` files lie under.
    """
    with zipfile.ZipFile(wheel.path) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            place = _place(info.filename, packages, scripts, data)
            if place is None:
                continue
            content = archive.read(info)
            if place.parent == scripts and content.startswith((b"#!python\n", b"#!python\r\n")):
                content = shebang.encode() + content[content.index(b"\n") :]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            runs = (info.external_attr >> 16) & 0o111 and not place.name.endswith(".so")
            place.chmod(0o755 if place.parent == scripts or runs else 0o644)


def _place(name: str, packages: Path, scripts: Path, data: Path) -> Path | None:
    if name.startswith("/") or ".." in name.split("/"):
        raise BuildFailed(f"a wheel holds a file outside of itself: {name[:80]}", "Do not use that wheel.")
    found = re.fullmatch(r"[^/]+\.data/([a-z]+)/(.+)", name)
    if found is None:
        return packages / name
    match found[1]:
        case "purelib" | "platlib":
            return packages / found[2]
        case "scripts":
            return scripts / found[2]
        case "data":
            return data / found[2]
        case _:
            return None  # headers: nothing here is compiled against them


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return a template with each @NAME@ replaced.

    Raises:
        BuildFailed: a name has no value.
    """
    for key, value in values.items():
        template = template.replace(f"@{key}@", str(value))
    if left := re.search(r"@[A-Z_]+@", template):
        raise BuildFailed(f"nothing is known of {left.group()}", "Give it a value where the template is filled.")
    return template


# --- what is in it, and archives --------------------------------------------------------------


def sums_of(folder: Path) -> str:
    """Return what `sha256sum` prints for every file below a folder, sorted by name; of the list itself and its signature nothing."""
    lines = []
    for path in sorted(_files(folder)):
        name = path.relative_to(folder).as_posix()
        if name not in {SUMS, SIGNATURE}:
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return "".join(lines)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def write_tar(folder: Path, target: Path, *, epoch: int) -> None:
    """Pack a folder: the same files give the same bytes, whoever packs them, when and where."""
    with target.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=epoch) as zipped:
        add_tree(zipped, folder, folder.name, epoch=epoch)


def add_tree(target: io.BufferedIOBase | gzip.GzipFile, folder: Path, name: str, *, epoch: int) -> None:
    """Write a folder as a tar archive, of root, with every time the same."""
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in (folder, *sorted(folder.rglob("*"))):
            info = archive.gettarinfo(path, f"{name}/{path.relative_to(folder).as_posix()}".removesuffix("/."))
            info.uid = info.gid = 0
            info.uname = info.gname = "root"
            info.mtime = epoch
            info.mode = 0o777 if info.issym() else 0o755 if info.isdir() or info.mode & 0o100 else 0o644
            if info.isreg():
                with path.open("rb") as content:
                    archive.addfile(info, content)
            else:
                archive.addfile(info)


def entry_points(record_folder: Path) -> Mapping[str, str]:
    """Return the programs that a distribution declares: MODULE:FUNCTION by name."""
    try:
        text = (record_folder / "entry_points.txt").read_text(encoding="utf-8")
    except OSError:
        return {}
    section = re.split(r"(?m)^\[", f"\n{text}")
    scripts = next((part for part in section if part.startswith("console_scripts]")), "")
    return dict(re.findall(r"(?m)^([\w.-]+)\s*=\s*([\w.]+:[\w.]+)", scripts))


def paths_of(record: str) -> Sequence[str]:
    """Return the files that a RECORD lists."""
    return [row[0] for row in csv.reader(record.splitlines()) if row]
