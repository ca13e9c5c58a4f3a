"""Begins the registers of people's deeds in the example portal, by the commands that an office would type.

    .venv/bin/python examples/begin_registers.py [--into var/example] [--config portalops.toml]

Who holds what, a change that was approved and one that could not wait, an incident that was reported, where the machine
stands, and who attests it. All of it is invented, and each text says so ("ví dụ"). Times follow from the moment of the run. A
register that holds anything is left alone, so a second run records nothing.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import sys
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from portal.days import ZONE, monday_of

from commands.cli.entry import run
from portalops.errors import ExitCode, LedgerMissing

HOST = "this-machine"
AN, BINH = "nguyen-van-an", "tran-thi-binh"
SAID_BY = "Nguyễn Văn An (ví dụ)"
SIGNED_BY = "Trần Thị Bình, Giám đốc (ví dụ)"
DEPARTMENT = "Sở Khoa học và Công nghệ (ví dụ)"
MAIL = "văn bản điện tử (ví dụ)"

AHEAD = timedelta(seconds=6)
"""How long before its window a change is asked for: what is asked for afterwards is refused, and nobody waits longer."""

Command = tuple[str, ...]
LATER: Command = ()
"""Yielded where everything else may be done before the next command."""
AnswerT = TypeVar("AnswerT")
Steps = Generator[Command, Any, AnswerT]
"""Commands in their order; what each shows comes back, since the next may need the id that was given."""


@dataclass(frozen=True)
class Failed(Exception):
    """A command that did not do what it should."""

    command: Command
    code: int
    said: str


@dataclass(frozen=True)
class Office:
    """Where the example's people type, and the moment that they begin."""

    configuration: Path
    papers: Path
    now: datetime

    def ask(self, *words: str) -> Any:
        """Carry out one command, and return the data that it shows.

        Raises:
            Failed: it ended otherwise than by recording or showing what it was asked for.
        """
        code, out, err = self._call(*words)
        if code not in {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}:
            raise Failed(words, code, err or out)
        return json.loads(out)["data"]

    def holds(self, kind: str) -> bool:
        """Say whether the ledger has records of a kind, or of kinds that begin with it; without a ledger there are none."""
        words = ("ledger", "show", "--last", "1", "--kind", kind)
        code, out, err = self._call(*words)
        if code == ExitCode.FAILED and json.loads(out)["error"]["code"] == LedgerMissing.code:
            return False
        if code != ExitCode.OK:
            raise Failed(words, code, err or out)
        return bool(json.loads(out)["data"])

    def _call(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["--config", str(self.configuration), *words, "--json"], os.environ)
        return code, out.getvalue(), err.getvalue()

    def paper(self, name: str, text: str) -> str:
        """Write a paper of the example, and return its path."""
        self.papers.mkdir(parents=True, exist_ok=True)
        path = self.papers / f"{name}.txt"
        path.write_text(f"VÍ DỤ, KHÔNG PHẢI VĂN BẢN THẬT\n\n{text}\n", encoding="utf-8")
        return str(path)

    def moment(self, *, hours: int = 0, days: int = 0) -> str:
        """Return a moment so long before now, as it is typed."""
        return f"{self.now - timedelta(hours=hours, days=days):%Y-%m-%dT%H:%M}"

    def day(self, days: int = 0) -> str:
        """Return the day so many days before today."""
        return (self.now.date() - timedelta(days=days)).isoformat()


def place(office: Office) -> Steps[None]:
    """The machine was seen where it stands; that paper is kept."""
    yield (
        "host", "sight", HOST, "--site", "Trung tâm dữ liệu tỉnh (ví dụ)", "--room", "204", "--rack", "Tủ A, U12",
        "--holder", "Đơn vị quản lý Cổng thông tin điện tử tỉnh (ví dụ)", "--by", SAID_BY, "--on", office.day(3),
        "--file", office.paper("bien-ban-kiem-ke", "Biên bản kiểm kê máy chủ: phòng 204, tủ A, U12."),
    )  # fmt: skip


def credentials(office: Office) -> Steps[None]:
    """Three in order but for one password, which should have been changed 40 days ago."""
    yield (
        "credential", "add", "cong-quan-tri", "--system", "portal:khanhhoa-demo", "--account", "quantri", "--kind", "key",
        "--holder", AN, "--deputy", BINH, "--place", "Két sắt phòng 204 (ví dụ)", "--issued", office.day(40), "--mfa",
    )  # fmt: skip
    yield (
        "credential", "add", "csdl-quan-tri", "--system", "database:portal", "--account", "quantri", "--kind", "password",
        "--holder", BINH, "--deputy", AN, "--place", "Két sắt phòng 204 (ví dụ)", "--issued", office.day(100),
    )  # fmt: skip
    yield (
        "credential", "add", "ten-mien", "--system", "other:ten-mien", "--account", "khanhhoa-demo", "--kind", "password",
        "--holder", AN, "--deputy", BINH, "--place", "Két sắt phòng 204 (ví dụ)", "--issued", office.day(10),
    )  # fmt: skip


def changes(office: Office) -> Steps[None]:
    """One change by the book from the first letter to the end, and an emergency that was notified at once and approved afterwards."""
    begins = datetime.now(ZONE) + AHEAD
    window = ("--from", begins.isoformat(), "--to", (begins + timedelta(hours=2)).isoformat())
    planned = yield from asked_for(
        "--what", "ví dụ: nâng cấp giao diện cổng", "--why", "ví dụ: kế hoạch quý IV", *window,
        "--rollback", "ví dụ: dùng lại bản cũ",
    )  # fmt: skip
    yield notified(office, planned, "VD-85/TTTT", days=6)
    yield approved(office, planned, "VD-512/UBND", days=1)

    urgent = yield from asked_for(
        "--emergency", "--what", "ví dụ: chặn địa chỉ đang dò quét", "--why", "ví dụ: dò quét liên tục từ đêm qua", *window,
        "--rollback", "ví dụ: bỏ quy tắc chặn",
    )  # fmt: skip
    yield notified(office, urgent, "VD-86/TTTT", days=0)
    yield from made(urgent, "ví dụ: hết dò quét")
    yield approved(office, urgent, "VD-513/UBND", days=0)
    yield ("change", "close", urgent, "--by", SAID_BY)

    yield LATER
    time.sleep(max(0.0, (begins - datetime.now(ZONE)).total_seconds()))
    yield from made(planned, "ví dụ: cổng chạy bình thường")
    yield ("change", "close", planned, "--by", SAID_BY)


def asked_for(*said: str) -> Steps[str]:
    """Ask for a change of the machine; returns its id."""
    data = yield ("change", "request", "--host", HOST, "--by", SAID_BY, *said)
    return str(data["id"])


def notified(office: Office, change: str, document: str, *, days: int) -> Command:
    """Return how the Department was told of a change."""
    paper = office.paper(f"thong-bao-{change}", f"{document}: thông báo thay đổi {change}.")
    return (
        "change", "notify", change, "--document", document, "--sent", office.moment(days=days), "--how", MAIL, "--to", DEPARTMENT,
        "--file", paper,
    )  # fmt: skip


def approved(office: Office, change: str, document: str, *, days: int) -> Command:
    """Return how the Committee agreed to a change."""
    paper = office.paper(f"dong-y-{change}", f"{document}: đồng ý thay đổi {change}.")
    return (
        "change", "approve", change, "--document", document, "--on", office.day(days), "--by", "Ủy ban nhân dân tỉnh (ví dụ)",
        "--file", paper,
    )  # fmt: skip


def made(change: str, outcome: str) -> Steps[None]:
    """Begin and finish a change at once: what really changes on this machine falls under none of the example's."""
    yield ("change", "start", change, "--by", SAID_BY)
    yield ("change", "finish", change, "--outcome", outcome)


def incidents(office: Office) -> Steps[None]:
    """One incident, reported in time and closed; one more that waits for its reports; and who attests that there were no others."""
    data = yield (
        "incident", "open", "--what", "ví dụ: khóa của cổng nằm trên máy tính bị mất", "--kind", "credential", "--severity", "high",
        "--happened", office.moment(hours=20), "--detected", office.moment(hours=4), "--credential", "cong-quan-tri",
        "--affected", "ví dụ: trang quản trị của cổng", "--by", SAID_BY,
    )  # fmt: skip
    lost = data["id"]
    yield (
        "incident",
        "note",
        lost,
        "--text",
        "ví dụ: đã gỡ khóa cũ khỏi cổng",
        "--at",
        office.moment(hours=3),
        "--by",
        SAID_BY,
    )
    yield ("credential", "rotate", "cong-quan-tri", "--on", office.day(), "--reason", f"ví dụ: {lost}")
    for kind, document, hours in (("first", "VD-15/BC", 2), ("full", "VD-18/BC", 1)):
        paper = office.paper(f"bao-cao-{lost}-{kind}", f"{document}: báo cáo sự cố {lost}.")
        yield (
            "incident", "report", lost, "--kind", kind, "--to", DEPARTMENT, "--document", document, "--how", MAIL,
            "--sent", office.moment(hours=hours), "--file", paper, "--by", SAID_BY,
        )  # fmt: skip
    yield (
        "incident", "close", lost, "--ended", office.moment(hours=3), "--cause", "ví dụ: ổ đĩa không mã hóa", "--measures",
        "ví dụ: mã hóa ổ đĩa, khóa trên token", "--lessons", "ví dụ: không để khóa quản trị trên máy cá nhân", "--by", SAID_BY,
    )  # fmt: skip
    yield (
        "incident", "open", "--what", "ví dụ: cổng ngừng 20 phút vì mất điện", "--kind", "outage", "--severity", "medium",
        "--detected", office.moment(hours=1), "--holder", BINH, "--by", SAID_BY,
    )  # fmt: skip
    first = monday_of(office.now.date()) - timedelta(days=7)
    yield (
        "incident", "attest", "--from", first.isoformat(), "--to", office.day(1), "--by", SIGNED_BY, "--document", "VD-20/XN",
        "--file", office.paper("xac-nhan-so-su-co", "VD-20/XN: mọi sự cố được biết đều đã ghi vào sổ."),
    )  # fmt: skip


def access(office: Office) -> Steps[None]:
    """Who holds what, and what happened to it: an incident is tied to a credential, so the two begin together."""
    yield from credentials(office)
    yield from incidents(office)


REGISTERS: tuple[tuple[Callable[[Office], Steps[None]], tuple[str, ...]], ...] = (
    (changes, ("change",)),
    (place, ("host.sighted",)),
    (access, ("credential", "incident")),
)
"""What begins registers, and the kinds of records of which any shows that they are begun."""


def begin(office: Office) -> int:
    """Begin every register that is empty, and return how many records were made."""
    waiting = deque(steps(office) for steps, kinds in REGISTERS if not any(map(office.holds, kinds)))
    count = 0
    while waiting:
        typed, answer = waiting.popleft(), None
        with suppress(StopIteration):
            while (command := typed.send(answer)) != LATER:
                answer = office.ask(*command)
                count += 1
            waiting.append(typed)
    return count


def main() -> int:
    """Begin what is not begun yet, and say what was done."""
    parser = argparse.ArgumentParser(description="Begin the registers of the example portal.")
    parser.add_argument(
        "--into", type=Path, default=Path("var/example"), metavar="FOLDER", help="where the example lies"
    )
    parser.add_argument("--config", type=Path, default=Path("portalops.toml"), metavar="FILE", help="its configuration")
    arguments = parser.parse_args()
    office = Office(arguments.config, arguments.into / "papers", datetime.now(ZONE))
    try:
        count = begin(office)
    except Failed as error:
        print(f"error: 'portalops {shlex.join(error.command)}' ended with {error.code}\n{error.said}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(
            f"error: cannot write the example's papers in {office.papers}: {error.strerror or error}", file=sys.stderr
        )
        return ExitCode.FAILED
    if count:
        print(f"Began the example's registers by {count} commands: every text in them is invented, and says so.")
    else:
        print("The example's registers are begun already.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
