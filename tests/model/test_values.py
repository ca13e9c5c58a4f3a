"""What `portalops.model.values` makes is what the standard library makes."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any, Generic, TypeVar

import pytest

from portalops.model.values import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    """A place."""

    x: int
    y: int = 2
    tags: tuple[str, ...] = field(default_factory=lambda: ("a",))
    note: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str
    size: int = 0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("no name")


@dataclass(frozen=True, slots=True)
class Holding(Generic[T]):
    held: T


@dataclass(frozen=True, slots=True)
class Own:
    x: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own)

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "own"


@dataclass(frozen=True, slots=True)
class Empty:
    pass


@dataclass(frozen=True, slots=True)
class Longer(Empty):
    z: int


def test_values_are_made_as_by_the_standard_library() -> None:
    theirs: Any = dataclasses.make_dataclass(
        "Point",
        [
            ("x", int),
            ("y", int, field(default=2)),
            ("tags", tuple, field(default_factory=lambda: ("a",))),
            ("note", str, field(default="", repr=False, compare=False)),
        ],
        frozen=True,
        slots=True,
    )

    mine = Point(1, note="n")

    assert repr(mine) == repr(theirs(1, note="n")) == "Point(x=1, y=2, tags=('a',))"
    assert hash(mine) == hash(theirs(1))
    assert dataclasses.astuple(mine) == dataclasses.astuple(theirs(1, note="n"))
    assert Point.__match_args__ == theirs.__match_args__
    assert Point.__slots__ == theirs.__slots__
    assert not hasattr(mine, "__dict__")
    assert Point.__doc__ == "A place."


def test_values_compare_by_their_fields_and_their_class() -> None:
    assert Point(1) == Point(1, 2, ("a",), "another")
    assert Point(1) != Point(2)
    other: object = Holding(1)
    assert other != Longer(1)
    assert len({Point(1), Point(1), Point(3)}) == 2
    assert Empty() == Empty() and hash(Empty()) == hash(Empty())


def test_values_cannot_be_changed() -> None:
    point: Any = Point(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    with pytest.raises(FrozenInstanceError):
        point.other = 2


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Named("by place")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="no name"):
        Named(name="")


def test_values_are_replaced_copied_and_pickled() -> None:
    point = Point(1, note="n")
    assert dataclasses.replace(point, y=5) == Point(1, 5)
    for other in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert other == point and other.note == "n"


def test_methods_of_a_class_stay_its_own() -> None:
    assert Own(1) == Own(2) and hash(Own(1)) == 7 and repr(Own(1)) == "own"


def test_generic_values_and_values_with_a_base_work() -> None:
    assert Holding[int](1) == Holding(1)
    assert Longer(3) == Longer(3) and repr(Longer(3)) == "Longer(z=3)"
    assert [each.name for each in dataclasses.fields(Longer)] == ["z"]


def test_other_classes_are_those_of_the_standard_library() -> None:
    @dataclass(slots=True)
    class Changing:
        x: int

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        x: int

    changing = Changing(1)
    changing.x = 2

    assert changing == Changing(2)
    assert Ordered(1) < Ordered(2)
    with pytest.raises(FrozenInstanceError):
        Ordered(1).x = 2  # type: ignore[misc]


def test_a_field_without_a_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match="Counted has a field without a parameter"):

        @dataclass(frozen=True, slots=True)
        class Counted:
            count: int = field(default=0, init=False)
