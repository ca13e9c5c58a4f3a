"""What became of a mutant, and which survivors are accepted."""

from __future__ import annotations

from scripts.mutants import Mutant, judge, read_equivalent, report

MUTATED = '''
def x_due__mutmut_orig(day, days):
    """Say when."""
    if day > 0:
        return msg("no plan is recorded")
    return day + days


def x_due__mutmut_1(day, days):
    """Say when."""
    if day >= 0:
        return msg("no plan is recorded")
    return day + days


def x_due__mutmut_2(day, days):
    """Say when."""
    if day > 0:
        return msg("XXno plan is recordedXX")
    return day + days


def x_due__mutmut_3(day, days):
    """Say when."""
    if day > 0:
        return msg("no plan is recorded")
    return day - days
'''
BORDER = Mutant("a.py", "due", "if day > 0:", "if day >= 0:")
SUM = Mutant("a.py", "due", "return day + days", "return day - days")


def test_a_survivor_is_told_from_what_tests_and_checks_notice() -> None:
    codes = {f"a.x_due__mutmut_{number}": code for number, code in ((1, 0), (2, 0), (3, 1))}

    found = judge("a.py", MUTATED, codes, ())

    assert (found.mutants, found.killed, found.refused) == (3, 1, 1), "the second one's text has no translation"
    assert found.survived == [BORDER]


def test_what_no_test_reaches_survives_and_what_the_types_refuse_does_not() -> None:
    found = judge("a.py", MUTATED, {"a.x_due__mutmut_1": 37, "a.x_due__mutmut_3": 33}, ())

    assert (found.refused, found.survived) == (1, [SUM])


def test_a_survivor_that_is_named_with_its_reason_is_accepted() -> None:
    entry = (
        '[[equivalent]]\nfile = "a.py"\nfunction = "due"\nreason = "{}"\nwas = "if day > 0:"\nnow = ["if day >= 0:"]\n'
    )

    assert (
        judge("a.py", MUTATED, {"a.x_due__mutmut_1": 0}, read_equivalent(entry.format("Days are whole."))).survived
        == []
    )
    assert read_equivalent(entry.format(" ")) == frozenset(), "without a reason it is not named"


def test_a_run_fails_for_a_survivor_and_for_an_entry_that_fits_none() -> None:
    kept = judge("a.py", MUTATED, {"a.x_due__mutmut_1": 0}, {BORDER})
    lost = judge("a.py", MUTATED, {"a.x_due__mutmut_1": 0}, ())

    assert report({"a.py": kept}, ()) == 0
    assert report({"a.py": kept}, [SUM]) == 1
    assert report({"a.py": lost}, ()) == 1


def test_the_place_of_a_statement_that_stands_twice_is_told_by_the_line_before() -> None:
    text = (
        "def x_f__mutmut_orig(a):\n    if a:\n        return 1\n    if not a:\n        return 1\n"
        "def x_f__mutmut_1(a):\n    if a:\n        return 1\n    if not a:\n        return 2\n"
    )

    (mutant,) = judge("a.py", text, {"a.x_f__mutmut_1": 0}, ()).survived

    assert (mutant.was, mutant.now) == ("if not a: return 1", "if not a: return 2")


def test_of_a_long_statement_what_stands_around_the_change_is_shown() -> None:
    call = "call({}, {}, {})".format(*(", ".join(f"{letter}{n}" for n in range(20)) for letter in "abc"))
    text = "".join(
        f"def x_f__mutmut_{n}():\n    return {c}\n" for n, c in (("orig", call), ("1", call.replace("b9", "x")))
    )

    (mutant,) = judge("a.py", text, {"a.x_f__mutmut_1": 0}, ()).survived

    assert " b9, " in mutant.was and mutant.was.replace("b9", "x") == mutant.now
    assert len(mutant.was) == 82
