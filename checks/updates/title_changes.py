"""What a title says that an earlier one did not: by that the same text, or one with other numbers, may be other news. Pure.

A weekly schedule, a licence and a bulletin of each day have one text, or differ by numbers alone. Their titles name the week, the
number, the day or the person. A view counter, the head of a forwarded mail and the dates of related news do not stand there.
"""

from __future__ import annotations

import re

from checks.updates.text import numbers_of, read_text

_WORD = re.compile(r"[^\W\d_]+")
_FROM_TEXT = re.compile(r" \[[^\[\]]*số \d+\](?= \([^()]*\)$|$)")
"""Numbers without signs that a mail's text or file names stand so behind its subject, which does not have them."""
_LEAST_SHARE = 0.5
"""Of its words, that a title has in common with one that is like it."""


def has_new_number(earlier: str, later: str) -> bool:
    """Say whether a title has a number, or a day, that an earlier one does not have.

    >>> has_new_number("Lịch công tác tuần 46", "Lịch công tác tuần 47")
    True
    >>> has_new_number("Lịch công tác tuần 6", "Lịch tuần 06")
    False
    >>> has_new_number("Gửi báo cáo [BC số 70]", "Gửi báo cáo [BC số 71]")
    False
    """
    return not set(numbers_of(_subject(earlier))).issuperset(numbers_of(_subject(later)))


def is_another_title(earlier: str, later: str) -> bool:
    """Say whether a title has a new number or a new name in it, or shares fewer than half of its words with an earlier one.

    >>> is_another_title("Niêm yết hồ sơ của ông Nguyễn Văn An", "Niêm yết hồ sơ của bà Trần Thị Bình")
    True
    >>> is_another_title("Ra quân làm sạch biển", "Tin ảnh: Ra quân làm sạch biển")
    False
    """
    if has_new_number(earlier, later):
        return True
    earlier, later = _subject(earlier), _subject(later)
    known = frozenset(read_text(earlier).words)
    if not are_of_like_words(earlier, later):
        return True
    names = (word for word in _WORD.findall(later)[1:] if word[0].isupper())
    return any(not known.issuperset(read_text(name).words) for name in names)


def is_next_issue(earlier: str, later: str) -> bool:
    """Say whether a title is that of an earlier one's next issue: at least half of its words, with a new number or day.

    >>> is_next_issue("Lịch công tác tuần 46 của Sở", "Lịch công tác tuần 47 của Sở")
    True
    >>> is_next_issue("Lịch công tác tuần 46 của Sở", "Nhìn lại 47 ngày ra quân")
    False
    """
    return has_new_number(earlier, later) and are_of_like_words(_subject(earlier), _subject(later))


def are_of_like_words(earlier: str, later: str) -> bool:
    """Say whether a title has at least half of its words, numbers aside, in common with an earlier one."""
    known = frozenset(read_text(earlier).words)
    words = [word for word in read_text(later).words if not word.isdigit()]
    return sum(word in known for word in words) >= _LEAST_SHARE * len(words)


def _subject(title: str) -> str:
    return _FROM_TEXT.sub("", title)
