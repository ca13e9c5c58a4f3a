"""Builds a tarball that installs portalops on a machine without a network.

    .venv/bin/python scripts/build_wheelhouse.py --signing-key FILE | --unsigned
        [--python VERSION]... [--output FOLDER] [--audit FILE]

What is built is the commit that is checked out. Wheels come from .cache/wheels, or else through pip as this machine has set it
up, each checked against its digest in requirements/portal.txt. The same commit, lock and audit give the same bytes; every time
in them is SOURCE_DATE_EPOCH, or the commit's. docs/installation.md tells what is in it, and how it is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from portalops.errors import PortalOpsError  # noqa: E402
from portalops.model.installations import files_digest  # noqa: E402
from portalops.signatures.sshsig import SigningKey, fingerprint, sign  # noqa: E402
from scripts.house import (  # noqa: E402
    GLIBC,
    NAMESPACE,
    SIGNATURE,
    SUMS,
    BuildFailed,
    Pin,
    Wheel,
    fill,
    pins_for,
    read_lock,
    read_wheel,
    requirements_text,
    sums_of,
    write_tar,
)
from scripts.materials import audit_of, bill_of  # noqa: E402

LOCK = "requirements/portal.txt"
PYTHONS = ("3.13", "3.11")
"""Of Debian 13 and 12."""
WHEELS = ROOT / ".cache" / "wheels"
OWN = "portalops"
SPARE_KIB = 64 * 1024
"""Room beyond what the files take: blocks that are not full, and what pip unpacks meanwhile."""


def main(arguments: Sequence[str]) -> int:
    """Build; return 0, or 1 with two lines on standard error."""
    parser = argparse.ArgumentParser(
        prog="build_wheelhouse.py", description="Build a wheelhouse of the commit checked out."
    )
    parser.add_argument(
        "--python", action="append", help=f"version, such as 3.13; again for more ({' and '.join(PYTHONS)})"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where the tarball goes (dist)")
    parser.add_argument("--audit", type=Path, help="audit.json of an earlier build, instead of asking anew")
    signing = parser.add_mutually_exclusive_group(required=True)
    signing.add_argument("--signing-key", type=Path, help="Ed25519, as ssh-keygen makes it, without a passphrase")
    signing.add_argument("--unsigned", action="store_true", help="nobody vouches for it, and it says so")
    asked = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="portalops-house-") as scratch:
            house = build_house(
                Path(scratch), tuple(asked.python or PYTHONS), signing_key=asked.signing_key, audit=asked.audit
            )
            asked.output.mkdir(parents=True, exist_ok=True)
            target = asked.output / f"{house.name}.tar.gz"
            write_tar(house, target.with_suffix(".new"), epoch=epoch_of_commit())
            target.with_suffix(".new").replace(target)
    except (BuildFailed, PortalOpsError) as error:
        print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}\nhint: Check the free space, and who owns {ROOT}.", file=sys.stderr)
        return 1
    print(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  {target}")
    return 0


def say(step: str) -> None:
    """Print one step, where the person sees it before it is done."""
    print(f"wheelhouse: {step}", file=sys.stderr, flush=True)


def build_house(scratch: Path, pythons: Sequence[str], *, signing_key: Path | None, audit: Path | None) -> Path:
    """Put a wheelhouse together below a folder, and return where it lies; its name is that of the tarball.

    Raises:
        BuildFailed: something is missing, or is not what is locked.
        PortalOpsError: the signing key cannot be had.
    """
    for python in pythons:
        if python.partition(".")[0] != "3" or not python.partition(".")[2].isdigit():
            raise BuildFailed(f"no version of Python: {python}", "Name it as 3.13.")
    key = SigningKey.load(signing_key) if signing_key else None
    epoch = epoch_of_commit()
    source = scratch / "source"
    checkout(source)
    own = own_wheel(source, scratch / "own", epoch)
    pins = read_lock((source / LOCK).read_text(encoding="utf-8"))
    wheels = [
        own,
        *{wheel.path.name: wheel for python in pythons for wheel in fetch(pins_for(pins, python), python)}.values(),
    ]

    hashes: dict[str, set[str]] = {}
    for wheel in wheels:
        hashes.setdefault(wheel.name, set()).add(wheel.sha256)
    named = [*(pin for pin in pins if pin.name != "pip"), Pin(OWN, own.version, "", frozenset({own.sha256}))]
    requirements = requirements_text(named, hashes)
    build = hashlib.sha256(requirements.encode()).hexdigest()[:8]

    tags = "-".join(f"cp{python.replace('.', '')}" for python in pythons)
    house = scratch / f"{OWN}-{own.version}-wheelhouse-{tags}-manylinux_{GLIBC[0]}_{GLIBC[1]}_x86_64"
    (house / "wheels").mkdir(parents=True)
    for wheel in wheels:
        shutil.copyfile(wheel.path, house / "wheels" / wheel.path.name)
    (house / "requirements.txt").write_text(requirements, encoding="utf-8")
    _require_closed(house, pythons)
    told = {
        "version": own.version,
        "build": build,
        "commit": commit(),
        "epoch": epoch,
        "pythons": {python: _told_of(wheels, python) for python in pythons},
    }
    (house / "build.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    (house / "sbom.cdx.json").write_text(bill_of(wheels, OWN, pythons, epoch=epoch, build=build), encoding="utf-8")
    audited = audit.read_text(encoding="utf-8") if audit else _audited(source, wheels)
    (house / "audit.json").write_text(audited, encoding="utf-8")
    _share(source, house / "share", epoch)
    _write_texts(source, house, told, json.loads(audited), wheels, is_signed=key is not None)
    sums = sums_of(house)
    (house / SUMS).write_text(sums, encoding="utf-8")
    if key is None:
        say("NOT signed, as you asked: whoever gets it cannot know who made it")
    else:
        (house / SIGNATURE).write_text(sign(sums.encode(), key, NAMESPACE), encoding="utf-8")
        say(f"signed by {fingerprint(key.public_key)}")
    return house


# --- the source -------------------------------------------------------------------------------


def commit() -> str:
    """Return the commit that is checked out.

    Raises:
        BuildFailed: this is no clone of the repository.
    """
    return _git("rev-parse", "HEAD").strip()


def epoch_of_commit() -> int:
    """Return the moment that everything bears, in seconds since 1970.

    Raises:
        BuildFailed: SOURCE_DATE_EPOCH is no number, or this is no clone.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given and not given.isdigit():
        raise BuildFailed(
            f"SOURCE_DATE_EPOCH is no number: {given[:40]}", "It counts seconds since 1970, or is not set."
        )
    # A zip archive knows no year before 1980.
    return max(int(given or _git("log", "-1", "--format=%ct")), 315_532_800)


def checkout(folder: Path) -> None:
    """Write the files of the commit into a folder; say if the work tree has others."""
    if changed := _git("status", "--porcelain", "--untracked-files=no").strip():
        say(f"{len(changed.splitlines())} files have changes that are not committed: they are NOT in what is built")
    folder.mkdir(parents=True)
    packed = folder.with_suffix(".tar")
    _git("archive", "--format=tar", f"--output={packed}", "HEAD")
    run("tar", "-xf", str(packed), "-C", str(folder))
    packed.unlink()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildFailed(
            f"git {arguments[0]}: {done.stderr.strip()[:300]}",
            "A wheelhouse is built from a commit: call this in a clone.",
        )
    return done.stdout


def run(*command: str, folder: Path = ROOT, more: Mapping[str, str] | None = None) -> None:
    """Run a program whose output goes to standard error.

    Raises:
        BuildFailed: it did not end with 0.
    """
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(more or {})}
    done = subprocess.run(command, cwd=folder, check=False, stdout=sys.stderr, env=environment, umask=0o022)
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command[:4])} ... ended with {done.returncode}", "The lines above say why.")


# --- wheels -----------------------------------------------------------------------------------


def own_wheel(source: Path, folder: Path, epoch: int) -> Wheel:
    """Build portalops's own wheel from its sources."""
    say("building portalops itself")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    run(*pip, "--wheel-dir", str(folder), str(source), more={"SOURCE_DATE_EPOCH": str(epoch)})
    (path,) = folder.glob("*.whl")
    return read_wheel(path)


def fetch(pins: Sequence[Pin], python: str) -> list[Wheel]:
    """Return the wheels that are locked for a Python, out of .cache/wheels if they are there.

    Raises:
        BuildFailed: one cannot be had.
    """
    WHEELS.mkdir(parents=True, exist_ok=True)
    held = {}
    for path in sorted(WHEELS.glob("*.whl")):
        wheel = read_wheel(path)
        held[wheel.sha256] = wheel
    missing = [pin for pin in pins if not any(_stands_for(held[one], pin, python) for one in pin.hashes & held.keys())]
    if missing:
        say(f"fetching {len(missing)} wheels for Python {python}")
        with tempfile.TemporaryDirectory() as scratch:
            asked = Path(scratch) / "asked.txt"
            lines = (
                f"{pin.name}=={pin.version}" + "".join(f" --hash=sha256:{one}" for one in sorted(pin.hashes))
                for pin in missing
            )
            asked.write_text("\n".join(lines) + "\n", encoding="utf-8")
            got = Path(scratch) / "got"
            run(*_pip_download(python), "--dest", str(got), "--requirement", str(asked))
            for path in got.glob("*.whl"):
                shutil.move(path, WHEELS / path.name)
        _require_held(missing, python)
        return fetch(pins, python)
    return [
        next(held[one] for one in sorted(pin.hashes & held.keys()) if _stands_for(held[one], pin, python))
        for pin in pins
    ]


def _require_held(pins: Iterable[Pin], python: str) -> None:
    held = {wheel.sha256: wheel for wheel in map(read_wheel, WHEELS.glob("*.whl"))}
    for pin in pins:
        if not any(_stands_for(held[one], pin, python) for one in pin.hashes & held.keys()):
            raise BuildFailed(
                f"there is no wheel of {pin.name} {pin.version} for Python {python}",
                "Build for another Python, or lock another version: make lock.",
            )


def _stands_for(wheel: Wheel, pin: Pin, python: str) -> bool:
    return wheel.name == pin.name and wheel.version == pin.version and wheel.is_for(python)


def _pip_download(python: str) -> Sequence[str]:
    """Return how pip fetches wheels for another Python: all four must be told, since each falls back on this machine's own."""
    tag = f"cp{python.replace('.', '')}"
    newest_first = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC[1], 4, -1)]
    platforms = [*newest_first, "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    return (
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--only-binary=:all:"),
        *("--require-hashes", "--python-version", python, "--implementation", "cp"),
        *(part for abi in (tag, "abi3", "none") for part in ("--abi", abi)),
        *(part for platform in platforms for part in ("--platform", platform)),
    )


def _require_closed(house: Path, pythons: Sequence[str]) -> None:
    """Make sure that everything that a wheel needs is there: at a portal there is nowhere else to look."""
    for python in pythons:
        with tempfile.TemporaryDirectory() as scratch:
            command = [
                part if part != "download" else "install" for part in _pip_download(python) if part != "--no-deps"
            ]
            closed = (
                "--no-index",
                "--find-links",
                str(house / "wheels"),
                "--dry-run",
                "--ignore-installed",
                "--target",
                scratch,
            )
            run(*command, *closed, "--requirement", str(house / "requirements.txt"), more={"PIP_FIND_LINKS": ""})


def _told_of(wheels: Iterable[Wheel], python: str) -> Mapping[str, object]:
    """Return what a ledger will say of an installation, and what it takes."""
    used = [wheel for wheel in wheels if wheel.is_for(python) and wheel.name != "pip"]
    return {
        "code": files_digest(wheel.record for wheel in used if wheel.name == OWN),
        "requirements": files_digest(wheel.record for wheel in used if wheel.name != OWN),
        "kib": sum(wheel.installed_bytes for wheel in used) // 1024 + SPARE_KIB,
    }


# --- what lies beside the wheels --------------------------------------------------------------


def _audited(source: Path, wheels: Sequence[Wheel]) -> str:
    """Ask pip-audit what is known today; where it cannot be asked, that is what is written down."""

    say("asking pip-audit what is known of the packages")
    with tempfile.TemporaryDirectory() as scratch:
        answer = Path(scratch) / "answer.json"
        asked = [sys.executable, "-m", "pip_audit", "--requirement", str(source / LOCK), "--no-deps", "--disable-pip"]
        done = subprocess.run(
            [*asked, "--format", "json", "--output", str(answer), "--progress-spinner", "off"],
            check=False,
            capture_output=True,
            text=True,
        )
        text = answer.read_text(encoding="utf-8") if answer.exists() else ""
    if not text:
        say(f"pip-audit gave no answer: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}")
    names = [wheel.name for wheel in wheels if wheel.name != OWN]
    found = audit_of(text, names, at=datetime.now(UTC).date().isoformat(), tool=f"pip-audit {version('pip-audit')}")
    if found["verdict"] != "none known":
        say(
            f"vulnerabilities: {found['verdict']}; {len(found['unknown'])} packages not looked up, {found['vulnerable'] or ''}"
        )
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _share(source: Path, folder: Path, epoch: int) -> None:
    """Write manual pages, completion and the alerts for Prometheus, as they go below share/."""
    more = {"SOURCE_DATE_EPOCH": str(epoch), "PYTHONPATH": str(source)}
    for script, where in (
        ("build_manuals.py", folder / "man"),
        ("build_completions.py", folder.with_name("completions")),
    ):
        if not (source / "scripts" / script).exists():
            say(f"no {script} in this commit: its files are left out")
            continue
        run(sys.executable, str(source / "scripts" / script), str(where), folder=source, more=more)
    made = folder.with_name("completions")
    places = {"portalops": "bash-completion/completions", "_portalops": "zsh/site-functions"}
    for path in sorted(made.rglob("*")) if made.exists() else []:
        if path.is_file():
            place = folder / places.get(path.name, "fish/vendor_completions.d")
            place.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place / path.name)
    shutil.rmtree(made, ignore_errors=True)
    if (alerts := source / "docs" / "prometheus-alerts.yml").exists():
        (folder / "portalops").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(alerts, folder / "portalops" / alerts.name)


def _write_texts(
    source: Path,
    house: Path,
    told: Mapping[str, object],
    audit: Mapping[str, object],
    wheels: Sequence[Wheel],
    *,
    is_signed: bool,
) -> None:
    pythons = told["pythons"]
    assert isinstance(pythons, dict)
    unnamed = sorted({wheel.name for wheel in wheels if not wheel.licence})
    values = {
        "VERSION": told["version"],
        "BUILD": told["build"],
        "COMMIT": told["commit"],
        "PYTHONS": " ".join(pythons),
        "GLIBC": ".".join(map(str, GLIBC)),
        "NAMESPACE": NAMESPACE,
        "KIB_CASES": "\n".join(f"    {python}) echo {one['kib']} ;;" for python, one in pythons.items()),
        "SIGNED": "It is signed." if is_signed else "It is NOT signed: nobody vouches for it.",
        "AUDIT": _audit_sentence(audit),
        "LICENCES": f"No licence is named by: {', '.join(unnamed)}." if unnamed else "Each package names its licence.",
        "DIGESTS": "\n".join(
            f"    Python {python}: code {one['code']}\n                 requirements {one['requirements']}"
            for python, one in pythons.items()
        ),
    }
    for name in ("install.sh", "README"):
        template = (source / "packaging" / name).read_text(encoding="utf-8")
        (house / name).write_text(fill(template, values), encoding="utf-8")
    (house / "install.sh").chmod(0o755)


def _audit_sentence(audit: Mapping[str, object]) -> str:
    unknown, vulnerable = audit["unknown"], audit["vulnerable"]
    assert isinstance(unknown, list)
    assert isinstance(vulnerable, dict)
    asked = f"Asked by {audit['tool']} on {audit['asked_on']}: "
    parts = [f"{name} has {', '.join(ids)}" for name, ids in sorted(vulnerable.items())]
    if unknown:
        parts.append(f"nothing is known of {len(unknown)} packages, since they could not be looked up")
    return asked + ("; ".join(parts) or f"no vulnerability is known in {audit['looked_up']} packages") + "."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
