"""What is installed is read from what installers leave behind, a checkout is known for one."""

from __future__ import annotations

import json
from pathlib import Path

from portalops import __version__
from portalops.system.installation import find_installed


def distribution(folder: Path, name: str, record: str | None, origin: object = None) -> None:
    info = folder / f"{name}.dist-info"
    info.mkdir(parents=True)
    if record is not None:
        (info / "RECORD").write_text(record, encoding="utf-8")
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")


def test_own_files_and_those_of_others_are_told_apart(tmp_path: Path) -> None:
    distribution(tmp_path, "portalops-1.0.0", "portalops/__init__.py,sha256=AAAA,3\n")
    distribution(tmp_path, "six-1.17.0", "six.py,sha256=BBBB,3\n")

    found = find_installed([str(tmp_path)])

    assert found.version == __version__
    assert found.code is not None
    assert found.requirements is not None
    assert found.code != found.requirements
    distribution(tmp_path, "rich-15.0.0", "rich/__init__.py,sha256=CCCC,3\n")
    more = find_installed([str(tmp_path)])
    assert (more.code == found.code, more.requirements == found.requirements) == (True, False)


def test_files_of_a_checkout_are_not_vouched_for(tmp_path: Path) -> None:
    origin = {"dir_info": {"editable": True}, "url": "file:///srv/portalops"}
    distribution(tmp_path, "portalops-1.0.0", "__editable__.portalops-1.0.0.pth,sha256=AAAA,3\n", origin)

    assert find_installed([str(tmp_path)]).code is None


def test_the_first_folder_of_the_path_has_the_distribution_that_counts(tmp_path: Path) -> None:
    distribution(tmp_path / "a", "six-1.17.0", "six.py,sha256=AAAA,3\n")
    distribution(tmp_path / "b", "six-1.16.0", "six.py,sha256=BBBB,3\n")
    first, both = (find_installed([str(tmp_path / name) for name in names]) for names in ("a", "ab"))

    assert both == first


def test_a_distribution_without_a_record_counts_by_its_name_and_version(tmp_path: Path) -> None:
    distribution(tmp_path / "a", "six-1.17.0", None)
    distribution(tmp_path / "b", "six-1.16.0", None)

    assert find_installed([str(tmp_path / "a")]).requirements != find_installed([str(tmp_path / "b")]).requirements


def test_nothing_found_is_nothing_known(tmp_path: Path) -> None:
    found = find_installed([str(tmp_path), str(tmp_path / "missing")])

    assert (found.code, found.requirements) == (None, None)
