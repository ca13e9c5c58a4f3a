"""What needs a package that the plain installation does not bring says so, and nothing else does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from portalops.errors import ConfigurationError, ExitCode

EXTRAS = ("psycopg", "pgqueuer", "rfc3161_client", "typst", "apprise")
ASK = """
import contextlib, io, json, sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))  # None: an import of it fails as if it were not installed
from commands.cli.catalogue import file_of, names, verbs_of
from commands.cli.entry import run
from commands.jobs.kinds import JOBS

def verbs(called):
    if file_of(called):
        yield called
    else:
        for verb in verbs_of(called):
            yield from verbs(f"{called} {verb}")

answers = {}
for called in (verb for name in names() for verb in verbs(name)):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        code = run([*called.split(), "--help", "--json"], {})
    if code:
        answers[called] = [code, json.loads(out.getvalue())["error"]["code"]]
list(JOBS.all())
print(json.dumps(answers))
"""


def test_the_help_of_every_verb_needs_no_extra() -> None:
    told = subprocess.run([sys.executable, "-c", ASK, *EXTRAS], capture_output=True, text=True, check=True).stdout

    assert json.loads(told) == {}


@pytest.mark.parametrize("call", ["drain x", "list", "run", "status"])
def test_workers_need_the_packages_of_a_cluster_and_say_so(call: str) -> None:
    program = "import sys; from commands.cli.entry import run; sys.modules.update(dict.fromkeys(sys.argv[2:])); "
    program += "sys.exit(run(['worker', *sys.argv[1].split(), '--json'], {}))"
    done = subprocess.run([sys.executable, "-c", program, call, *EXTRAS], capture_output=True, text=True, check=False)

    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (ExitCode.CONFIGURATION, ConfigurationError.code)
    assert f"'portalops worker {call.split(maxsplit=1)[0]}' needs the package " in error["message"]
    assert "portalops[cluster]" in error["hint"]
