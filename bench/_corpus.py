"""A folder like a portal's: many small Vietnamese texts and settings, pictures that do not compress, some mixed archives.

The same size and seed give the same bytes on every machine.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path

MIB = 1 << 20
INITIALS = [
    "b",
    "c",
    "ch",
    "d",
    "đ",
    "g",
    "gh",
    "gi",
    "h",
    "k",
    "kh",
    "l",
    "m",
    "n",
    "ng",
    "ngh",
    "nh",
    "p",
    "ph",
    "qu",
    "r",
    "s",
    "t",
    "th",
    "tr",
    "v",
    "x",
]
RIMES = [
    "a",
    "á",
    "à",
    "ả",
    "ã",
    "ạ",
    "an",
    "án",
    "ang",
    "áng",
    "anh",
    "ánh",
    "ai",
    "ái",
    "am",
    "ao",
    "áo",
    "ay",
    "ăn",
    "ăng",
    "ân",
    "ấn",
    "âu",
    "ấu",
    "ây",
    "e",
    "em",
    "én",
    "eo",
    "ê",
    "ên",
    "ếch",
    "i",
    "in",
    "inh",
    "iên",
    "iêu",
    "o",
    "on",
    "ong",
    "ô",
    "ôn",
    "ông",
    "ơ",
    "ơi",
    "u",
    "ung",
    "uôn",
    "uống",
    "ư",
    "ưng",
    "ươn",
    "ương",
    "ước",
    "ưới",
    "uy",
    "uyên",
    "quy",
    "oa",
    "oan",
    "oái",
    "oại",
    "uất",
    "uệ",
    "yên",
    "yêu",
]
KEYS = [
    "host",
    "port",
    "user",
    "database",
    "enabled",
    "timeout",
    "retries",
    "cache",
    "path",
    "charset",
    "locale",
    "theme",
    "channel",
    "category",
    "menu",
]
WORDS = 6000
TEXT_SHARE, PICTURE_SHARE = 0.24, 0.54
"""Of all bytes; the rest is archives, half noise and half text."""
POOL_BYTES = 24 * MIB
"""Of prose that texts are cut out of at any place: far more than a compressor of level 3 looks back, and quickly made."""


def make_corpus(folder: Path, *, mebibytes: int, seed: int = 1) -> tuple[int, int]:
    """Make the folder and return how many files and bytes it has: with 1392 MiB 20,000 texts, 300 pictures, 20 archives."""
    maker = _Maker(seed)
    files = size = 0
    for name, data in maker.everything(mebibytes * MIB):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files += 1
        size += len(data)
    return files, size


def make_notes(folder: Path, *, files: int, seed: int = 1) -> tuple[int, int]:
    """Make a folder of so many texts of up to 2 KiB, 500 in each folder of it; return how many files and bytes it has."""
    maker, sizes = _Maker(seed), random.Random(seed)
    size = 0
    for number in range(files):
        place = folder / f"{number // 500:04d}"
        if number % 500 == 0:
            place.mkdir(parents=True)
        data = maker.cut(sizes.randint(64, 2048))
        (place / f"{number}.txt").write_bytes(data)
        size += len(data)
    return files, size


def made_apart(folder: Path, *, mebibytes: int = 0, notes: int = 0) -> tuple[int, int]:
    """Make a corpus or notes in a process of its own: the memory that a process has had counts as its children's too."""
    command = [sys.executable, "-m", "bench._corpus", str(folder), str(mebibytes), str(notes)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    files, size = done.stdout.split()
    return int(files), int(size)


def make_prose(mebibytes: int, *, seed: int = 1) -> Iterator[str]:
    """Yield Vietnamese articles of 2 to 14 KiB, together about so many mebibytes."""
    maker, sizes = _Maker(seed), random.Random(seed)
    left = mebibytes * MIB
    while left > 0:
        size = sizes.randint(2048, 14 * 1024)
        left -= size
        yield maker.prose(size).decode("utf-8", "ignore")


class _Maker:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        words: dict[str, None] = {}
        while len(words) < WORDS:
            syllables = self._random.choices((1, 2), (7, 3))[0]
            words[" ".join(self._random.choice(INITIALS) + self._random.choice(RIMES) for _ in range(syllables))] = None
        self._words = list(words)
        self._weights = list(accumulate(1.0 / (rank + 3) for rank in range(WORDS)))

    def everything(self, total: int) -> Iterator[tuple[str, bytes]]:
        for number, data in enumerate(self._until(int(total * TEXT_SHARE), self._text)):
            yield f"www/{number % 97:02d}/{number % 13}/bai-viet-{number}.html", data
        for number, data in enumerate(self._until(int(total * PICTURE_SHARE), self._picture)):
            yield f"media/{2015 + number % 11}/{number % 12 + 1:02d}/anh-{number:05d}.jpg", data
        for number, data in enumerate(self._until(int(total * (1 - TEXT_SHARE - PICTURE_SHARE)), self._archive)):
            yield f"archive/tap-{number:03d}.bin", data

    def cut(self, size: int) -> bytes:
        """Return so many bytes of prose, from any place of the pool."""
        start = self._random.randrange(len(self._pool) - size)
        return self._pool[start : start + size]

    def _until(self, total: int, make: Callable[[], bytes]) -> Iterator[bytes]:
        have = 0
        while have < total:
            data = make()
            have += len(data)
            yield data

    @cached_property
    def _pool(self) -> bytes:
        return self.prose(POOL_BYTES)

    def _text(self) -> bytes:
        size = self._random.randint(1024, 32 * 1024)
        if self._random.random() < 0.1:
            lines = (
                f"{self._random.choice(KEYS)}_{number} = {self._random.choice((self._random.randint(1, 65535), 'true', '/srv/portal'))}"
                for number in range(size // 20)
            )
            return "\n".join(lines).encode()[:size]
        return self.cut(size)

    def prose(self, size: int) -> bytes:
        """Return paragraphs of so many bytes; the last letter may be cut."""
        out: list[str] = []
        have = 0
        while have < size:
            words = self._random.choices(self._words, cum_weights=self._weights, k=self._random.randint(8, 26))
            sentence = f'<p id="p{self._random.randint(1, 9999)}">{" ".join(words).capitalize()}.</p>\n'
            out.append(sentence)
            have += len(sentence.encode())
        return "".join(out).encode()[:size]

    def _picture(self) -> bytes:
        return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + self._random.randbytes(self._random.randint(MIB, 4 * MIB))

    def _archive(self) -> bytes:
        parts = []
        for _part in range(self._random.randint(50, 74)):
            is_noise = self._random.random() < 0.5
            parts.append(self._random.randbytes(262_144) if is_noise else self.cut(262_144))
        return b"".join(parts)


def main(folder: Path, mebibytes: int, notes: int) -> None:
    """Make what is asked for, and print how many files and bytes that is."""
    print(*(make_notes(folder, files=notes) if notes else make_corpus(folder, mebibytes=mebibytes)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
