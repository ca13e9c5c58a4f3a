"""Changes the pure rules in small ways, one at a time, and asks whether a test notices.

    make mutants                              # every target of tests/mutants/targets.toml
    make mutants OF=backups/retention.py      # one of them
    make mutants OF=... AGAIN=1               # only what survived, was interrupted or is new since the last run

mutmut makes the mutants and runs each in a fork of a process that has imported everything. A mutant is *killed* by a test that
fails, *timed out* where a test does not end, or *refused* by `make check`: mypy rejects it, or its changed text has no
translation. Any other one *survived*, unless tests/mutants/equivalent.toml names it, with the reason why nobody can notice it.
The exit code is 1 if a mutant survived, or if an entry of that file fits no mutant any more.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from portalops.locale.build import KEYWORDS, read_fragments

ROOT = Path(__file__).resolve().parent.parent
CODE = ("backups", "checks", "commands", "portalops")
SCRATCH = ROOT / "build" / "mutants"
MEMORY = Path("/dev/shm")
TARGETS = ROOT / "tests" / "mutants" / "targets.toml"
EQUIVALENT = ROOT / "tests" / "mutants" / "equivalent.toml"
KILLED = frozenset({1, 3})
"""What mutmut notes of a mutant that a test noticed: the exit codes of pytest."""
TIMED_OUT = frozenset({24, 36, 152, 255, -24, -9})
REFUSED_BY_TYPES = 37
LONGEST, AROUND = 120, 40
"""Of a statement with more letters than the first, as many as the second are shown on either side of a change."""


@dataclass(frozen=True, slots=True)
class Target:
    """Rules that are tried together, and the tests that hold them."""

    files: Sequence[str]
    """Paths from the root, with `*`."""
    tests: Sequence[str]
    """Fast ones: each runs for every mutant of a function that it reaches, until one fails."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function with one change."""

    file: str
    function: str
    was: str
    """The changed statement as Python itself writes it, so that reformatting a file changes no mutant."""
    now: str


@dataclass(slots=True)
class Tally:
    """What became of the mutants of one file."""

    mutants: int = 0
    killed: int = 0
    timed_out: int = 0
    refused: int = 0
    equivalent: list[Mutant] = field(default_factory=list)
    survived: list[Mutant] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Return 0 if every mutant of the targets named, or of all targets, was noticed or is named as equivalent."""
    again = "--again" in arguments
    arguments = [argument for argument in arguments if argument != "--again"]
    targets = {name: Target(**values) for name, values in tomllib.loads(TARGETS.read_text("utf-8")).items()}
    if unknown := [name for name in arguments if name not in targets]:
        print(f"error: no target {unknown[0]!r}\nhint: Name one of {', '.join(targets)}.", file=sys.stderr)
        return 2
    equivalent = read_equivalent(EQUIVALENT.read_text("utf-8"))
    tallies: dict[str, Tally] = {}
    for name in arguments or targets:
        print(f"mutants: {name}", file=sys.stderr)
        room = SCRATCH / name.replace("/", "+")
        if again and room.exists():
            forget_survivors(room)
        else:
            shutil.rmtree(room, ignore_errors=True)
        prepare(room, targets[name])
        if not run(room):
            print(f"error: the run of {name} failed\nhint: Read {room / 'log'}.", file=sys.stderr)
            return 1
        for file, codes in results(room):
            tallies[file] = judge(file, (room / "mutants" / file).read_text("utf-8"), codes, equivalent)
    stale = {each for each in equivalent if each.file in tallies and each not in tallies[each.file].equivalent}
    return report(tallies, stale)


def read_equivalent(text: str) -> frozenset[Mutant]:
    """Return the mutants that are named as equivalent; each entry holds all those of one statement that share a reason."""
    return frozenset(
        Mutant(entry["file"], entry["function"], entry["was"], now)
        for entry in tomllib.loads(text).get("equivalent", ())
        for now in entry["now"]
        if entry["reason"].strip()
    )


def prepare(room: Path, target: Target) -> None:
    """Make a folder that looks like the root to mutmut, with this target's settings."""
    mutated = room / "mutants"
    if not mutated.exists():
        mutated.mkdir(parents=True)
        for each in ROOT.iterdir():
            if each.name in (*CODE, "tests"):
                (room / each.name).symlink_to(each)
            elif not each.name.startswith(".") and each.name not in ("build", "pyproject.toml"):
                (mutated / each.name).symlink_to(each)
    files = [str(path.relative_to(ROOT)) for pattern in target.files for path in sorted(ROOT.glob(pattern))]
    settings = {
        "source_paths": CODE,
        "only_mutate": files,
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--hypothesis-seed=0"],
        "pytest_add_cli_args_test_selection": target.tests,
        "type_check_command": [
            *("mypy", "--output", "json", "--cache-dir", str(SCRATCH / "types")),
            *("--disable-error-code", "unused-ignore"),
            *files,
        ],
        "timeout_constant": 4.0,  # seconds: on a machine with other work nothing ends that soon, and that is no kill
        "use_git_change_detection": False,
    }  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    # mypy refuses what is wrong here, not what is needless: a branch that no test takes shows itself by `if x or True`.
    own = [
        line
        for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
        if not line.startswith(("warn_unreachable", "enable_error_code"))
    ]
    (room / "pyproject.toml").write_text("\n".join([*own, "[tool.mutmut]", *lines, ""]), "utf-8")


def forget_survivors(room: Path) -> None:
    """Let mutmut try again what no test and no type noticed in time; it goes on with the results that are left."""
    for path in (room / "mutants").rglob("*.py.meta"):
        noted = json.loads(path.read_text("utf-8"))
        codes = noted["exit_code_by_key"]
        noted["exit_code_by_key"] = {
            name: code if code in KILLED | {REFUSED_BY_TYPES} else None for name, code in codes.items()
        }
        path.write_text(json.dumps(noted), "utf-8")


def run(room: Path) -> bool:
    """Run mutmut on one core; return whether it came to its end.

    Tests work in memory where there is a place for it: a ledger waits for its disk at each record.
    """
    programs = Path(sys.executable).parent
    memory = str(MEMORY) if os.access(MEMORY, os.W_OK) else None
    with (room / "log").open("wb") as log, tempfile.TemporaryDirectory(dir=memory) as folder:
        environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TMPDIR": folder}
        command = [str(programs / "mutmut"), "run", "--max-children", "1"]
        return subprocess.run(command, cwd=room, env=environment, stdout=log, stderr=log, check=False).returncode == 0


def results(room: Path) -> Iterator[tuple[str, Mapping[str, int | None]]]:
    """Yield each mutated file with what mutmut noted of its mutants, by their names."""
    for path in sorted((room / "mutants").rglob("*.py.meta")):
        yield (
            str(path.relative_to(room / "mutants")).removesuffix(".meta"),
            json.loads(path.read_text("utf-8"))["exit_code_by_key"],
        )


def judge(file: str, mutated: str, codes: Mapping[str, int | None], equivalent: Collection[Mutant]) -> Tally:
    """Return what became of the mutants of a file, of which the text with all its mutants is given."""
    functions = {each.name: each for each in ast.walk(ast.parse(mutated)) if isinstance(each, ast.FunctionDef)}
    translated = {text for entry in read_fragments()[0] for text in (entry.text, entry.plural)}
    tally = Tally(len(codes))
    for name, code in codes.items():
        generated = name.rpartition(".")[2]
        plain = generated.partition("__mutmut")[0]
        before, after = functions[f"{plain}__mutmut_orig"], functions[generated]
        shown = plain.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
        mutant = Mutant(file, shown, *_change(before, after))
        if code in KILLED:
            tally.killed += 1
        elif code in TIMED_OUT:
            tally.timed_out += 1
        elif code == REFUSED_BY_TYPES or _texts(after) - translated - _texts(before):
            tally.refused += 1
        elif mutant in equivalent:
            tally.equivalent.append(mutant)
        else:
            tally.survived.append(mutant)
    return tally


def report(tallies: Mapping[str, Tally], stale: Collection[Mutant]) -> int:
    """Print the survivors, the entries that fit nothing and a table; return the exit code."""
    survived = [mutant for tally in tallies.values() for mutant in tally.survived]
    for title, mutants in (("survived", survived), ("no such survivor, remove it from the equivalents", stale)):
        for mutant in mutants:
            print(f"{title}: {mutant.file} {mutant.function}\n  - {mutant.was}\n  + {mutant.now}")
    rows = [
        (file, tally.mutants, tally.killed, tally.timed_out, tally.refused, len(tally.equivalent), len(tally.survived))
        for file, tally in tallies.items()
    ]
    total = ("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])) if rows else ()
    print(tabulate([*rows, total], ("file", "mutants", "killed", "timed out", "refused", "equivalent", "survived")))
    return 1 if survived or stale else 0


def _change(before: ast.FunctionDef, after: ast.FunctionDef) -> tuple[str, str]:
    """Return what differs, as statements: of repeated ones with the line before, of long ones what stands around the change."""
    old, new = (ast.unparse(each).replace(each.name, "", 1).splitlines() for each in (before, after))
    first, behind = _ends(old, new)
    if old.count(old[first]) > 1:
        first -= 1
    was, now = (" ".join(line.strip() for line in lines[first : len(lines) - behind]) for lines in (old, new))
    if max(len(was), len(now)) <= LONGEST:
        return was, now
    start, behind = (max(0, shared - AROUND) for shared in _ends(was, now))
    return was[start : len(was) - behind], now[start : len(now) - behind]


def _ends(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """Return how much is the same at the beginning and, behind that, at the end."""
    first = _shared(one, other)
    return first, _shared(one[first:][::-1], other[first:][::-1])


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _texts(function: ast.FunctionDef) -> set[str]:
    """Return the texts of a function that the catalogue must hold."""
    calls = [
        (each, each.func.id)
        for each in ast.walk(function)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
    ]
    texts = [argument for call, name in calls for argument in call.args[: KEYWORDS.get(name, 0)]]
    return {each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
