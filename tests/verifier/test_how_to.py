"""The page in every bundle: each of its commands succeeds on a bundle that is whole, and the right one fails on any other."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import DAILY, START
from tests.verifier.caught import CASES, GOOD, Case, Scene
from tests.verifier.pages import HOW_TO, run
from tests.verifier.scene import Tampered, full, stamped, today


def test_both_languages_give_the_same_commands() -> None:
    assert HOW_TO["vi"].boxes == HOW_TO["en"].boxes


def test_its_first_page_says_what_nothing_can_prove() -> None:
    for language, words in (("en", "no check of this folder can prove"), ("vi", "không cách kiểm tra nào")):
        text = HOW_TO[language].text
        assert text.index(words) < text.index("```")


@pytest.mark.parametrize("name", HOW_TO["en"].boxes)
def test_each_command_says_that_a_whole_bundle_is_whole(whole: Scene, name: str) -> None:
    before = sorted(path.relative_to(whole.bundle) for path in whole.bundle.rglob("*"))
    done = run(HOW_TO["en"].boxes[name], whole.bundle, whole.home)

    assert re.fullmatch(GOOD[name], done.out, re.DOTALL), done
    assert done.err == ""
    assert sorted(path.relative_to(whole.bundle) for path in whole.bundle.rglob("*")) == before


def test_the_command_for_time_stamps_asks_openssl(tmp_path: Path) -> None:
    written, root = stamped(tmp_path / "state", tmp_path / "tsa")
    written.export(tmp_path / "bundle", period=today(), certificates={"tsa": root})
    good = run(HOW_TO["en"].boxes["tokens"], tmp_path / "bundle", tmp_path)
    head = next((tmp_path / "bundle" / "heads").glob("*.tsr")).name.split(".")[0]
    (tmp_path / "bundle" / "heads" / f"{head}.txt").write_text("another head\n")

    bad = run(HOW_TO["en"].boxes["tokens"], tmp_path / "bundle", tmp_path)

    assert re.fullmatch(r"Verification: OK\nTime stamp: .* GMT\n", good.out), good
    assert "Verification: FAILED" in bad.out


@pytest.mark.parametrize(("change", "case"), CASES, ids=[f"{change.__name__}-{case.box}" for change, case in CASES])
def test_the_right_command_names_what_was_done(
    whole: Scene, tmp_path: Path, change: Callable[[Tampered], None], case: Case
) -> None:
    bundle = Tampered(whole.bundle, tmp_path / "bundle", whole.written.key)
    change(bundle)

    done = run(HOW_TO["en"].boxes[case.box], bundle.folder, whole.home)

    assert not re.fullmatch(GOOD[case.box], done.out, re.DOTALL) or done.err
    assert re.search(case.prints, done.out + done.err), done
    assert "Traceback" not in done.err


@pytest.mark.heavy
def test_what_was_kept_shows_another_ledger_of_the_same_unit(whole: Scene, tmp_path: Path) -> None:
    other = full(tmp_path / "state")
    other.export(tmp_path / "bundle")

    done = run(HOW_TO["en"].boxes["my-head"], tmp_path / "bundle", whole.home)

    assert "it is another ledger" in done.out
    assert re.search(
        "belongs to another ledger", run(HOW_TO["en"].boxes["python-mine"], tmp_path / "bundle", whole.home).out
    )


def test_crashed_and_missing_runs_are_found_with_grep(tmp_path: Path) -> None:
    written = Written(tmp_path / "state")
    written.plan(DAILY)
    written.at(START + timedelta(days=1))
    written.append("check.started", "12.4-testing:daily-check:2026-11-24")
    for number in (2, 3, 5, 6):
        written.at(START + timedelta(days=number))
        written.check(written.clock.at.date())
    written.export(tmp_path / "bundle")

    crashed = run(HOW_TO["en"].boxes["crashed"], tmp_path / "bundle", tmp_path)
    missing = run(HOW_TO["en"].boxes["missing"], tmp_path / "bundle", tmp_path)
    program = run(HOW_TO["en"].boxes["python"], tmp_path / "bundle", tmp_path)

    assert crashed.out == "check 12.4-testing:daily-check:2026-11-24\n"
    assert missing.out.splitlines() == ["daily-check 2026-11-23", "daily-check 2026-11-27"]
    assert "daily-check 2026-11-27" in program.out
    assert program.status == 1


def test_withheld_details_are_named_with_their_reason(tmp_path: Path) -> None:
    written = full(tmp_path / "state")
    digest = written.append("note.added", note={"name": "Lê Văn C"})
    written.export(tmp_path / "bundle", withheld={digest: "hồ sơ cán bộ"})

    assert (
        f'{{"digest":"{digest}","reason":"hồ sơ cán bộ"}}'
        in run(HOW_TO["en"].boxes["left-out"], tmp_path / "bundle", tmp_path).out
    )
    assert run(HOW_TO["en"].boxes["python"], tmp_path / "bundle", tmp_path).status == 0


@pytest.mark.heavy
def test_the_vietnamese_page_runs_in_a_folder_with_spaces(whole: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "Gói bằng chứng tháng 11"
    shutil.copytree(whole.bundle, folder)

    for name, text in HOW_TO["vi"].boxes.items():
        done = run(text, folder, whole.home)
        assert re.fullmatch(GOOD[name], done.out, re.DOTALL), (name, done)
