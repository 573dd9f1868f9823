"""Data sets."""
from __future__ import annotations

import ctypes as c
import os
from pathlib import Path
from typing import Any, Optional, Sequence, Union

import numpy as np

from .header import Record, plain
from .library import HEADER, PathLike, UsageError, fspath, library, struct, value_of
from .pictures import found, is_pil, made, pixels
from .progress import Watch

Source = Union["Data", PathLike, np.ndarray, Sequence[Any]]


def planes(source: Any) -> np.ndarray:
    """Pictures in memory as uint8 [n, channels, height, width], a view where they are an array."""
    if isinstance(source, (list, tuple)) and source and (is_pil(source[0]) or np.ndim(source[0]) < 4):
        pictures = [pixels(picture) for picture in source]
        odd = next((i for i, picture in enumerate(pictures) if picture.shape != pictures[0].shape), None)
        if odd is not None:
            sizes = " x ".join(map(str, pictures[odd].shape[:2])), " x ".join(map(str, pictures[0].shape[:2]))
            raise UsageError(f"data: picture {odd} is {sizes[0]}, the first {sizes[1]}; expected one size")
        source = np.stack(pictures)
    array = np.asarray(source)
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim == 4 and array.shape[3] in (1, 3):
        array = np.moveaxis(array, 3, 1)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1] not in (1, 3):
        hint = "; round 255 times the values of [0, 1] to uint8" if array.dtype.kind == "f" else ""
        raise UsageError("data: expected uint8 [n, height, width], [n, height, width, channels] or [n, channels, "
                         f"height, width] with 1 or 3 channels, got {found(np.asarray(source))}{hint}")
    return array if any(array.strides) else np.ascontiguousarray(array)


def split_of(word: str) -> Any:
    return value_of(HEADER.types["caelum_split"], word)


class Data:
    """A data set: pictures of one size, shuffled and split into "train", "validation" and "test".

    Attributes:
        notes: sentences that a person should know about how it was opened
        skipped: what could not be used of a directory of photos: reasons by path
        fingerprint: the same for the same pictures
    """

    def __init__(self, source: Union[None, PathLike, np.ndarray, Sequence[Any]] = None, *,
                 labels: Optional[Sequence[int]] = None, split: Sequence[int] = (0, 0, 0),
                 progress: Optional[bool] = None, cache_dir: Optional[PathLike] = None, **settings: Any):
        """Opens one.

        source: what `caelum train --data` takes: a directory of pictures, "cifar-10", "synthetic:COUNT:SIZE", ...; or
        pictures in memory: an array, uint8 [n, height, width], [n, height, width, channels] or [n, channels, height,
        width] with 1 or 3 channels, or a list of arrays, PIL's pictures or files, all of one size. None: what
        CAELUM_DATA names, else "synthetic".
        labels, split: of pictures in memory, the class of each, a number from 0, and how many of them are to train on,
        to validate by and to test on, in this order; all 0: shuffled and divided as other data are.
        settings: split_seed, limit, crop, resize, synthetic_seed, as for `caelum train`; in memory only the first two.
        progress: a line on standard error while it is read; None: if that is a terminal.

        An array of contiguous [n, channels, height, width] or [n, height, width] is used where it is, and must not be
        changed as long as the Data is there.
        """
        self._data, self._close = c.c_void_p(), library().data_close
        with Watch(progress) as watch:
            made = struct("data_settings", cache_dir=fspath(cache_dir), progress=watch.stage, **settings)
            if source is None or isinstance(source, (str, os.PathLike)):
                if labels is not None or any(split):
                    raise TypeError("labels and split are of pictures in memory")
                library().data_open(c.byref(self._data), fspath(source), c.byref(made))
            else:
                files = [key for key in ("crop", "resize", "synthetic_seed") if key in settings]
                if files:
                    raise UsageError(f"{', '.join(files)}: of files and generated pictures, not of those in memory")
                self._from_memory(planes(source), labels, split, made)
        self.notes: list[str] = []
        while note := library().data_note(self._data, len(self.notes)):
            self.notes.append(os.fsdecode(note))
        self.skipped: dict[str, str] = {}
        path, reason = c.c_char_p(), c.c_char_p()
        while len(self.skipped) < library().data_skipped(self._data, len(self.skipped), c.byref(path), c.byref(reason)):
            self.skipped[os.fsdecode(path.value or b"")] = os.fsdecode(reason.value or b"")
        self.fingerprint = os.fsdecode(library().data_fingerprint(self._data))

    def _from_memory(self, array: np.ndarray, labels: Any, split: Sequence[int], settings: Any) -> None:
        count, channels, height, width = array.shape
        classes = np.zeros(count) if labels is None else np.asarray(labels)
        if classes.shape != (count,) or not np.array_equal(classes, classes.astype(np.uint16)):
            raise UsageError(f"labels: expected [{count}] whole numbers from 0 to 65535, got {found(classes)}")
        if len(split) != 3:
            raise UsageError(f"split: expected (train, validation, test), got {split}")
        self._kept = array, np.ascontiguousarray(classes, np.uint16)  # the library uses them where they are
        pictures = struct("pictures", pixels=array.ctypes.data, count=count, channels=channels, height=height,
                          width=width, stride=array.strides, split=(c.c_size_t * 3)(*split),
                          labels=None if labels is None else self._kept[1].ctypes.data)
        library().data_from_pictures(c.byref(self._data), c.byref(pictures), c.byref(settings))

    def __del__(self) -> None:
        if getattr(self, "_data", None):
            self._close(c.byref(self._data))

    def count(self, split: str = "all") -> int:
        """Pictures in a split, or in all."""
        return int(library().data_count(self._data, split_of(split)))

    def picture(self, split: str, i: int) -> np.ndarray:
        """Picture i of a split, uint8 [height, width, 3]."""
        count = self.count(split)
        if not 0 <= i < count:
            raise IndexError(f"picture {i} of the {count} of the split {split}")
        return made(lambda out: library().data_picture(self._data, split_of(split), i, out))

    def _size(self) -> tuple[int, int]:
        height, width, _ = self.picture("train", 0).shape
        return height, width

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


def data_fetch(name: str, to: Optional[PathLike] = None, url: Optional[str] = None,
               progress: Optional[bool] = None) -> Path:
    """Fetches a published data set, "cifar-10" for example, as `caelum data fetch` does; gives what caelum.Data opens.

    to: a directory; None: that of the user's data, where caelum.Data finds it by its name. url: a copy of the files
    nearby. What an earlier call has left is checked and continued.
    """
    place = (c.c_char * 4096)()
    with Watch(progress) as watch:
        settings = struct("fetch_settings", to=fspath(to), progress=watch.stage, **{"from": url and url.encode()})
        library().data_fetch(name.encode(), c.byref(settings), place)
    return Path(os.fsdecode(place.value))


def data_info(data: Source, **settings: Any) -> Record:
    """Describes a data set as `caelum data info` does: count, height, width, mean, classes, ... (caelum.DataInfo).
    data and settings are those of caelum.Data."""
    return (data if isinstance(data, Data) else Data(data, **settings)).info()
