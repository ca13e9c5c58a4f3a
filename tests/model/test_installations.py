"""Which portalops is installed is known by its files, and how it differs from the one before by its version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portalops.model.installations import Direction, InstalledVersion, files_digest, installation_of
from portalops.model.record import Digest

CODE, REQUIREMENTS, OTHER = Digest("a" * 64), Digest("b" * 64), Digest("c" * 64)
NOW = InstalledVersion("1.2.0", CODE, REQUIREMENTS, "3.13.5")

IN_A_WHEEL = """\
six.py,sha256=TW5qIVE7xH_fiXwqvm5GMoBDdWfz2sT0uI2dA39vTTc,34703
six-1.17.0.data/purelib/extra.py,sha256=AAAA,3
six-1.17.0.data/scripts/six,sha256=SCRIPT,30
six-1.17.0.dist-info/METADATA,sha256=SNRUDVzFkBgV6QYE9ZZ3UfDvIFtMqCG3bXh3tLCAqxo,1658
six-1.17.0.dist-info/RECORD,,
"""
INSTALLED = """\
../../../bin/six,sha256=SCRIPT-WITH-A-PATH,60
__pycache__/six.cpython-313.pyc,,
extra.py,sha256=AAAA,3
six-1.17.0.dist-info/INSTALLER,sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg,4
six-1.17.0.dist-info/METADATA,sha256=SNRUDVzFkBgV6QYE9ZZ3UfDvIFtMqCG3bXh3tLCAqxo,1658
six-1.17.0.dist-info/RECORD,,
six-1.17.0.dist-info/REQUESTED,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0
six-1.17.0.dist-info/direct_url.json,sha256=AAAAAAAAAA,60
six.py,sha256=TW5qIVE7xH_fiXwqvm5GMoBDdWfz2sT0uI2dA39vTTc,34703
"""


def test_a_wheel_has_the_same_digest_before_and_after_it_is_installed() -> None:
    assert files_digest([IN_A_WHEEL]) == files_digest([INSTALLED])


def test_another_file_in_any_distribution_is_another_digest() -> None:
    other = INSTALLED.replace("TW5qIVE7", "TW5qIVE8")

    assert files_digest([IN_A_WHEEL, other]) != files_digest([IN_A_WHEEL])


def test_a_name_in_quotation_marks_is_read_as_it_is() -> None:
    assert files_digest(['"a,b.py",sha256=AAAA,3\n']) == files_digest(['"a,b.py",sha256=AAAA,\n'])
    assert files_digest(['"a,b.py",sha256=AAAA,3\n']) != files_digest(["a,sha256=AAAA,3\n"])


def test_what_was_recorded_last_is_not_recorded_again() -> None:
    assert installation_of(NOW, NOW) is None


def test_a_newer_interpreter_is_no_other_installation() -> None:
    assert installation_of(replace(NOW, python="3.13.9"), NOW) is None


@pytest.mark.parametrize(
    ("before", "direction"),
    [
        (None, Direction.FIRST),
        (replace(NOW, version="1.1.9"), Direction.UPGRADE),
        (replace(NOW, version="1.2.0rc1"), Direction.UPGRADE),
        (replace(NOW, version="1.2.0.dev3"), Direction.UPGRADE),
        (replace(NOW, version="1.10.0"), Direction.ROLL_BACK),
        (replace(NOW, version="1.2.0.post1"), Direction.ROLL_BACK),
        (replace(NOW, code=OTHER), Direction.OTHER_BUILD),
        (replace(NOW, requirements=OTHER), Direction.OTHER_BUILD),
        (replace(NOW, code=None), Direction.OTHER_BUILD),
        (replace(NOW, version="1.2"), Direction.UNKNOWN),
        (replace(NOW, version="nightly"), Direction.UNKNOWN),
    ],
)
def test_the_direction_is_told_by_both_versions(before: InstalledVersion | None, direction: Direction) -> None:
    found = installation_of(NOW, before)

    assert found is not None
    assert (found.direction, found.installed, found.before) == (direction, NOW, before)
