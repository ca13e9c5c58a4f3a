"""What stands for an author instead of a name: nothing at all, or a sign that repeats the line above. Pure.

Merged cells of a spreadsheet come out of it as blanks, and clerks write *nt* (như trên) for the author of the line above. Neither names a
unit, and neither names somebody else: such a line may be the very one that a unit's week lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.updates.text import fold

_ABOVE = " (↑ "
"""Between a sign of repetition and the author of the line above, as both are kept together."""
BESIDE = " ‖ "
"""Between the names of an item that has several, such as of its categories."""
_REPEATS = frozenset({"nt", "như trên", "nhu tren", "như dòng trên", "ditto", "idem"})
_NO_NAMES = frozenset({"null", "none", "na", "ref!", "không rõ", "chưa rõ", "khong ro", "chua ro", "không ghi"})
"""What databases and clerks write where they have no name."""
_EDGES = " \t.,;:()[]-–—#"
_SIGNS = re.compile(r"""["'“”„‟‘’‚″′〃´`]+|/{2,}|\\{2,}""")


def is_repetition(text: str) -> bool:
    """Say whether a cell repeats the one above, instead of saying something by itself.

    >>> [is_repetition(text) for text in ("-nt-", "Như trên", "n/t", '-"-', "//", "Sở Y tế", "")]
    [True, True, True, True, True, False, False]
    """
    bare = fold(text).strip(_EDGES)
    return bare.replace("/", "").replace(".", "") in _REPEATS or _SIGNS.fullmatch(bare) is not None


def repeated_author(sign: str, above: str) -> str:
    """Return the name of a line's author that is the one of the line above; the sign alone where that has none.

    >>> repeated_author("nt", "UBND xã Xuân Sơn"), repeated_author("nt", "")
    ('nt (↑ UBND xã Xuân Sơn)', 'nt')
    """
    return f"{sign}{_ABOVE}{above})" if above else sign


def author_above(name: str) -> str:
    """Return the author of the line above where a name stands for that one; else the name itself.

    >>> author_above("nt (↑ UBND xã Xuân Sơn)"), author_above("Sở Y tế")
    ('UBND xã Xuân Sơn', 'Sở Y tế')
    """
    sign, found, above = name.partition(_ABOVE)
    return above.removesuffix(")") if found and is_repetition(sign) else name


def several_names(names: Iterable[str]) -> str:
    """Return the names of an item as one, each once and in an order of their own: sites put their categories in any order.

    >>> several_names(["Xuân Lâm", "", "Ba Cụm", "Xuân Lâm"])
    'Ba Cụm ‖ Xuân Lâm'
    """
    single = {" ".join(name.replace(BESIDE.strip(), " ").split()) for name in names}
    return BESIDE.join(sorted(name for name in single if not names_nobody(name)))


def names_in(name: str) -> tuple[str, ...]:
    """Return the names of an item that may have several.

    >>> names_in("Ba Cụm ‖ Xuân Lâm"), names_in("Sở Y tế")
    (('Ba Cụm', 'Xuân Lâm'), ('Sở Y tế',))
    """
    return tuple(name.split(BESIDE))


def names_nobody(name: str) -> bool:
    """Say whether the author of a line is not written: blank, signs alone, a repetition of nothing, or a word for it.

    >>> [names_nobody(name) for name in ("", " - ", "nt", "NULL", "không rõ", "Bộ Y tế", "nt (↑ Bộ Y tế)")]
    [True, True, True, True, True, False, False]
    """
    bare = fold(name).strip(_EDGES)
    return (
        not any(sign.isalpha() for sign in bare)
        or is_repetition(name)
        or bare.replace("/", "").replace(".", "") in _NO_NAMES
    )
