"""Builds Debian packages around a wheelhouse, one for each Python in it.

    .venv/bin/python scripts/build_deb.py --signing-key FILE | --unsigned [WHEELHOUSE] [--output FOLDER]

Without WHEELHOUSE the newest in dist is taken. Wheels are unpacked as pip installs them, so dpkg owns every file but the byte
code, which is made on the machine. Needs dpkg-deb, and no network; the same wheelhouse gives the same bytes. A package for
Debian 13 needs that release's Python, and one for Debian 12 the other: neither installs on the other's release.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from portalops.errors import PortalOpsError  # noqa: E402
from portalops.signatures.sshsig import SigningKey, sign  # noqa: E402
from scripts.house import GLIBC, NAMESPACE, SUMS, BuildFailed, entry_points, fill, read_wheel, sums_of, unpack  # noqa: E402

RELEASES = {"3.13": "deb13", "3.11": "deb12"}
"""Debian's releases by their Python."""
HOME = "usr/lib/portalops"
MAINTAINER = "The authors of portalops <no-address@portalops.invalid>"
"""dpkg wants one; there is no address, and names in `invalid` are nobody's (RFC 6761, section 6.4). Who built a package is in its signature."""
TEMPLATES = ROOT / "packaging" / "deb"
KEPT = ("README", "build.json", "requirements.txt", "sbom.cdx.json", "audit.json", SUMS, f"{SUMS}.sig")
"""What of the wheelhouse lies in the package's folder of documentation."""
COMPLETIONS = {"zsh/site-functions": "zsh/vendor-completions"}
"""Where Debian has another folder than others."""
PROGRAM = """\
#!/{home}/bin/python
import sys

from {module} import {function}

sys.exit({function}())
"""


def main(arguments: Sequence[str]) -> int:
    """Build; return 0, or 1 with two lines on standard error."""
    parser = argparse.ArgumentParser(prog="build_deb.py", description="Build Debian packages around a wheelhouse.")
    parser.add_argument("wheelhouse", type=Path, nargs="?", help="the tarball; the newest in dist unless given")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where packages go (dist)")
    parser.add_argument("--python", action="append", help="for this one only, such as 3.13; again for more")
    signing = parser.add_mutually_exclusive_group(required=True)
    signing.add_argument(
        "--signing-key", type=Path, help="Ed25519, as ssh-keygen makes it; each package gets a .sig beside it"
    )
    signing.add_argument("--unsigned", action="store_true", help="nobody vouches for the packages")
    asked = parser.parse_args(arguments)
    try:
        key = SigningKey.load(asked.signing_key) if asked.signing_key else None
        asked.output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="portalops-deb-") as scratch:
            house = unpacked(asked.wheelhouse or newest(ROOT / "dist"), Path(scratch))
            for python in chosen(house, asked.python):
                package = build_deb(house, python, asked.output, Path(scratch) / python)
                data = package.read_bytes()
                if key is not None:
                    package.with_name(f"{package.name}.sig").write_text(sign(data, key, NAMESPACE), encoding="utf-8")
                print(f"{hashlib.sha256(data).hexdigest()}  {package}")
    except (BuildFailed, PortalOpsError) as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}\nhint: Check the free space, and that dpkg-deb is installed.", file=sys.stderr)
        return 1
    return 0


def chosen(house: Path, asked: Sequence[str] | None) -> Sequence[str]:
    """Return the Pythons that packages are built for: those asked for, or all that the wheelhouse is for."""
    pythons = list(json.loads((house / "build.json").read_bytes())["pythons"])
    if absent := sorted(set(asked or ()) - set(pythons)):
        raise BuildFailed(f"the wheelhouse is not for Python {', '.join(absent)}", f"It is for {', '.join(pythons)}.")
    return asked or pythons


def newest(folder: Path) -> Path:
    """Return the wheelhouse that was built last."""
    found = sorted(folder.glob("portalops-*-wheelhouse-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BuildFailed(f"there is no wheelhouse in {folder}", "Build one first: make wheelhouse.")
    return found[-1]


def unpacked(tarball: Path, scratch: Path) -> Path:
    """Unpack a wheelhouse, and make sure that it is what its own list says.

    Raises:
        BuildFailed: it is not.
    """
    try:
        with tarfile.open(tarball) as archive:
            unpack_plain(archive, scratch)
        (house,) = (path for path in scratch.iterdir() if path.is_dir())
        is_whole = (house / SUMS).read_text(encoding="utf-8") == sums_of(house)
    except (tarfile.TarError, ValueError, OSError) as error:
        raise BuildFailed(f"{tarball} is no wheelhouse: {error}", "Build one: make wheelhouse.") from error
    if not is_whole:
        raise BuildFailed(f"{tarball} is not what its {SUMS} says", "Copy it anew, or build it again.")
    return house


def unpack_plain(archive: tarfile.TarFile, folder: Path) -> None:
    """Unpack plain files and folders, none of which leads out of the folder.

    Raises:
        tarfile.TarError: there is something else in it.
    """
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    for member in archive:  # Python of Debian 12 has no filters yet
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name} is no plain file or folder below it")
        archive.extract(member, folder)


def build_deb(house: Path, python: str, output: Path, scratch: Path) -> Path:
    """Build the package of a Python below a folder, and return where it lies."""
    told = json.loads((house / "build.json").read_bytes())
    made_at = datetime.fromtimestamp(told["epoch"], UTC)
    release = RELEASES.get(python, f"py{python}")
    version = f"{told['version']}+{made_at:%Y%m%d%H%M}.{told['build']}~{release}"
    root = scratch / "root"
    licences = lay_out(house, python, root)
    values = {
        "DEB_VERSION": version,
        "VERSION": told["version"],
        "BUILD": told["build"],
        "COMMIT": told["commit"],
        "PYTHON": python,
        "GLIBC": ".".join(map(str, GLIBC)),
        "MAINTAINER": MAINTAINER,
        "DATE": format_datetime(made_at),
        "LICENCES": "\n".join(licences),
        "INSTALLED_SIZE": sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir()) // 1024,
    }
    _documents(house, root / "usr/share/doc/portalops", values)
    for name, where in (("sysusers.conf", "usr/lib/sysusers.d"), ("tmpfiles.conf", "usr/lib/tmpfiles.d")):
        _write(root / where / "portalops.conf", (TEMPLATES / name).read_text(encoding="utf-8"))
    sums = [
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    ]
    _write(root / "DEBIAN/md5sums", "".join(sums))
    for name in ("control", "postinst", "prerm", "postrm"):
        text = fill((TEMPLATES / name).read_text(encoding="utf-8"), values)
        _write(root / "DEBIAN" / name, text, mode=0o644 if name == "control" else 0o755)
    return _packed(root, output / f"portalops_{version}_amd64.deb", told["epoch"])


def lay_out(house: Path, python: str, root: Path) -> Sequence[str]:
    """Lay out what is installed below a root folder, and return each package with its licence."""
    home = root / HOME
    packages = home / f"lib/python{python}/site-packages"
    wheels = [wheel for wheel in map(read_wheel, sorted((house / "wheels").glob("*.whl"))) if wheel.is_for(python)]
    wheels = [wheel for wheel in wheels if wheel.name != "pip"]
    for wheel in wheels:
        unpack(wheel, packages, home / "bin", f"#!/{HOME}/bin/python", home)
    shutil.rmtree(home / "bin", ignore_errors=True)  # programs of other packages are nobody's here
    shutil.rmtree(home / "share", ignore_errors=True)
    (info,) = packages.glob("portalops-*.dist-info")
    module, function = entry_points(info)["portalops"].split(":")
    _write(home / "bin/portalops", PROGRAM.format(home=HOME, module=module, function=function), mode=0o755)
    (home / "bin/python").symlink_to(f"/usr/bin/python{python}")
    settings = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\nexecutable = /usr/bin/python{python}\n"
    _write(home / "pyvenv.cfg", settings)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/portalops").symlink_to(f"../{HOME.removeprefix('usr/')}/bin/portalops")
    for path in sorted((house / "share").rglob("*")):
        if path.is_file():
            _share(path, root / "usr/share", path.relative_to(house / "share").as_posix())
    return [f"  {wheel.name} {wheel.version}: {wheel.licence or 'not named'}" for wheel in wheels]


def _share(path: Path, share: Path, name: str) -> None:
    for usual, debians in COMPLETIONS.items():
        name = name.replace(usual, debians)
    if name.startswith("man/"):
        _write(share / f"{name}.gz", _zipped(path.read_bytes()))
    else:
        _write(share / name, path.read_bytes())


def _documents(house: Path, folder: Path, values: Mapping[str, object]) -> None:
    for name in KEPT:
        if (house / name).exists():
            _write(folder / "wheelhouse" / name, (house / name).read_bytes())
    _write(folder / "copyright", fill((TEMPLATES / "copyright").read_text(encoding="utf-8"), values))
    _write(
        folder / "changelog.gz", _zipped(fill((TEMPLATES / "changelog").read_text(encoding="utf-8"), values).encode())
    )


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _write(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def _packed(root: Path, target: Path, epoch: int) -> Path:
    for path in (root, *root.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    os.utime(root, (epoch, epoch))
    # dpkg of Debian 12 reads zstd; xz -1 takes ten times as long for three hundredths less.
    command = ("dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--threads-max=1", "--build", str(root), str(target))
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        said = re.sub(r"\s+", " ", done.stderr)[:300]
        raise BuildFailed(
            f"dpkg-deb ended with {done.returncode}: {said}", "See whether dpkg-deb is new enough: 1.21.18 or later."
        )
    return target


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
