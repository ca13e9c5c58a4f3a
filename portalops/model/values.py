"""`dataclass` as the standard library has it, made in a third of the time for values that cannot be changed.

`dataclasses.dataclass(frozen=True, slots=True)` compiles seven methods for each class. `portalops status` has some 300 such
classes, and that was a fifth of its time. Here `__init__` alone is compiled, when it is first called; comparing, hashing, showing
and refusing changes are the same few functions for all. A class with other options, or whose base is a dataclass, is made by the
standard library.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

__all__ = ("dataclass",)

_Methods: TypeAlias = "dict[str, Any]"

_SHARED = frozenset({"frozen", "slots", "kw_only"})
"""The options that are served here; the first two must be given."""


def _dataclass(cls: type[Any] | None = None, /, **options: bool) -> Any:
    if cls is None:
        return lambda decorated: _dataclass(decorated, **options)
    is_value = options.get("frozen") and options.get("slots") and options.keys() <= _SHARED
    if not is_value or any(map(dataclasses.is_dataclass, cls.__mro__)):
        return dataclasses.dataclass(cls, **options)
    own = dict(vars(cls))
    made: Any = dataclasses.dataclass(
        cls, init=False, repr=False, eq=False, slots=True, kw_only=options.get("kw_only", False)
    )
    made.__dataclass_params__.frozen = made.__dataclass_params__.init = True
    made.__dataclass_params__.repr = made.__dataclass_params__.eq = True
    fields = dataclasses.fields(made)
    for name, method in ({"__init__": _Init(made, fields)} | _compared(fields) | _shown(fields) | _CONSTANT).items():
        if own.get(name) is None:  # Python itself puts None for the hash of a class that compares by itself
            setattr(made, name, method)
    return made


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass


class _Init:
    """A class's `__init__`, compiled when it is first looked for: of most classes that a call imports it makes no value."""

    def __init__(self, made: type[Any], fields: Sequence[Field[Any]]) -> None:
        if not all(each.init for each in fields):
            raise TypeError(f"{made.__name__} has a field without a parameter: the standard library makes such classes")
        self._made, self._fields = made, fields

    def __get__(self, value: object | None, owner: type[Any]) -> Callable[..., None]:
        init: Any = _compiled_init(self._made, self._fields)
        self._made.__init__ = init
        found: Callable[..., None] = init.__get__(value, owner)
        return found


def _compiled_init(made: type[Any], fields: Sequence[Field[Any]]) -> Callable[..., None]:
    given: dict[str, object] = {"_set": object.__setattr__, "_MISSING": MISSING}
    positional, by_name, body = ["self"], list[str](), list[str]()
    for each in fields:
        parameter = value = each.name
        if each.default_factory is not MISSING:
            given[f"_make_{each.name}"] = each.default_factory
            parameter, value = f"{parameter}=_MISSING", f"_make_{value}() if {value} is _MISSING else {value}"
        elif each.default is not MISSING:
            given[f"_default_{each.name}"] = each.default
            parameter = f"{parameter}=_default_{each.name}"
        (by_name if each.kw_only else positional).append(parameter)
        body.append(f"_set(self, '{each.name}', {value})")
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join([*positional, *(["*", *by_name] if by_name else [])])
    lines = [f"def __init__({parameters}):", *(f" {each}" for each in body or ["pass"]), "return __init__"]
    text = f"def make({', '.join(given)}):\n " + "\n ".join(lines)
    found: dict[str, Any] = {}
    exec(text, vars(sys.modules[made.__module__]), found)  # noqa: S102  # as dataclasses does
    init: Callable[..., None] = found["make"](**given)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {each.name: each.type for each in fields} | {"return": None}
    return init


def _compared(fields: Sequence[Field[Any]]) -> _Methods:
    compared = _values_of([each.name for each in fields if each.compare])
    hashed = _values_of([each.name for each in fields if (each.compare if each.hash is None else each.hash)])

    def equals(self: object, other: object) -> bool:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equals, "__hash__": lambda self: hash(hashed(self))}


def _values_of(names: Sequence[str]) -> Callable[[object], Any]:
    return attrgetter(*names) if names else lambda _value: ()


def _shown(fields: Sequence[Field[Any]]) -> _Methods:
    shown = tuple(each.name for each in fields if each.repr)

    def show(self: object) -> str:
        values = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
        return f"{type(self).__qualname__}({values})"

    return {"__repr__": show}


def _refuse_change(_self: object, name: str, _value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_removal(_self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _restore(self: Any, state: Sequence[Any]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_CONSTANT: _Methods = {
    "__setattr__": _refuse_change,
    "__delattr__": _refuse_removal,
    "__getstate__": _state,
    "__setstate__": _restore,
}
"""Alike for every class; the last two are for pickling and copying."""
