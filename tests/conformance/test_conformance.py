"""Every verifier says of every bundle of the corpus what the table says: portalops, verify.py on each Python that there is, and verify.html."""

from __future__ import annotations

import json
import shutil
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.chromium import Chromium
from tests.conformance.corpus import Expected, expected_of, make, read_expected
from tests.verifier.browser import Page
from tests.verifier.scene import VERIFY_PY, Said, by_portalops

PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
RUN = """
    import contextlib, importlib.util, io, json, sys
    spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
    verify = importlib.util.module_from_spec(spec)
    sys.modules["verify"] = verify
    spec.loader.exec_module(verify)
    for line in sys.stdin:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            code = verify.main([line.rstrip("\\n"), "--json"])
        found = json.loads(out.getvalue()) if out.getvalue() else None
        print(json.dumps([code, found and [found["integrity"]["holds"], found["integrity"]["first_bad"], found["completeness"]["holds"]]]))
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return dict(make(tmp_path_factory.mktemp("corpus")))


def differing(found: Mapping[str, Expected]) -> Mapping[str, tuple[Expected, Expected | None]]:
    """Return what differs from the table: found, and expected."""
    expected = read_expected()
    assert found.keys() == expected.keys()
    return {name: (each, expected[name]) for name, each in found.items() if each != expected[name]}


def test_the_table_holds_every_verdict_and_more_than_500_tampered_bundles() -> None:
    expected = read_expected()
    assert {each.exit_code for each in expected.values()} == {0, 1, 2, 3, 5}
    assert sum(name.startswith("tampered/") for name in expected) >= 500
    assert all(each.exit_code in {2, 5} for name, each in expected.items() if name.startswith("tampered/"))


@pytest.mark.heavy
def test_portalops_says_what_the_table_says(corpus: Mapping[str, Path]) -> None:
    assert not differing({name: expected_of(by_portalops(path)[0]) for name, path in corpus.items()})


def python_of(version: str) -> str | None:
    """Return a Python of a version that starts: the one on the path, or the one that its launcher there keeps beside it."""
    first = shutil.which(f"python{version}")
    if first is None:
        return None
    kept = sorted(Path(first).parent.parent.glob(f"versions/{version}.*/bin/python{version}"))
    for program in (first, *map(str, kept)):
        if not subprocess.run([program, "-c", ""], check=False, capture_output=True).returncode:
            return program
    return None


@pytest.mark.exhaustive
@pytest.mark.parametrize("version", PYTHONS)
def test_verify_py_says_what_the_table_says(corpus: Mapping[str, Path], version: str) -> None:
    program = python_of(version)
    if program is None:
        pytest.skip(f"there is no Python {version} here")
    done = subprocess.run(
        [program, "-I", "-c", textwrap.dedent(RUN), VERIFY_PY],
        input="".join(f"{path}\n" for path in corpus.values()),
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    found = {}
    for name, (code, held) in zip(corpus, answers, strict=True):
        holds, first_bad, complete = held or (False, None, None)
        found[name] = expected_of(Said(code, holds, first_bad, complete))
    unlike = dict(differing(found))
    if version == "3.8":  # has no data of time zones, and then judges no plan in another zone than Viet Nam's
        by_zone = {name for name in unlike if name.startswith("probes/zone-")}
        assert {unlike.pop(name)[0] for name in by_zone} == {Expected(3, "holds", "unknown", "")}
    assert not unlike


@pytest.mark.heavy
def test_verify_html_says_what_the_table_says(corpus: Mapping[str, Path], tmp_path: Path) -> None:
    with Chromium(tmp_path) as browser:
        page = Page(browser)
        found = {name: expected_of(page.verify(path)[0]) for name, path in corpus.items()}
    assert not differing(found)
