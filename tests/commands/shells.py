"""Asks the real shells what they offer for a line that somebody has begun to type."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_WAIT_SECONDS = 20.0


def offered_by_bash(file: Path, line: str, folder: Path) -> list[str]:
    """Return what bash offers; the line is split as bash splits it, at `=` too."""
    words = [word for part in line.split(" ") for word in re.split(r"(?<=.)(=)", part) if word or not part]
    call = (
        f"source {shlex.quote(str(file))}; COMP_WORDS=({' '.join(map(shlex.quote, words))}); "
        f"COMP_CWORD={len(words) - 1}; _portalops; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    return _lines(["bash", "--norc", "--noprofile", "-c", call], folder)


def offered_by_fish(file: Path, line: str, folder: Path) -> list[str]:
    """Return what fish offers, without the descriptions."""
    call = f"source {shlex.quote(str(file))}; complete -C {shlex.quote(line)}"
    return [row.partition("\t")[0] for row in _lines(["fish", "--no-config", "-c", call], folder)]


def _lines(command: Sequence[str], folder: Path) -> list[str]:
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"},
    )
    assert done.stderr == ""
    return [row for row in done.stdout.splitlines() if row]


_ZSH = """
fpath=({functions} $fpath)
autoload -Uz compinit
compinit -u -C -d {dump}
compadd() {{
    local -a hits
    [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)* ]] || {{ builtin compadd -A hits "$@"; print -rl -- $hits >> {hits} }}
    builtin compadd "$@"
}}
ask() {{
    BUFFER=$(<{question})
    CURSOR=$#BUFFER
    zle complete-word
    BUFFER=
    print -r -- . >> {end}
}}
zle -N ask
bindkey '^T' ask
print -r -- . >> {end}
"""


def offered_by_zsh(file: Path, line: str, folder: Path, scratch: Path) -> list[str]:
    """Return what zsh adds as matches in its line editor, which it has on a terminal alone.

    The list of the functions that there are is made at the first question and kept beside the file's folder.
    """
    paths = {name: scratch / name for name in ("hits", "question", "end")}
    for path in paths.values():
        path.write_text("", encoding="utf-8")
    paths["question"].write_text(line, encoding="utf-8")
    start = scratch / "start"
    start.write_text(
        _ZSH.format(functions=shlex.quote(str(file.parent)), dump=file.parent.parent / "zcompdump", **paths),
        encoding="utf-8",
    )
    with _on_terminal(["zsh", "-f", "-i"], folder, home=scratch, kind="xterm") as terminal:
        os.write(terminal, f"source {shlex.quote(str(start))}\n".encode())
        _await(paths["end"], 1)
        os.write(terminal, b"\x14")
        _await(paths["end"], 2)
    return sorted({row for row in paths["hits"].read_text(encoding="utf-8").splitlines() if row})


@contextmanager
def _on_terminal(shell: Sequence[str], folder: Path, *, home: Path, kind: str) -> Iterator[int]:
    """Start a shell that has a terminal of its own; give our end of that, and end both after the block."""
    ours, theirs = os.openpty()
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": kind}
    process = subprocess.Popen(
        ["setsid", "--ctty", *shell], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=surroundings
    )
    os.close(theirs)
    try:
        yield ours
    finally:
        os.close(ours)
        process.kill()
        process.wait()


def _await(path: Path, lines: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while path.read_text(encoding="utf-8").count("\n") < lines:
        if time.monotonic() > deadline:
            raise AssertionError("zsh did not answer")
        time.sleep(0.01)


def typed_in_bash(file: Path, keys: str, shown: str, folder: Path) -> str:
    """Return what stands on an interactive bash's terminal once `shown` does, after the keys were pressed; the tabulator too."""
    with _on_terminal(["bash", "--norc", "--noprofile", "-i"], folder, home=folder, kind="dumb") as terminal:
        os.write(terminal, f"source {shlex.quote(str(file))}; PS1='ready''> '\n".encode())
        text = _read_until(terminal, "ready> ", "")
        os.write(terminal, keys.encode())
        return _read_until(terminal, shown, text)


def _read_until(terminal: int, wanted: str, text: str) -> str:
    deadline = time.monotonic() + _WAIT_SECONDS
    while wanted not in text:
        ready, _out, _err = select.select([terminal], [], [], deadline - time.monotonic())
        assert ready, f"bash shows {text!r}"
        text += os.read(terminal, 4096).decode("utf-8", "replace")
    return text
