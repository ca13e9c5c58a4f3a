"""Tiny wheelhouses: the real installer and lists, with a portalops of a few lines that needs one other package."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops.signatures.sshsig import SigningKey, sign
from scripts.house import NAMESPACE, SIGNATURE, SUMS, Pin, fill, read_wheel, requirements_text, sums_of

ROOT = Path(__file__).parents[2]
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
STRANGER = SigningKey.of(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
SIGNER = "build@ict.example"
OWN = "def main():\n    import tiny_dependency\n    print('portalops {version}')\n"


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], metadata: str = "") -> Path:
    """Write a wheel of pure Python."""
    info = f"{name}-{version}.dist-info"
    held = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = io.StringIO()
    writer = csv.writer(record, lineterminator="\n")
    for path, text in held.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        writer.writerow([path, f"sha256={digest}", len(text.encode())])
    writer.writerow([f"{info}/RECORD", "", ""])
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in {**held, f"{info}/RECORD": record.getvalue()}.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 11, 26, 0, 0, 0)), text)
    return target


def portalops_wheel(folder: Path, version: str) -> Path:
    """Write a portalops that tells its version, if what it needs is there."""
    return wheel(
        folder,
        "portalops",
        version,
        {
            "portalops_of_tests.py": OWN.format(version=version),
            f"portalops-{version}.dist-info/entry_points.txt": "[console_scripts]\nportalops = portalops_of_tests:main\n",
        },
        "Requires-Dist: tiny-dependency\nLicense-Expression: Apache-2.0\n",
    )


def house(
    folder: Path,
    version: str = "1.0.0",
    *,
    key: SigningKey | None = KEY,
    build: str = "",
    kib: int = 1,
    share: Mapping[str, str] | None = None,
    wrong_digest: bool = False,
) -> Path:
    """Make a wheelhouse in a folder; `wrong_digest`: what is locked is not what is there, though all is listed and signed."""
    wheels = folder / "wheels"
    _pip_wheel(wheels)
    paths = [
        portalops_wheel(wheels, version),
        wheel(wheels, "tiny_dependency", "2.0", {"tiny_dependency.py": f"# {build}\n"}, "License: MIT\n"),
    ]
    made = [read_wheel(path) for path in paths]
    hashes = {each.name: [hashlib.sha256(b"").hexdigest() if wrong_digest else each.sha256] for each in made}
    requirements = requirements_text((Pin(each.name, each.version, "", frozenset()) for each in made), hashes)
    (folder / "requirements.txt").write_text(requirements)
    values = {
        "VERSION": version,
        "BUILD": hashlib.sha256(requirements.encode()).hexdigest()[:8],
        "PYTHONS": PYTHON,
        "GLIBC": "2.17",
        "NAMESPACE": NAMESPACE,
        "KIB_CASES": f"    {PYTHON}) echo {kib} ;;",
    }
    script = fill((ROOT / "packaging/install.sh").read_text(), values)
    (folder / "install.sh").write_text(script)
    (folder / "install.sh").chmod(0o755)
    (folder / "build.json").write_text(json.dumps({"version": version}))
    for name, text in (share or {}).items():
        (folder / "share" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "share" / name).write_text(text)
    seal(folder, key)
    return folder


def seal(folder: Path, key: SigningKey | None) -> None:
    """List what is in a wheelhouse, and sign that."""
    sums = sums_of(folder)
    (folder / SUMS).write_text(sums)
    (folder / SIGNATURE).unlink(missing_ok=True)
    if key is not None:
        (folder / SIGNATURE).write_text(sign(sums.encode(), key, NAMESPACE))


def allowed(folder: Path, key: SigningKey = KEY) -> Path:
    """Write a file of allowed signers."""
    path = folder / "release.allowed"
    path.write_text(f"{SIGNER} {key.public_key}\n")
    return path


def install(
    folder: Path, machine: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Call a wheelhouse's installer; `machine` stands for the root folder."""
    return subprocess.run(
        command(folder, machine, *arguments),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin:/usr/sbin", **(environment or {})},
    )


def command(folder: Path, machine: Path, *arguments: str) -> list[str]:
    """Return how the installer is called."""
    places = ("--prefix", str(machine / "opt/portalops"), "--links", str(machine / "usr/local"))
    return ["sh", str(folder / "install.sh"), *places, "--python", sys.executable, *arguments]


def _pip_wheel(folder: Path) -> None:
    """Make a wheel of the pip that this environment has."""
    try:
        pip = distribution("pip")
    except PackageNotFoundError:
        pytest.skip("there is no pip in this environment")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"pip-{pip.version}-py3-none-any.whl", "w") as archive:
        for path in pip.files or ():
            if not path.as_posix().startswith("..") and path.suffix != ".pyc":
                archive.write(str(path.locate()), path.as_posix())
