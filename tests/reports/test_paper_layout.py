"""What is reckoned of a page before it is drawn: widths, breaks of words, and what is left off."""

from __future__ import annotations

import doctest

import pytest

from portalops.reports import paper_layout
from portalops.reports.paper_layout import breadth_mm, column_needs, pieces, rows_that_fit, share_width


def test_its_examples_hold() -> None:
    assert doctest.testmod(paper_layout).failed == 0


@pytest.mark.parametrize("text", ["Ủy ban nhân dân", "a" * 5000, "x " + "b1/" * 900 + " y", "", "e\u0301" * 400])
def test_pieces_joined_again_are_the_text(text: str) -> None:
    found = pieces(text, 30, 8)
    assert "".join(found) == text


def test_no_piece_of_a_long_word_is_broader_than_the_line() -> None:
    word = "khanhhoa-20260818T190500Z-full-00c4e9/" + "f" * 200
    found = pieces(word, 32, 8, is_code=True)
    assert isinstance(found, list)
    assert max(breadth_mm(piece, 8, is_code=True) for piece in found) <= 32
    assert found[:2] == ["khanhhoa-", "20260818T190500Z-"]


def test_no_word_is_broken_before_a_sign_that_belongs_to_the_letter() -> None:
    found = pieces("x\u0323\u0302" * 300, 30, 8)
    assert not any(piece[0] in "\u0323\u0302" for piece in found)


def test_columns_always_share_the_whole_width() -> None:
    for needs in ([(5, 8), (30, 200)], [(90, 90)] * 3, [(1, 1), (1, 1)], [(40, 60), (20, 20), (60, 300)]):
        assert sum(share_width(needs, 175)) == pytest.approx(175)


def test_a_code_is_broken_and_a_head_code_is_not() -> None:
    broken, _ = column_needs(["f" * 64], 8, is_code=True)
    whole, _ = column_needs(["143-008f-008f-008f-008f-008f"], 8, is_code=True, is_whole=True)
    assert broken < breadth_mm("f" * 22, 8, is_code=True) + 4
    assert whole > breadth_mm("143-008f-008f-008f-008f-008f", 8, is_code=True)


def test_what_is_left_of_cheap_lists_goes_to_dear_ones() -> None:
    assert rows_that_fit([[1.0] * 3, [1.0] * 1000, [10.0] * 1000], 203) == (3, 100, 10)
    assert rows_that_fit([], 10) == ()
    assert rows_that_fit([[], [50.0]], 10) == (0, 0)
