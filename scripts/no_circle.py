"""A contract of import-linter: no circle of modules, also where they import each other in a function or for types alone."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
from importlinter import Contract, ContractCheck, output


class NoCircle(Contract):
    """Holds where no module needs itself, over whatever way."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        """Look for a circle; imports of every kind count."""
        del verbose
        modules = sorted(module for module in graph.modules if not module.startswith("commands."))
        try:
            TopologicalSorter({each: graph.find_modules_directly_imported_by(each) for each in modules}).prepare()
        except CycleError as error:
            return ContractCheck(kept=False, metadata={"circle": error.args[1][::-1]})
        return ContractCheck(kept=True)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the circle, each module above what it imports."""
        for module in check.metadata["circle"]:
            output.print_error(module)
