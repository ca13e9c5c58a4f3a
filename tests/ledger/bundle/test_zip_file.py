"""A bundle as one ZIP file is the bundle of its folder, and no two readers find two bundles in one file."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from portalops.errors import FileUnwritable, NotABundle
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.bundle.export import write_zip
from portalops.ledger.bundle.zip_file import pack, unpack
from tests.ledger.bundle.bundles import week
from tests.verifier.scene import Said, by_portalops, by_stranger


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    week(folder / "state").export(folder / "bundle")
    return folder / "bundle"


def packed(bundle: Path, name: str = "bundle") -> bytes:
    into = io.BytesIO()
    pack(bundle, into, name)
    return into.getvalue()


def verdict(folder: Path, data: bytes) -> Said:
    """Return what both programs say of a ZIP file."""
    path = folder / "bundle.zip"
    path.write_bytes(data)
    stranger, portalops = by_stranger(path), by_portalops(path)
    assert stranger[0] == portalops[0], (stranger, portalops)
    return stranger[0]


def test_what_is_packed_and_unpacked_is_the_same(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "gói.zip"
    path.write_bytes(packed(bundle, "gói"))
    assert path.read_bytes() == packed(bundle, "gói")
    (tmp_path / "out").mkdir()
    unpack(path, tmp_path / "out")

    names = {str(each.relative_to(bundle)) for each in bundle.rglob("*") if each.is_file()}
    assert {
        str(each.relative_to(tmp_path / "out")) for each in (tmp_path / "out").rglob("*") if each.is_file()
    } == names
    assert all((tmp_path / "out" / name).read_bytes() == (bundle / name).read_bytes() for name in names)


def test_a_bundle_has_one_verdict_as_a_folder_and_as_a_file(bundle: Path, tmp_path: Path) -> None:
    assert verdict(tmp_path, packed(bundle)) == by_portalops(bundle)[0]


def test_a_file_that_a_person_makes_of_the_folder_is_read(bundle: Path, tmp_path: Path) -> None:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        for path in (bundle, *sorted(bundle.rglob("*"))):  # with entries of folders
            file.write(path, path.relative_to(bundle.parent))
    assert verdict(tmp_path, into.getvalue()) == by_portalops(bundle)[0]


def rewritten(bundle: Path, change: Callable[[zipfile.ZipInfo, bytes], bytes | None]) -> bytes:
    """Return the file with each entry as a change makes it."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as file:
        for path in sorted(each for each in bundle.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(bundle)))
            entry.create_system = 3
            data = change(entry, path.read_bytes())
            if data is not None:
                file.writestr(entry, data)
    return into.getvalue()


def test_a_link_is_not_followed(bundle: Path, tmp_path: Path) -> None:
    def change(entry: zipfile.ZipInfo, data: bytes) -> bytes:
        if entry.filename != "figures.json":
            return data
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        return b"../../etc/passwd"

    assert verdict(tmp_path, rewritten(bundle, change)).exit_code == 5


@pytest.mark.parametrize(
    "name", ["../figures.json", "/figures.json", "blobs/../figures.json", "C:\\figures.json", "a/b/c"]
)
def test_no_name_leads_out_of_the_folder(bundle: Path, tmp_path: Path, name: str) -> None:
    def change(entry: zipfile.ZipInfo, data: bytes) -> bytes:
        if entry.filename == "figures.json":
            entry.filename = name
        return data

    inside = tmp_path / "inside"
    inside.mkdir()
    assert verdict(inside, rewritten(bundle, change)).exit_code == 5
    assert [each.name for each in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize("name", ["report.vi.html", "figures.json", "allowed_signers", "SHA256SUMS.sig"])
def test_a_file_whose_sum_does_not_come_out_cannot_be_read(bundle: Path, tmp_path: Path, name: str) -> None:
    data = rewritten(bundle, lambda _entry, data: data)
    assert (
        verdict(tmp_path, data.replace((bundle / name).read_bytes(), (bundle / name).read_bytes()[::-1])).exit_code == 5
    )


@pytest.mark.parametrize("name", ["bundle.json", "ledger.jsonl", "SHA256SUMS"])
def test_without_what_every_bundle_has_it_is_none(bundle: Path, tmp_path: Path, name: str) -> None:
    data = rewritten(bundle, lambda _entry, data: data)
    held = (bundle / name).read_bytes()
    assert verdict(tmp_path, data.replace(held, held[::-1])).exit_code == 2
    without = rewritten(bundle, lambda entry, data: None if entry.filename == name else data)
    assert verdict(tmp_path, without).exit_code == 2


def twice(bundle: Path) -> bytes:
    into = io.BytesIO(packed(bundle, "b"))
    with zipfile.ZipFile(into, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("b/figures.json", b"{}")
    return into.getvalue()


def with_comment(bundle: Path) -> bytes:
    into = io.BytesIO(packed(bundle))
    with zipfile.ZipFile(into, "a") as file:
        file.comment = b"another end may stand in here"
    return into.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        twice,
        with_comment,
        lambda bundle: b"before it" + packed(bundle),
        lambda bundle: packed(bundle) + b"\0",
        lambda bundle: packed(bundle)[:-23] + packed(bundle)[-22:],
        lambda _bundle: b"",
        lambda _bundle: b"PK\5\6" + bytes(18),
        lambda _bundle: b"PK\5\6" + b"\xff" * 16 + bytes(2),
    ],
)
def test_a_file_that_two_readers_may_read_differently_is_no_bundle(
    bundle: Path, tmp_path: Path, make: Callable[[Path], bytes]
) -> None:
    assert verdict(tmp_path, make(bundle)).exit_code == 2
    with pytest.raises(NotABundle, match="neither the folder of a bundle nor a ZIP file"):
        verify_bundle(tmp_path / "bundle.zip")


def test_a_small_file_that_unpacks_to_a_large_one_is_read_no_further_than_is_stated(
    bundle: Path, tmp_path: Path
) -> None:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(each for each in bundle.rglob("*") if each.is_file()):
            name = str(path.relative_to(bundle))
            file.writestr(name, bytes(20 << 20) if name == "report.vi.html" else path.read_bytes())
    small = into.getvalue().replace((20 << 20).to_bytes(4, "little"), (1 << 20).to_bytes(4, "little"))
    assert verdict(tmp_path, small).exit_code == 5


def test_a_file_is_whole_or_not_there_and_replaces_nothing(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "there.zip").write_text("mine")
    written = week(tmp_path / "state")
    with pytest.raises(FileUnwritable):
        write_zip(tmp_path / "there.zip", written.export)
    assert (tmp_path / "there.zip").read_text() == "mine"

    write_zip(tmp_path / "new.zip", written.export)

    assert by_portalops(tmp_path / "new.zip")[0] == by_portalops(bundle)[0]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new.zip", "state", "there.zip"]


@pytest.mark.parametrize("name", ["LEDGER.jsonl", "ghi chú.txt", "ledger.jsonl\u2024", "report .vi.html"])
def test_a_strange_file_is_named_as_it_is_called(bundle: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(packed(bundle))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(f"bundle/{name}", "x")

    stranger, portalops = by_stranger(path), by_portalops(path)

    assert stranger[0] == portalops[0]
    for found in (stranger[1], portalops[1]):
        assert any(name.replace("\u2024", "") in each for each in found), found
