"""The file formats a report can be written in: one module a format, found by its name.

A format module defines `FORMAT`, a `ports.ReportFormat`. Modules without one serve the others or,
like `terminal`, show documents elsewhere than in a file.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import cast

from portalops.errors import UnknownReport
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.ports import NeedsOfMachine, ReportFormat


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the formats' names, sorted; nothing is imported for it."""
    found = (module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
    return tuple(sorted(name for name in found if _defines_format(Path(__path__[0]) / f"{name}.py")))


def load(name: str) -> ReportFormat:
    """Return the format of a name.

    Raises:
        UnknownReport: there is no such format.
    """
    if name not in names():
        raise UnknownReport(
            msg("no report format is named {name}", name=show_text(name, 60)),
            msg("Choose one of: {names}.", names=", ".join(names())),
        )
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("ReportFormat", module.FORMAT)


def lacks(some: Iterable[ReportFormat]) -> tuple[Message, ...]:
    """Return what the machine lacks for some formats, such as a font, and what is taken instead; nothing is made for it.

    Raises:
        UnknownReport: a format needs what is not installed.
    """
    return tuple(lack for form in some if isinstance(form, NeedsOfMachine) for lack in form.lacks())


def _defines_format(path: Path) -> bool:
    tree = ast.parse(path.read_bytes())
    targets = (
        target
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else (node.target,))
    )
    return any(isinstance(target, ast.Name) and target.id == "FORMAT" for target in targets)
