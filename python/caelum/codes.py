"""Files of pictures as codes; colorizing and denoising by the models that come with caelum."""
from __future__ import annotations

import ctypes as c
import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Union

import numpy as np

from .library import PathLike, UsageError, fspath, library, struct
from .model import Model, decoded, encoded
from .pictures import Picture, pixels

ModelOrPath = Union[Model, str, "os.PathLike[str]"]
kept = functools.lru_cache(4)(Model)  # of names alone: files may change


def model_of(model: ModelOrPath) -> Model:
    if isinstance(model, Model):
        return model
    return Model(model) if os.path.exists(model) else kept(os.fspath(model))


def colorize(picture: Picture, model: ModelOrPath = "colorize", **settings: Any) -> Any:
    """A picture of any size in color, by the model that comes with caelum or another; settings are those of
    Model.colorize.

        caelum.save_picture(caelum.colorize("old.jpg", vivid=0.8), "colored.jpg")
    """
    return model_of(model).colorize(picture, **settings)


def denoise(picture: Picture, model: ModelOrPath = "denoiser", **settings: Any) -> Any:
    """A picture of any size without its noise, by the model that comes with caelum or another; settings are those of
    Model.denoise.

        caelum.save_picture(caelum.denoise("night.jpg", strength=0.8), "clear.jpg")
    """
    return model_of(model).denoise(picture, **settings)


def encode(pictures: Union[Mapping[str, Picture], Iterable[PathLike]], path: PathLike, model: ModelOrPath = "code",
           **settings: Any) -> None:
    """Writes a file of codes, as `caelum encode` does, whole or not at all; settings are those of Model.encode.

    pictures: pictures by the names that they are to have, or the paths of pictures.
    """
    given = pictures.items() if isinstance(pictures, Mapping) else [(Path(file).stem, file) for file in pictures]
    named: dict[str, Picture] = {}
    for name, picture in given:
        if name in named:
            raise UsageError(f"{picture} would have the name of {named[name]}; give pictures by names of their own")
        named[name] = picture
    if not named:
        raise UsageError("no pictures were given to encode")
    with model_of(model)._codec(**settings) as codec:
        writer = c.c_void_p()
        library().code_writer_open(c.byref(writer), fspath(path), codec, len(named))
        try:
            for name, picture in named.items():
                code = encoded(codec, pixels(picture))
                library().code_writer_add(writer, c.byref(struct(
                    "code_entry", name=os.fsencode(name), width=code.width, height=code.height, size=len(code.bytes),
                    bytes=c.cast(c.c_char_p(code.bytes), c.c_void_p))))
            library().code_writer_commit(writer)
        finally:
            library().code_writer_close(c.byref(writer))


def decode(path: PathLike, model: ModelOrPath = "code", threads: int = 0) -> dict[str, np.ndarray]:
    """The pictures of such a file by their names, uint8 [height, width, 3]; it must have been written with the same
    model."""
    with model_of(model)._codec(threads=threads) as codec:
        reader = c.c_void_p()
        library().code_reader_open(c.byref(reader), fspath(path), codec)
        try:
            count = library().code_reader_count(reader)
            entries = [library().code_reader_entry(reader, i).contents for i in range(count)]
            return {os.fsdecode(entry.name): decoded(codec, entry) for entry in entries}
        finally:
            library().code_reader_close(c.byref(reader))
