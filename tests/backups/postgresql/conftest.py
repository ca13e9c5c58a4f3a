from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backups.kit import back_up
from tests.backups.memory import MemoryMedium
from tests.backups.postgresql.parts import Dumped, Server, fill, short_folder, versions


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server of the oldest version that is here, with a portal's databases and everything odd in them."""
    with Server.new(versions()[0]) as server:
        fill(server)
        yield server


@pytest.fixture(scope="session")
def replica(postgres: Server) -> Iterator[Server]:
    with postgres.replica() as server:
        yield server


@pytest.fixture(scope="session")
def dumped(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Dumped:
    """A set of all databases, restored."""
    folder = tmp_path_factory.mktemp("dumped")
    medium = MemoryMedium("memory-1")
    result = back_up([postgres.source(folder)], [medium])
    return Dumped(result, medium, folder / "restored")


@pytest.fixture
def scratch() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder
