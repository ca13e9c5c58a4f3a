"""Streams into packs: cut, compressed and encrypted once, handed to every medium.

    source -> buffers of 1 MiB -> two compressing threads -> one thread that encrypts, in order -> a lane a medium
                               -> one thread that takes the digests of what is read

A pack is a slice of a stream, compressed by zstd in frames of 1 MiB with checksums and encrypted by age on its own, so
that memory is bounded and a damaged byte costs one pack. No more than `BUFFERS` pieces are under way at once.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TypeVar

from backups.age import Encryptor, Recipient
from backups.fanout import Lane
from backups.freed import keep_freed_memory
from backups.zstd import CompressionParameter, ZstdCompressor
from portalops.model.backups import Pack
from portalops.model.record import Digest
from portalops.ports import Hash

FRAME_BYTES = 1 << 20
BUFFERS = 10
COMPRESSORS = 2
"""Three gain nothing on two cores: reading, hashing and encrypting need time as well."""
LEVEL = 3
ResultT = TypeVar("ResultT")

_local = threading.local()


def new_compressor() -> ZstdCompressor:
    """Return a compressor as every part of a set uses it: with a checksum in each frame."""
    return ZstdCompressor(
        options={CompressionParameter.compression_level: LEVEL, CompressionParameter.checksum_flag: 1}
    )


def compress_frame(data: memoryview | bytes) -> bytes:
    """Return one zstd frame with its checksum and size.

    The size need not be announced: all of the frame comes at once. Announcing it took 30 % longer.
    """
    compressor: ZstdCompressor | None = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = new_compressor()
    return compressor.compress(data, ZstdCompressor.FLUSH_FRAME)


@dataclass(frozen=True, slots=True)
class _Frame:
    path: str
    """Of the pack that it belongs to."""
    buffer: bytearray
    compressed: Future[bytes]
    hashed: Future[None]


class SetPacker:
    """Writes one set's files to all lanes. Used by one thread; close it by `stop`."""

    def __init__(
        self,
        recipients: Sequence[Recipient],
        lanes: Sequence[Lane],
        *,
        pack_bytes: int,
        on_bytes: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self.frame_bytes = min(FRAME_BYTES, pack_bytes)
        self.pack_bytes = pack_bytes // self.frame_bytes * self.frame_bytes
        """Plaintext of a pack but for a stream's last one: whole frames."""
        self.on_bytes = on_bytes
        self._recipients = recipients
        self._free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
        self._assembler = _Assembler(recipients, lanes, self._free)
        keep_freed_memory()
        self._pool = ThreadPoolExecutor(COMPRESSORS, thread_name_prefix="compress")
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="digests")
        for _number in range(BUFFERS):
            self._free.put(bytearray(self.frame_bytes))

    def encryptor(self) -> Encryptor:
        """Return a fresh encryptor for all recipients."""
        return Encryptor(self._recipients)

    def add_file(self, path: str, data: bytes) -> None:
        """Write a small file as it is, in clear."""
        self._assembler.do(lambda: self._assembler.write_file(path, data))

    def add_index(self, path: str, spool: IO[bytes], plain_bytes: int) -> Future[Pack]:
        """Write an encrypted index; its pack is known when all before it is written."""
        made: Future[Pack] = Future()
        self._assembler.do(lambda: self._assembler.copy_spool(path, spool, plain_bytes, made))
        return made

    def discard(self, paths: Sequence[str]) -> None:
        """Remove files again, the one that is being written included."""
        self._assembler.do(lambda: self._assembler.discard(paths))

    def buffer(self) -> bytearray:
        """Return a free buffer, waiting for one if all are under way."""
        return self._free.get()

    def give_back(self, buffer: bytearray) -> None:
        """Return a buffer unused."""
        self._free.put(buffer)

    def submit(self, path: str, buffer: bytearray, count: int, hashes: Sequence[tuple[Hash, int, int]]) -> Future[None]:
        """Compress the first bytes of a buffer into a pack; the buffer is free again afterwards.

        Args:
            path: of the pack.
            buffer: one that `buffer` gave.
            count: how many of its bytes are used.
            hashes: what is to take bytes of the buffer in, in this order: a hash, the first byte and the one behind the last.

        Returns:
            Done when the hashes have taken the bytes in, and all that was submitted before.
        """
        view = memoryview(buffer)[:count]
        frame = _Frame(
            path, buffer, self._pool.submit(compress_frame, view), self._hashing.submit(_absorb, view, hashes)
        )
        self._assembler.do(lambda: self._assembler.add_frame(frame), undo=lambda: self._free.put(buffer))
        return frame.hashed

    def end_pack(self, path: str, plain_bytes: int) -> Future[Pack]:
        """End a pack that holds so many bytes of its stream; how it is stored is known when all of it is written."""
        made: Future[Pack] = Future()
        self._assembler.do(lambda: self._assembler.end_pack(path, plain_bytes, made))
        return made

    def flush(self) -> None:
        """Wait until everything was handed to the lanes."""
        done: Future[None] = Future()
        self._assembler.do(lambda: done.set_result(None))
        self._assembler.wait_for(done)

    def result(self, made: Future[ResultT]) -> ResultT:
        """Wait for a pack or a digest."""
        return self._assembler.wait_for(made)

    def stop(self) -> None:
        """End the threads. Lanes are not touched."""
        self._assembler.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._hashing.shutdown(wait=True, cancel_futures=True)


def _absorb(data: memoryview, hashes: Sequence[tuple[Hash, int, int]]) -> None:
    for each, start, end in hashes:
        each.update(data[start:end])


class _Assembler:
    """The thread that encrypts frames in order and hands the bytes to every lane."""

    def __init__(
        self, recipients: Sequence[Recipient], lanes: Sequence[Lane], free: queue.SimpleQueue[bytearray]
    ) -> None:
        self._recipients = recipients
        self._lanes = lanes
        self._free = free
        self._steps: queue.Queue[tuple[Callable[[], None], Callable[[], None] | None] | None] = queue.Queue()
        self._fault: BaseException | None = None
        self._path: str | None = None
        self._encryptor = Encryptor(recipients)
        self._stored = hashlib.sha256()
        self._stored_bytes = 0
        self._thread = threading.Thread(target=self._work, name="packs", daemon=True)
        self._thread.start()

    def do(self, act: Callable[[], None], *, undo: Callable[[], None] | None = None) -> None:
        """Have something done in order; `undo` is done in its place after a fault.

        Not bounded by itself: frames are, because there are only so many buffers.
        """
        if self._fault is not None:
            raise self._fault
        self._steps.put((act, undo))

    def wait_for(self, future: Future[ResultT]) -> ResultT:
        """Wait for what a step will give."""
        while not future.done():
            if self._fault is not None:
                raise self._fault
            try:
                return future.result(timeout=0.5)
            except TimeoutError:
                continue
        return future.result()

    def stop(self) -> None:
        """End the thread after the steps that are waiting."""
        self._steps.put(None)
        self._thread.join()

    def add_frame(self, frame: _Frame) -> None:
        if self._path is None:
            self._open(frame.path)
        compressed = frame.compressed.result()
        frame.hashed.result()
        self._free.put(frame.buffer)
        self._write(self._encryptor.update(compressed))

    def end_pack(self, path: str, plain_bytes: int, made: Future[Pack]) -> None:
        self._write(self._encryptor.finish())
        made.set_result(self._close(path, plain_bytes))

    def copy_spool(self, path: str, spool: IO[bytes], plain_bytes: int, made: Future[Pack]) -> None:
        self._open(path)
        with spool:
            while data := spool.read(FRAME_BYTES):
                self._write(data)
        made.set_result(self._close(path, plain_bytes))

    def write_file(self, path: str, data: bytes) -> None:
        self._open(path)
        self._write(data)
        self._close(path, len(data))

    def discard(self, paths: Sequence[str]) -> None:
        if self._path is not None:
            self._close(self._path, 0)
        for lane in self._lanes:
            for path in paths:
                lane.discard(path)

    def _open(self, path: str) -> None:
        self._path = path
        self._encryptor = Encryptor(self._recipients)
        self._stored = hashlib.sha256()
        self._stored_bytes = 0
        for lane in self._lanes:
            lane.open(path)

    def _write(self, data: bytes | bytearray) -> None:
        for lane in self._lanes:
            lane.write(data)
        self._stored.update(data)
        self._stored_bytes += len(data)

    def _close(self, path: str, plain_bytes: int) -> Pack:
        for lane in self._lanes:
            lane.close()
        self._path = None
        return Pack(path, plain_bytes, self._stored_bytes, Digest(self._stored.hexdigest()))

    def _work(self) -> None:
        while (step := self._steps.get()) is not None:
            act, undo = step
            try:
                if self._fault is None:
                    act()
                elif undo is not None:
                    undo()
            except BaseException as error:  # noqa: BLE001  # told by the thread that waits
                self._fault = error
                if undo is not None:
                    undo()
