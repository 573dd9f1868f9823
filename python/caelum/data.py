"""Data sets."""
from __future__ import annotations

import ctypes as c
import os
from typing import Any, Optional, Union

import numpy as np

from .header import Record, plain
from .library import PathLike, fspath, library, struct, value_of
from .pictures import made
from .progress import Watch


class Data:
    """A data set: pictures of one size, shuffled and split into "train", "validation" and "test".

    Attributes:
        notes: sentences that a person should know about how it was opened
        skipped: what could not be used of a directory of photos: reasons by path
        fingerprint: the same for the same pictures
    """

    def __init__(self, source: Optional[PathLike] = None, *, progress: Optional[bool] = None,
                 cache_dir: Optional[PathLike] = None, **settings: int):
        """Opens one.

        source: a CIFAR-10 directory or archive, a directory of pictures, "synthetic", "synthetic:COUNT" or
        "synthetic:COUNT:SIZE"; None: what CAELUM_DATA names, else "synthetic". `caelum data --help` has more.
        settings: split_seed, synthetic_seed, crop, limit, as for `caelum train`.
        progress: a line on standard error while it is read; None: if that is a terminal.
        """
        self._data, self._close = c.c_void_p(), library().data_close
        with Watch(progress) as watch:
            made = struct("data_settings", cache_dir=fspath(cache_dir), progress=watch.stage, **settings)
            library().data_open(c.byref(self._data), fspath(source), c.byref(made))
        self.notes: list[str] = []
        while note := library().data_note(self._data, len(self.notes)):
            self.notes.append(os.fsdecode(note))
        self.skipped: dict[str, str] = {}
        path, reason = c.c_char_p(), c.c_char_p()
        while len(self.skipped) < library().data_skipped(self._data, len(self.skipped), c.byref(path), c.byref(reason)):
            self.skipped[os.fsdecode(path.value or b"")] = os.fsdecode(reason.value or b"")
        self.fingerprint = os.fsdecode(library().data_fingerprint(self._data))

    def __del__(self) -> None:
        if getattr(self, "_data", None):
            self._close(c.byref(self._data))

    def count(self, split: str = "all") -> int:
        """Pictures in a split, or in all."""
        return int(library().data_count(self._data, value_of("split", split)))

    def picture(self, split: str, i: int) -> np.ndarray:
        """Picture i of a split, uint8 [height, width, 3]."""
        count = self.count(split)
        if not 0 <= i < count:
            raise IndexError(f"picture {i} of the {count} of the split {split}")
        return made(lambda out: library().data_picture(self._data, value_of("split", split), i, out))

    def info(self) -> Record:
        """Describes it, reading all of it: a caelum.DataInfo, whose `classes` are numbers of pictures by name."""
        described = struct("data_info")
        library().data_describe(self._data, c.byref(described))
        info = plain(described)
        info.split_count = dict(zip(("train", "validation", "test"), info.split_count))
        info.classes, count = {}, c.c_size_t()
        while name := library().data_class(self._data, len(info.classes), c.byref(count)):
            info.classes[os.fsdecode(name)] = count.value
        info.files = vars(info).pop("file")[:info.files]
        return info


Source = Union[Data, str, "os.PathLike[str]"]


def data_info(data: Source, **settings: Any) -> Record:
    """Describes a data set as `caelum data info` does: count, height, width, mean, classes, ... (caelum.DataInfo).
    data and settings are those of caelum.Data."""
    return (data if isinstance(data, Data) else Data(data, **settings)).info()
