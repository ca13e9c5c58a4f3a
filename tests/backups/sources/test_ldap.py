"""A real directory of OpenLDAP, dumped, loaded into an empty folder and compared entry by entry."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.extract import prepare_target
from backups.formats import Restored, Trial, format_of
from backups.formats._parts import Commands
from backups.restore import restore_set
from backups.set_file import parse_set_file
from backups.sources import ldap
from backups.sources.ldap import Database, databases_of
from portalops.errors import UnsafeTarget
from portalops.model.backups import BackupResult, Stream, TableRows, VerifyLevel
from portalops.system.programs import LocalRunner
from tests.backups.kit import alone, back_up, keys, source
from tests.backups.memory import MemoryMedium
from tests.programs import need

CONFIG = """\
dn: cn=config
objectClass: olcGlobal
cn: config

dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: back_monitor

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase=mdb,cn=config
objectClass: olcMdbConfig
olcDatabase: mdb
olcDbDirectory: $FOLDER/portal
olcSuffix: dc=portal,dc=vn
olcRootDN: cn=admin,dc=portal,dc=vn
olcRootPW: secret

dn: olcDatabase=monitor,cn=config
objectClass: olcMonitorConfig
olcDatabase: monitor

dn: olcDatabase=mdb,cn=config
objectClass: olcMdbConfig
olcDatabase: mdb
olcDbDirectory: $FOLDER/staff
olcSuffix: o=Nhân viên
"""
PEOPLE = """\
dn: dc=portal,dc=vn
objectClass: dcObject
objectClass: organization
dc: portal
o: Cổng thông tin

dn: cn=Nguyễn Văn A,dc=portal,dc=vn
objectClass: inetOrgPerson
cn: Nguyễn Văn A
sn: A
description:: ZMOybmcgMQpkbjogY249ZmFrZQo=
description: một dòng rất dài, dài hơn bảy mươi tám ký tự, để thấy rằng nó không bị cắt ra ở đâu cả, và dài thêm nữa
userPassword: {SSHA}abc
jpegPhoto:: /9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAAkGBw==
"""
STAFF = """\
dn: o=Nhân viên
objectClass: organization
o: Nhân viên
"""


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """The configuration's folder of a directory with two databases."""
    need("slapcat")
    folder = Path(tempfile.mkdtemp(prefix="portalops-ldap-"))
    for name in ("slapd.d", "portal", "staff"):
        (folder / name).mkdir()
    for number, text in enumerate((CONFIG.replace("$FOLDER", str(folder)), PEOPLE, None, STAFF)):
        if text is not None:
            subprocess.run(
                ["/usr/sbin/slapadd", "-F", folder / "slapd.d", "-n", str(number)],
                input=text.encode(),
                check=True,
                capture_output=True,
            )
    yield folder / "slapd.d"
    shutil.rmtree(folder)


def run(directory: Path, folder: Path, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    made = source("ldap", {"config": str(directory), "class": "accounts", **values}, folder, id="directory")
    return back_up([made], [medium]), medium


def streams(result: BackupResult) -> dict[str, Stream]:
    assert result.set is not None, result.failed_sources
    return {stream.name: stream for stream in result.set.streams}


def restored(result: BackupResult, medium: MemoryMedium, target: Path) -> Path:
    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], target)
    return target / "directory"


def tried(stream: Stream, place: Path, scratch: Path) -> Trial:
    scratch.mkdir()
    return format_of(stream).try_out(Restored(stream, place, scratch, lambda: iter(()), LocalRunner()))


def test_every_database_is_dumped_and_comes_back(directory: Path, tmp_path: Path) -> None:
    result, medium = run(directory, tmp_path)

    found = streams(result)
    assert list(found) == ["config", "database-1", "database-3"]
    assert found["config"].skipped == ("database 2 (monitor): it has no entries of its own",)
    assert found["database-1"].rows == (TableRows("dc=portal,dc=vn", 2),)
    place = restored(result, medium, tmp_path / "out")
    assert "entryUUID: " in (place / "database-1.ldif").read_text()

    trials = {name: tried(found[name], place / f"{name}.ldif", tmp_path / name) for name in found}

    assert {name: (trial.level, trial.problems) for name, trial in trials.items()} == dict.fromkeys(
        found, (VerifyLevel.L4, ())
    )
    assert trials["database-1"].asked == "2 entries compared"


def test_a_configuration_that_is_not_kept_whole_is_not_believed(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ldap, "MAX_CONFIG_BYTES", 100)

    result, _medium = run(directory, tmp_path)

    assert result.failed_sources == ("directory: its configuration is larger than 100 bytes",)


def test_the_printed_commands_restore_a_directory_beside_the_live_one(directory: Path, tmp_path: Path) -> None:
    result, medium = run(directory, tmp_path)
    assert result.set is not None
    place = restored(result, medium, tmp_path / "out")
    blocks: list[str] = []
    for stream in result.set.streams:
        known = format_of(stream)
        steps = known.guide(stream, "true", known.place(stream))
        blocks += ["\n".join((*part.lines, "")) for part in steps if isinstance(part, Commands)][1:]

    done = subprocess.run(
        ["dash", "-c", "set -e\n" + "".join(blocks)],
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "TO": str(tmp_path / "out"), "WORK": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    again = subprocess.run(
        ["/usr/sbin/slapcat", "-F", tmp_path / "out/slapd.d", "-n", "1", "-o", "ldif-wrap=no"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == (place / "database-1.ldif").read_text()
    assert (tmp_path / "out" / str(directory.parent).lstrip("/")).is_dir()


@pytest.mark.needs("dash", "age", "zstd", "tar")
def test_the_script_restores_a_directory_beside_the_live_one(directory: Path, tmp_path: Path) -> None:
    result, medium = run(directory, tmp_path)
    assert result.set is not None
    for path, data in medium.stored[result.set.id].items():
        (tmp_path / "a bag" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a bag" / path).write_bytes(data)
    keys().file(tmp_path)

    done = subprocess.run(
        ["dash", "a bag/restore.sh", "--databases"],
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "KEY": "operator.age", "TO": "out & here"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )

    assert done.returncode == 0, done.stderr
    settings = tmp_path / "out & here/slapd.d"
    again = subprocess.run(
        ["/usr/sbin/slapcat", "-F", settings, "-n", "1", "-o", "ldif-wrap=no"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == (tmp_path / "out & here/directory/database-1.ldif").read_text()


def test_a_trial_names_what_differs(directory: Path, tmp_path: Path) -> None:
    result, medium = run(directory, tmp_path)
    found = streams(result)["database-1"]
    place = restored(result, medium, tmp_path / "out") / "database-1.ldif"
    text = place.read_text()

    place.write_text(text[: text.index("dn:: ")])
    fewer = tried(found, place, tmp_path / "fewer")
    place.write_text(text.replace("objectClass: inetOrgPerson", "objectClass: noSuchClass"))
    refused = tried(found, place, tmp_path / "refused")
    place.write_text(text)
    (place.parent / "config.ldif").unlink()
    alone = tried(found, place, tmp_path / "alone")

    assert fewer.problems == ("1 entries instead of 2",)
    assert "it is not taken: " in refused.problems[0]
    assert alone == Trial(VerifyLevel.L3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"config": "/nonexistent"}, "slapcat ended with exit code 1: invalid config directory /nonexistent"),
        ({"minimum_bytes": 100_000}, "but at least 100000 are expected"),
    ],
)
def test_what_cannot_be_dumped_leaves_no_set(
    directory: Path, tmp_path: Path, values: dict[str, object], expected: str
) -> None:
    result, medium = run(directory, tmp_path, **values)

    assert result.set is None
    assert expected in result.failed_sources[0]
    assert medium.stored == {}


def test_databases_are_read_from_the_configuration() -> None:
    config = (
        b"dn: olcDatabase={-1}frontend,cn=config\nolcDatabase: {-1}frontend\n\n"
        b"dn: olcDatabase={1}mdb,cn=config\nolcDatabase: {1}mdb\nolcSuffix: dc=nodomain\n\n"
        b"dn: olcOverlay={0}memberof,olcDatabase={1}mdb,cn=config\nolcOverlay: {0}memberof\n\n"
        b"dn: olcDatabase={2}ldap,cn=config\n"
    )

    assert databases_of(config) == (
        Database(-1, "frontend", "-"),
        Database(1, "mdb", "dc=nodomain"),
        Database(2, "ldap", "-"),
    )


@pytest.mark.parametrize("place", ["slapd.d/restored", "portal/restored"])
def test_nothing_is_restored_into_the_folders_of_a_directory(directory: Path, place: str) -> None:
    target = directory.parent / place

    with pytest.raises(UnsafeTarget, match="holds the data of OpenLDAP"):
        prepare_target(target)

    assert not target.exists()
