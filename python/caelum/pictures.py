"""Pictures: arrays, PIL's pictures and files on their way into the library and out of it."""
from __future__ import annotations

import ctypes as c
import os
from typing import TYPE_CHECKING, Any, Callable, Union

import numpy as np

from .library import PathLike, UsageError, fspath, library, struct

if TYPE_CHECKING:
    import PIL.Image

Picture = Union[np.ndarray, "PIL.Image.Image", str, "os.PathLike[str]"]
MODES = "1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"  # others have more than 8 bits, or no colors


def found(value: Any) -> str:
    """What an array is, for an exception."""
    return f"{value.dtype} {list(value.shape)}" if isinstance(value, np.ndarray) else type(value).__name__


def is_pil(picture: Any) -> bool:
    """Whether it is a picture of PIL's, which need not be there."""
    return hasattr(picture, "convert") and hasattr(picture, "mode")


def of_pil(picture: Any) -> np.ndarray:
    if picture.mode not in MODES:
        raise UsageError(f"a PIL picture of mode {picture.mode}; expected one of {', '.join(MODES)}")
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:  # over white, as in files
        pixels = np.asarray(picture.convert("RGBA"), np.uint32)
        alpha = pixels[..., 3:]
        return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.asarray(picture.convert("RGB"))


def pixels(picture: Picture) -> np.ndarray:
    """The picture as uint8 [height, width, 3], rows top to bottom; the same array if it is one."""
    if isinstance(picture, (str, os.PathLike)):
        return load_picture(picture)
    array = of_pil(picture) if is_pil(picture) else np.asarray(picture)
    if array.ndim == 2 or array.ndim == 3 and array.shape[2] == 1:
        array = np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        hint = "; round 255 times the values of [0, 1] to uint8" if array.dtype.kind == "f" else ""
        raise UsageError(f"picture: expected uint8 [height, width, 3] or [height, width], got {found(array)}{hint}")
    return np.ascontiguousarray(array)


def given(array: np.ndarray) -> Any:
    """A struct caelum_picture of such an array, which must be kept for as long."""
    return struct("picture", width=array.shape[1], height=array.shape[0], pixels=array.ctypes.data)


def made(function: Callable[..., None], *arguments: Any) -> np.ndarray:
    """The picture that a function puts into its last parameter."""
    picture = struct("picture")
    function(*arguments, c.byref(picture))
    try:
        size = picture.height, picture.width, 3
        return np.ctypeslib.as_array((c.c_uint8 * int(np.prod(size))).from_address(picture.pixels)).reshape(size).copy()
    finally:
        library().picture_free(c.byref(picture))


def like(picture: Picture, array: np.ndarray) -> Any:
    """The result for a picture: PIL's for PIL's, else the array."""
    if not is_pil(picture):
        return array
    import PIL.Image
    return PIL.Image.fromarray(array)


def load_picture(path: PathLike) -> np.ndarray:
    """Reads a PNG, JPEG, WebP or TIFF as upright sRGB: uint8 [height, width, 3]."""
    return made(lambda out: library().picture_load(out, fspath(path)))


def save_picture(picture: Picture, path: PathLike) -> None:
    """Writes a picture, whole or not at all, in the format that the path ends in: .png, .jpg, .webp."""
    array = pixels(picture)
    library().picture_save(c.byref(given(array)), fspath(path))
