"""Writes the skeleton of a plug-in: its code, and what the guards of its kind ask for beside it.

    .venv/bin/python scripts/new_plugin.py medium dvd
    make new-medium NAME=dvd                # the same; `make new-check ID=ssh.agent-refused NAME=agents_refused`

What a kind's skeleton has is `scripts/skeletons/KIND.txt`: files, rows of tables, translations. Kinds of tables get their class from
the Protocol that `build` returns, so that it has every method of today. Each place that only the author knows is marked; they are
listed at the end, and `tests/test_house.py` refuses a commit that has one left. `--into` writes into another copy of the tree.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from checks.servers.catalogue import checks

SKELETONS = Path(__file__).with_name("skeletons")
MARK = "FILL" + " IN"
BLOCK = re.compile(r"^=== (new|unless|end|after|before|into|po) (\S+)(?: :: (.+))?\n", re.MULTILINE)
GENERATED = ("portalops/locale/vi/LC_MESSAGES/portalops.mo", "docs/schemas/portalops.schema.json")
GIVEN = {"id", "kind", "settings", "data_class"}
"""What the skeleton of a class has in any case, of what Protocols ask for."""


@dataclass(frozen=True)
class Block:
    """One part of a skeleton."""

    how: str
    """A `new` file, one `unless` there is one, the `end` of a file, `before`, `after` or `into` a line, or translations: `po`."""
    path: str
    anchor: str
    """With what the line begins."""
    body: str

    def target(self, root: Path) -> Path:
        """Return the file."""
        return root / (f"portalops/locale/vi/{self.path}.po" if self.how == "po" else self.path)


class Refused(Exception):
    """The plug-in cannot be begun; the text says why."""


def names_of(kind: str, name: str, check_id: str) -> Mapping[str, str]:
    """Return what the skeleton's placeholders stand for.

    Raises:
        Refused: the name or the id is not of its form.
    """
    module = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", module):
        raise Refused(
            f"{name[:60]!r} is no name of a plug-in: a small letter, then small letters, digits, hyphens or underscores,"
            " at most 60"
        )
    if keyword.iskeyword(module):
        raise Refused(f"{name!r} is a word of Python, and no file of code can be called so")
    family, _, rest = check_id.partition(".")
    if kind in {"check", "record-check"} and not re.fullmatch(
        r"(?=.{,60}$)[a-z0-9]+\.[a-z0-9]+(-[a-z0-9]+)*", check_id
    ):
        raise Refused(f"ID={check_id[:60]!r} is no id of a check, such as ssh.agent-refused")
    return {
        "FILL": MARK,
        "name": module.replace("_", "-"),
        "module": module,
        "Class": "".join(part.capitalize() for part in module.split("_")),
        "id": check_id,
        "id_module": check_id.replace(".", "_").replace("-", "_"),
        "family": family,
        "rest": rest,
    }


def write(root: Path, kind: str, names: Mapping[str, str]) -> tuple[Path, ...]:
    """Write a skeleton into a tree; return the files that it made or changed.

    Raises:
        Refused: a file is there already, or a place that the skeleton goes to is not.
    """
    text = (SKELETONS / f"{kind}.txt").read_text(encoding="utf-8")
    parts = BLOCK.split(text)[1:]
    blocks = [
        Block(how, *(Template(each or "").substitute(names) for each in rest))
        for how, *rest in zip(parts[::4], parts[1::4], parts[2::4], parts[3::4], strict=True)
    ]
    for block in blocks:  # all before the first is written
        if block.how == "new" and block.target(root).exists():
            raise Refused(f"{block.path} is there already")
    wanted = [block for block in blocks if block.how != "unless" or not block.target(root).exists()]
    return tuple(dict.fromkeys(_put(root, block) for block in wanted))


def _put(root: Path, block: Block) -> Path:
    target = block.target(root)
    made = _expanded(root, block.body.strip("\n") + "\n")
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    match block.how:
        case "new" | "unless":
            text = made
        case "end":
            text = f"{before.rstrip()}\n{made}"
        case "po":
            entries = "".join(
                f'\nmsgid "{en}"\nmsgstr "{vi}"\n' for en, vi in _pairs(made) if f'msgid "{en}"' not in before
            )
            text = before.rstrip("\n") + "\n" + entries
        case _:
            text = _beside(before, block, made)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        english, _, vietnamese = line.partition(" | ")
        yield english, vietnamese


def _beside(before: str, block: Block, made: str) -> str:
    """Put text before, after or into a line that begins with the anchor: of several the last; `A >> B` is the first B behind A."""
    lines = before.splitlines(keepends=True)
    section, _, anchor = block.anchor.rpartition(" >> ")
    begin = next((number for number, line in enumerate(lines) if line.startswith(section)), len(lines))
    places = [number for number, line in enumerate(lines) if number >= begin and line.startswith(anchor)]
    places = places[:1] if section else places
    if not places:
        raise Refused(f"{block.path} has no line that begins with {anchor!r}")
    if block.how == "into":  # at the end of the line, before its closing bracket
        line = lines[places[-1]].rstrip("\n")
        lines[places[-1]] = f"{line[:-1]}{made.strip()}{line[-1]}\n"
    else:
        lines.insert(places[-1] + (block.how == "after"), made)
    return "".join(lines)


# --- classes made from Protocols ------------------------------------------------------------------


def _expanded(root: Path, text: str) -> str:
    """Put the methods of a Protocol in the place of `@@methods MODULE:CLASS`, and their imports below the file's first one."""
    imports: set[str] = set()
    for marker, module, protocol in re.findall(r"^(    @@methods ([\w.]+):(\w+))\n", text, re.MULTILINE):
        methods, needed = _methods(root, module, protocol)
        text = text.replace(marker, methods)
        imports |= needed
    first = "from __future__ import annotations\n"
    return text.replace(first, first + "\n" + "".join(sorted(imports)), 1) if imports else text


def _methods(root: Path, module: str, protocol: str) -> tuple[str, set[str]]:
    path = root / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    own += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    known = {name: f"from {module} import {name}\n" for name in own}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            known |= {each.name: f"from {node.module} import {each.name}\n" for each in node.names}
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == protocol)
    text, needed = "", set[str]()
    for base in found.bases:
        if isinstance(base, ast.Name) and base.id != "Protocol":
            source = known[base.id].split()[1]
            inherited, more = _methods(root, source, base.id)
            text, needed = text + inherited + "\n", needed | more
    methods = [node for node in found.body if isinstance(node, ast.FunctionDef) and node.name not in GIVEN]
    for node in methods:
        used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        needed |= {known[each] for each in used if each in known}
    return text + "\n\n".join(_method(node) for node in methods), needed


def _method(node: ast.FunctionDef) -> str:
    head = ["    @property"] if node.decorator_list else []
    said = (ast.get_docstring(node) or MARK).splitlines()[0]
    assert node.returns is not None
    given = [f'"{MARK}"', *(each.arg for each in (*node.args.args[1:], *node.args.kwonlyargs))]
    return "\n".join(
        (
            *head,
            f"    def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}:",
            f'        """{said}"""',
            f"        raise AssertionError({', '.join(given)})",
        )
    )


# --- what is made anew, and what is left ----------------------------------------------------------


def settle(root: Path, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Put the new code into form, and make anew what is generated; return what of that changed."""
    before = {path: path.read_bytes() for path in (root / each for each in GENERATED)}
    code = [str(path) for path in files if path.suffix == ".py"]
    python = sys.executable
    for call in (
        ["ruff", "check", "--fix", "--quiet", *code],
        ["ruff", "format", "--quiet", *code],
        ["portalops.locale.build"],
    ):
        subprocess.run([python, "-m", *call], cwd=root, check=False, stdout=subprocess.DEVNULL)
    schema = "import sys; from commands.app import main; sys.argv[1:] = ['--quiet', 'config', 'schema', '--output', *sys.argv[1:]]; main()"
    subprocess.run([python, "-c", schema, GENERATED[1]], cwd=root, check=False, stdout=subprocess.DEVNULL)
    return tuple(path for path, held in before.items() if path.read_bytes() != held)


def left_over(root: Path, files: tuple[Path, ...]) -> Iterator[str]:
    """Yield each place that the author is to fill in."""
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MARK in line:
                yield f"{path.relative_to(root)}:{number}: {line.strip()[:100]}"


def main(arguments: list[str] | None = None) -> int:
    """Write a skeleton and list what is to be filled in."""
    kinds = sorted(path.stem for path in SKELETONS.glob("*.txt"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", metavar="KIND", help=", ".join(kinds))
    parser.add_argument("name", help="of the plug-in, which is its file's: root_login_refused")
    parser.add_argument("--id", default="", help="of a check: ssh.root-login")
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parents[1], help="the tree to write into")
    given = parser.parse_args(arguments)
    root = given.into.resolve()
    if given.kind not in kinds:
        close = difflib.get_close_matches(given.kind, kinds, 1)
        more = f"did you mean {close[0]}?" if close else f"the kinds are {', '.join(kinds)}"
        print(f"error: there is no kind of plug-in {given.kind!r}; {more}", file=sys.stderr)
        return 2
    try:
        files = write(root, given.kind, names_of(given.kind, given.name, given.id))
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    generated = settle(root, files)
    print(*(f"wrote {path.relative_to(root)}" for path in (*files, *generated)), sep="\n")
    family = given.id.partition(".")[0]
    families = sorted({each.id.partition(".")[0] for each in checks()})
    if given.kind == "check" and family not in families:
        print(f"\n{family} is a new family of checks; those of before: {', '.join(families)}")
    print(f"\nTo be filled in (search for '{MARK}'):", *left_over(root, files), sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
