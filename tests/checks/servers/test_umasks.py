"""Which umask a startup file is read to set, by the program that reads it on the host."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from checks.servers.probes.umasks import SCAN

AWKS = [name for name in ("mawk", "gawk", "busybox") if shutil.which(name)]
OF_RHEL = """
if [ $UID -gt 199 ] && [ "`/usr/bin/id -gn`" = "`/usr/bin/id -un`" ]; then
    umask 002
else
    umask 022
fi
"""
FOUND = {
    "umask 022": ["always 022"],
    "umask 0": ["always 0"],
    "# umask 0\necho x # umask 0": [],
    "(umask 0; mkdir x)": [],
    "x=$(umask 0; mkdir x)": [],
    "umask": [],
    "umask -S": [],
    "[ `umask` -eq 0 ] && umask 022": ["if 022"],
    "echo a; umask 077": ["always 077"],
    "command umask 0": ["always 0"],
    'umask "027"': ["always 027"],
    "umask u=rwx,g=rwx,o=rwx": ["always u=rwx,g=rwx,o=rwx"],
    "umask -S 000": ["always 000"],
    "umask -- 0": ["always 0"],
    "umask $MASK": ["always ?"],
    "PROMPT_COMMAND='umask 000'": ["later 000"],
    "alias mkdir='umask 0; mkdir'; umask 022": ["later 0", "always 022"],
    "trap 'umask $M' DEBUG": ["later ?"],
    "eval umask 0": ["always 0"],
    'echo "umask 0"': [],
    '[ "$UID" -gt 1 ] && [ "$x" ] && umask 022': ["if 022"],
    'd="$(umask 077; mktemp)"': [],
    "if true; then\n  umask 0\nfi\numask 022": ["if 0", "always 022"],
    "if true; then umask 0; fi\numask 022": ["if 0", "always 022"],
    "f() {\n  umask 0\n}\numask 022": ["if 0", "always 022"],
    "case $- in\n*i*) umask 0 ;;\nesac\numask 022": ["if 0", "always 022"],
    "for i in a b; do\n  . $i\ndone\numask 027": ["always 027"],
    OF_RHEL: ["own 002", "if 022"],
}


@pytest.mark.parametrize("program", AWKS)
@pytest.mark.parametrize("text", FOUND)
def test_commands_of_a_startup_file(tmp_path: Path, program: str, text: str) -> None:
    (tmp_path / "profile").write_text(text + "\n")

    assert scanned(program, tmp_path) == [f"{tmp_path}/profile {one}" for one in FOUND[text]]


@pytest.mark.parametrize("program", AWKS)
@pytest.mark.parametrize(
    "line", [". ~/.extra", 'source "$HOME/.extra"', "[ -f ~/.extra ] && . ~/.extra", ". {home}/.extra"]
)
def test_file_that_is_read_by_a_literal_path_is_read_too(tmp_path: Path, program: str, line: str) -> None:
    (tmp_path / "profile").write_text(line.replace("{home}", str(tmp_path)) + "\n. ~/.gone\n")
    (tmp_path / ".extra").write_text("umask 0\n. ~/.extra\n")

    assert scanned(program, tmp_path) == [f"{tmp_path}/.extra always 0"]


def scanned(program: str, folder: Path) -> list[str]:
    command = [program, *(["awk"] if program == "busybox" else [])]
    options = ["-v", "W=*", "-v", "F=sh", "-v", f"H={folder}", SCAN, str(folder / "profile")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True, timeout=10)
    return [" ".join(line.split("|")[3:]) for line in done.stdout.splitlines()]
