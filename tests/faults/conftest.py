from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.faults.media import KINDS, Place
from tests.faults.portal import NewPortal, Portal
from tests.faults.runs import Runs, open_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The process that harmed runs begin in, once a session."""
    with open_runs(tmp_path_factory.mktemp("runs")) as found:
        yield found


@pytest.fixture
def new_portal(runs: Runs, request: pytest.FixtureRequest, tmp_path: Path) -> NewPortal:
    """Make portals that have been backed up once and changed since, on one medium of each named kind, or on given ones."""
    numbers = iter(range(10_000))

    def make(*kinds: str, media: dict[str, Place] | None = None, amid: Sequence[str] = ()) -> Portal:
        folder = tmp_path / f"portal-{next(numbers)}"
        portal = Portal(runs, folder, media or {kind: KINDS[kind](request, folder) for kind in kinds}, amid=amid)
        made = portal.run("backup run")
        assert made.codes == (0,), made.output.decode()
        portal.change()
        return portal

    return make
