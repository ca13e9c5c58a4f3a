"""A package is laid out as dpkg owns it, and refuses a wheelhouse that is not what its list says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from scripts.build_deb import build_deb, chosen, unpacked
from scripts.house import BuildFailed, write_tar
from tests.packaging.houses import PYTHON, house, seal

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="there is no dpkg-deb")

EPOCH = 1_795_713_849


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = house(
        tmp_path / "portalops-1.0.0-wheelhouse",
        share={"man/man1/portalops.1": ".TH\n", "zsh/site-functions/_portalops": ""},
    )
    told = {"version": "1.0.0", "build": "0a1b2c3d", "commit": "e" * 40, "epoch": EPOCH, "pythons": {PYTHON: {}}}
    (folder / "build.json").write_text(json.dumps(told))
    seal(folder, None)
    return folder


def listed(package: Path) -> dict[str, str]:
    """What is in a package: mode and owner by path."""
    text = subprocess.run(["dpkg-deb", "--contents", package], check=True, capture_output=True, text=True).stdout
    return {line.split(None, 5)[5].removeprefix("."): " ".join(line.split()[:2]) for line in text.splitlines()}


def field(package: Path, name: str) -> str:
    return subprocess.run(["dpkg-deb", "-f", package, name], check=True, capture_output=True, text=True).stdout.strip()


def test_a_package_owns_each_file_and_depends_on_its_python(tmp_path: Path, made: Path) -> None:
    package = build_deb(made, PYTHON, tmp_path, tmp_path / "scratch")

    files = listed(package)
    packages = f"/usr/lib/portalops/lib/python{PYTHON}/site-packages"
    assert set(files.values()) == {
        "drwxr-xr-x root/root",
        "-rw-r--r-- root/root",
        "-rwxr-xr-x root/root",
        "lrwxrwxrwx root/root",
    }
    assert f"/usr/lib/portalops/bin/python -> /usr/bin/python{PYTHON}" in files
    assert "/usr/bin/portalops -> ../lib/portalops/bin/portalops" in files
    assert files["/usr/lib/portalops/bin/portalops"] == "-rwxr-xr-x root/root"
    assert {
        f"{packages}/portalops_of_tests.py",
        f"{packages}/tiny_dependency.py",
        "/usr/share/man/man1/portalops.1.gz",
        "/usr/share/zsh/vendor-completions/_portalops",
        "/usr/lib/sysusers.d/portalops.conf",
        "/usr/share/doc/portalops/wheelhouse/SHA256SUMS",
    } <= set(files)
    assert [path for path in files if "/pip/" in path or path.startswith("/etc/systemd")] == []
    assert f"python{PYTHON}," in field(package, "Depends")
    assert field(package, "Maintainer").endswith(".invalid>")  # an address that is nobody's
    assert field(package, "Version").startswith("1.0.0+202611261724.0a1b2c3d~")


def test_what_was_laid_out_runs(tmp_path: Path, made: Path) -> None:
    package = build_deb(made, PYTHON, tmp_path, tmp_path / "scratch")
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "root"], check=True)
    home = tmp_path / "root/usr/lib/portalops"
    (home / "bin/python").unlink()
    (home / "bin/python").symlink_to(sys.executable)

    done = subprocess.run([home / "bin/python", home / "bin/portalops"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "portalops 1.0.0\n", "")


def test_the_same_wheelhouse_gives_the_same_package(tmp_path: Path, made: Path) -> None:
    packages = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        packages.append(build_deb(made, PYTHON, tmp_path / name, tmp_path / f"scratch-{name}").read_bytes())

    assert packages[0] == packages[1]


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_maintainer_scripts_are_for_any_shell(tmp_path: Path, made: Path, name: str) -> None:
    package = build_deb(made, PYTHON, tmp_path, tmp_path / "scratch")
    subprocess.run(["dpkg-deb", "-e", package, tmp_path / "control"], check=True)

    assert subprocess.run(["sh", "-n", tmp_path / "control" / name], check=False).returncode == 0


def test_a_wheelhouse_that_is_not_what_its_list_says_is_refused(tmp_path: Path, made: Path) -> None:
    (made / "requirements.txt").write_text("other\n")
    write_tar(made, tmp_path / "house.tar.gz", epoch=EPOCH)

    with pytest.raises(BuildFailed, match="is not what its SHA256SUMS says"):
        unpacked(tmp_path / "house.tar.gz", tmp_path / "scratch")


def test_a_file_that_is_no_wheelhouse_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.tar.gz").write_text("no archive")
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz"):
        pass

    for name in ("text", "empty"):
        with pytest.raises(BuildFailed, match="is no wheelhouse"):
            unpacked(tmp_path / f"{name}.tar.gz", tmp_path / name)


def test_a_python_that_it_is_not_for_is_told(made: Path) -> None:
    assert chosen(made, None) == [PYTHON]
    with pytest.raises(BuildFailed, match=r"is not for Python 3\.9"):
        chosen(made, ["3.9"])
