"""What goes into a wheelhouse: the lock, wheels of the right kind, lists and archives that are the same each time."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from portalops.model.installations import files_digest
from scripts.house import (
    BuildFailed,
    entry_points,
    fill,
    pins_for,
    read_lock,
    read_wheel,
    requirements_text,
    sums_of,
    unpack,
    write_tar,
)
from scripts.lock import PORTAL_EXTRAS
from tests.packaging.houses import ROOT, portalops_wheel, wheel

LOCK = (ROOT / "requirements/portal.txt").read_text(encoding="utf-8")
REAL = """\
backports-zstd==1.8.0 ; python_full_version < '3.14' \\
    --hash=sha256:029bca2385ebb4355135bdb8559792d2768ae19707705eea84e68c42a30a0276 \\
    --hash=sha256:045e15ed3b3ebd8816edaa7d66f024becf050d9aec09605f549ce33cfda01098
    # via portalops (pyproject.toml)
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:08695f5cb7ed6e0531a20572697297273c47b8cae5a63ffc6d6ed5c201be6e44
    # via
    #   -c requirements/dev.txt
    #   click
psycopg[binary]==3.3.9 \\
    --hash=sha256:0f722107de223fe68efa83b1cc3a11d67d1888441073732f0d350ff8111d23df
"""


def test_the_lock_is_read_with_its_markers_and_digests() -> None:
    zstd, colorama, psycopg = read_lock(REAL)

    assert (zstd.name, zstd.version, zstd.marker, len(zstd.hashes)) == (
        "backports-zstd", "1.8.0", "python_full_version < '3.14'", 2,
    )  # fmt: skip
    assert (colorama.marker, psycopg.name, psycopg.marker) == ("sys_platform == 'win32'", "psycopg", "")


def test_markers_are_judged_for_the_portal_and_not_for_the_builder() -> None:
    pins = read_lock(REAL)

    assert [pin.name for pin in pins_for(pins, "3.13")] == ["backports-zstd", "psycopg"]
    assert [pin.name for pin in pins_for(pins, "3.14")] == ["psycopg"]


@pytest.mark.parametrize("line", ["six==1.17.0", "six>=1.17.0 --hash=sha256:" + "0" * 64, "-r other.txt"])
def test_a_lock_without_digests_is_refused(line: str) -> None:
    with pytest.raises(BuildFailed, match="not a locked requirement"):
        read_lock(line)


def test_what_goes_to_portals_is_what_tests_run_with() -> None:
    portal, dev = ({pin.name: pin.version for pin in read_lock(text)} for text in (LOCK, dev_lock()))

    assert {name: version for name, version in portal.items() if dev.get(name, version) != version} == {}
    assert set(portal) - set(dev) <= {"pip"}


def test_the_lock_of_portals_covers_what_portalops_needs_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for extra in PORTAL_EXTRAS for each in project["optional-dependencies"][extra]]
    wanted = [*project["dependencies"], *extras]
    names = {canonicalize_name(Requirement(each).name) for each in wanted}

    assert names - {pin.name for pin in read_lock(LOCK)} == set()


def dev_lock() -> str:
    return (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")


def test_requirements_name_the_wheels_that_are_there_and_no_others() -> None:
    text = requirements_text(read_lock(REAL), {"psycopg": ["b" * 64, "a" * 64]})

    assert text == f"psycopg==3.3.9 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("six-1.17.0-py2.py3-none-any.whl", {"3.11", "3.13"}),
        ("lxml-6.1.3-cp313-cp313-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl", {"3.13"}),
        ("bcrypt-5.0.0-cp39-abi3-manylinux_2_34_x86_64.whl", {"3.11", "3.13"}),
        ("cryptography-50.0.2-cp311-abi3-manylinux_2_34_x86_64.whl", {"3.11", "3.13"}),
        ("one-1.0-cp312-abi3-manylinux_2_34_x86_64.whl", {"3.13"}),
    ],
)
def test_a_wheel_says_for_which_python_it_is(tmp_path: Path, name: str, fits: set[str]) -> None:
    made = wheel(tmp_path, "six", "1.0", {"six.py": ""})
    path = made.rename(tmp_path / name)

    assert {python for python in ("3.11", "3.13") if read_wheel(path).is_for(python)} == fits


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: LGPL-3.0-only\n", "LGPL-3.0-only"),
        ("License: MPL-2.0\nClassifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)\n", "MPL-2.0"),
        ("Classifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        ("", ""),
    ],
)
def test_a_licence_is_what_the_makers_call_it(tmp_path: Path, metadata: str, licence: str) -> None:
    assert read_wheel(wheel(tmp_path, "six", "1.0", {"six.py": ""}, metadata)).licence == licence


def test_a_file_that_is_no_wheel_is_told(tmp_path: Path) -> None:
    (tmp_path / "six-1.0-py3-none-any.whl").write_bytes(b"<html>not found</html>")

    with pytest.raises(BuildFailed, match=r"six-1\.0-py3-none-any\.whl is no wheel"):
        read_wheel(tmp_path / "six-1.0-py3-none-any.whl")


def test_a_wheel_is_unpacked_as_pip_installs_it(tmp_path: Path) -> None:
    files = {
        "six.py": "x = 1\n",
        "six-1.0.data/purelib/more.py": "",
        "six-1.0.data/scripts/six": "#!python\nprint(1)\n",
        "six-1.0.data/data/share/man/man1/six.1": ".TH six 1\n",
        "six-1.0.dist-info/entry_points.txt": "[console_scripts]\nsixer = six:main\n\n[other]\na = b:c\n",
    }
    read = read_wheel(wheel(tmp_path, "six", "1.0", files))
    unpack(read, tmp_path / "lib", tmp_path / "bin", "#!/usr/bin/python3.13", tmp_path / "data")
    target = tmp_path / "pip"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-compile", "--target", str(target))
    subprocess.run([*pip, str(read.path)], check=True, capture_output=True)

    assert (tmp_path / "bin/six").read_text() == "#!/usr/bin/python3.13\nprint(1)\n"
    assert os.access(tmp_path / "bin/six", os.X_OK)
    assert (tmp_path / "data/share/man/man1/six.1").is_file()
    assert entry_points(tmp_path / "lib/six-1.0.dist-info") == {"sixer": "six:main"}
    assert files_digest([(target / "six-1.0.dist-info/RECORD").read_text()]) == files_digest([read.record])


def test_a_wheel_that_leads_outside_is_refused(tmp_path: Path) -> None:
    made = wheel(tmp_path, "six", "1.0", {"../../etc/cron.d/x": ""})

    with pytest.raises(BuildFailed, match="a file outside of itself"):
        unpack(read_wheel(made), tmp_path / "lib", tmp_path / "bin", "#!/usr/bin/python3", tmp_path / "data")


def test_stock_sha256sum_checks_the_list(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/b.whl").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "SHA256SUMS.sig").write_bytes(b"s")
    (tmp_path / "SHA256SUMS").write_text(sums_of(tmp_path))

    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "a: OK\nwheels/b.whl: OK\n")


def test_an_archive_is_the_same_whoever_packs_it(tmp_path: Path) -> None:
    packed = []
    for number, mask in enumerate((0o077, 0o002)):
        was = os.umask(mask)
        try:
            folder = tmp_path / str(number) / "house"
            portalops_wheel(folder / "wheels", "1.0.0")
            (folder / "install.sh").write_text("#!/bin/sh\n")
            (folder / "install.sh").chmod(0o700 | mask & 0o055)
            (folder / "link").symlink_to("install.sh")
        finally:
            os.umask(was)
        os.utime(folder / "install.sh", (number, number))
        write_tar(folder, tmp_path / f"{number}.tar.gz", epoch=1_795_713_849)
        packed.append((tmp_path / f"{number}.tar.gz").read_bytes())

    assert packed[0] == packed[1]
    listed = subprocess.run(
        ["tar", "-tvzf", str(tmp_path / "0.tar.gz"), "--utc", "--full-time"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line.split()[0] + " " + line.split()[1] + " " + line.split(":", 2)[2][3:] for line in listed] == [
        "drwxr-xr-x root/root house/",
        "-rwxr-xr-x root/root house/install.sh",
        "lrwxrwxrwx root/root house/link -> install.sh",
        "drwxr-xr-x root/root house/wheels/",
        "-rw-r--r-- root/root house/wheels/portalops-1.0.0-py3-none-any.whl",
    ]


def test_a_template_is_filled_whole_or_not_at_all() -> None:
    assert fill("@VERSION@ of root@host", {"VERSION": "1.0.0"}) == "1.0.0 of root@host"
    with pytest.raises(BuildFailed, match="nothing is known of @BUILD@"):
        fill("@VERSION@ @BUILD@", {"VERSION": "1.0.0"})
