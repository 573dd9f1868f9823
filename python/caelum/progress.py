"""What long calls say while they work, and how they are stopped: by a callback, an exception in it, or Ctrl-C."""
from __future__ import annotations

import ctypes as c
import math
import os
import signal
import sys
import threading
import time
from typing import Any, Callable, Optional, Union

import numpy as np

from .header import Record, plain
from .library import HEADER, UsageError
from .pictures import found

Progress = Union[None, bool, Callable[[Record], Any]]
Feed = Callable[[int, np.ndarray], np.ndarray]


class Watch:
    """Goes with one long call. It has the C callbacks; what they catch is raised at the end.

    Python's own way with Ctrl-C is an exception wherever the interpreter next looks, which within a callback would be
    lost; so the signal is only noted, and the call ends by the rules of any other that is asked to stop."""

    def __init__(self, progress: Progress = None, feed: Optional[Feed] = None, shape: tuple[int, ...] = ()):
        """feed is given pictures of that shape: channels, height, width."""
        self.call, self.source, self.shape = progress if callable(progress) else None, feed, shape
        self.bar = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" if progress is None else progress is True
        self.history: list[Record] = []
        self.stop = False  # asked for, now or before
        self.caught: Optional[BaseException] = None
        self.run: Any = None
        self.drawn = 0.0
        types = dict(HEADER.types["caelum_train_settings"]._fields_)
        self.stage, self.train = types["stage"](self.on_stage), types["progress"](self.on_train)
        self.feed = types["feed"](self.on_feed) if feed else types["feed"]()

    def __enter__(self) -> Watch:
        self.before = None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.getsignal(signal.SIGINT)
            if self.before is signal.default_int_handler:
                signal.signal(signal.SIGINT, self.interrupted)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self.before is signal.default_int_handler:
            signal.signal(signal.SIGINT, self.before)
        if self.bar and self.drawn:
            self.write("\r\033[K")
        if self.caught:
            self.caught.run = self.run  # type: ignore
            raise self.caught from None

    def interrupted(self, number: int, frame: Any) -> None:
        self.caught = KeyboardInterrupt()

    @staticmethod
    def write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    def line(self, text: str) -> None:
        """Draws over the line of before, six times a second."""
        if self.bar and time.monotonic() - self.drawn > 1 / 6:
            self.drawn = time.monotonic()
            self.write(f"\r{text}\033[K")

    def on_stage(self, cookie: Any, what: bytes, done: int, total: int) -> int:
        try:
            if done < total:
                self.line(f"{what.decode()} {done}/{total}")
        except BaseException as error:
            self.caught = error
        return self.caught is not None

    def on_train(self, cookie: Any, progress: Any) -> int:
        try:
            now = plain(progress)
            if now.finished:
                self.history.append(now.finished)
                self.epoch(now)
            else:
                done = int(24 * now.batch / now.batches)
                left = "" if math.isnan(now.seconds_left) else f"  {now.seconds_left:.0f} s left"
                self.line(f"epoch {now.epoch}/{now.epochs} [{'=' * done:24}] loss {now.loss:.5f}{left}")
            self.stop |= bool(self.call and self.call(now))
        except BaseException as error:
            self.caught = error
        return self.stop or self.caught is not None

    def on_feed(self, cookie: Any, step: int, n: int, pixels: int) -> int:
        try:
            shape = n, *self.shape
            memory = np.ctypeslib.as_array((c.c_uint8 * int(np.prod(shape))).from_address(pixels)).reshape(shape)
            given = np.asarray(self.source(step, memory.copy()))  # type: ignore
            if given.dtype != np.uint8 or given.shape != shape:
                raise UsageError(f"feed: expected uint8 {list(shape)}, got {found(given)}")
            memory[...] = given
        except BaseException as error:
            self.caught = error
        return self.caught is not None

    def epoch(self, now: Record) -> None:
        if self.bar:
            end = now.finished
            self.write(f"\repoch {end.epoch}/{now.epochs}  loss {end.loss:.6f}  validation {end.val_loss:.6f}"
                       f"{'  best' if end.best else ''}\033[K\n")
