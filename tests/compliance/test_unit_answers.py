"""The sheet that a unit fills in is read whole or refused with the line that is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from portalops.compliance.unit_answers import ItemAnswer, read_answers
from portalops.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "item,answer,document\n3f2a91,2026-11-18,07/BB-SYT\n77aa01,ours,\n88bb02,,\n",
        "\ufeffMã tin;Trả lời;Văn bản\r\n3f2a91;18/11/2026;07/BB-SYT\r\n77aa01;của đơn vị;\r\n88bb02;;\r\n",
        "document\titem\ttitle\tanswer\n07/BB-SYT\t3f2a91\tTin\t18/11/2026\n\t77aa01\tTin\tCủa đơn vị\n\t88bb02\tTin\t\n",
    ],
)
def test_a_sheet_is_read_as_clerks_save_it(text: str) -> None:
    sheet = read_answers(text.encode())

    assert sheet.answers == (
        ItemAnswer("3f2a91", date(2026, 11, 18), "07/BB-SYT", 2),
        ItemAnswer("77aa01", None, "", 3),
    )
    assert sheet.blank == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no columns item and answer"),
        (b"\xff\xfe", "not UTF-8"),
        (b"item,note\n3f2a91,x\n", "no columns item and answer"),
        (b"item,answer\n3f2a91,yes\n", "line 2 of the answers: yes is neither a day nor ours"),
        (b"item,answer\n3f2a91,31/11/2026\n", "31/11/2026 is neither a day nor ours"),
        (b"item,answer\n,ours\n", "line 2 of the answers names no item"),
        (b'item,answer\n"3f2a91,ours\n', "no table"),
        (b"item,answer\n" + b"a,ours\n" * 1000, "more than 1000 lines"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused_with_the_line(data: bytes, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_answers(data)

    assert said in str(refused.value.message)
