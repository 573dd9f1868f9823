"""Finders of defects: what is wrong in a picture, learned from good pictures alone."""
from __future__ import annotations

import ctypes as c
import json
from typing import Any, Optional

import numpy as np

from .header import Record, plain
from .library import HEADER, PathLike, fspath, library, struct
from .pictures import Picture, given, like, made, pixels
from .progress import Watch


class Verdict(Record):
    """What a finder says of a picture.

    Attributes:
        score: the largest of any pixel; larger is worse
        p: the share of good pictures with such a score or a larger one, by rank
        bad: whether that is less than the rate of false alarms allows
        boxes: the worst places, a caelum.AnomalyBox each: x, y, width, height, score; none if the picture is not bad
        map: the score of each pixel, float32 [height, width]
    """


class Anomaly:
    """A finder of defects, as `caelum anomaly train` makes it. Any number of threads may score pictures at once.

        finder = caelum.Anomaly.train("good", false_alarms=0.01, work="training")
        finder.save("part.safetensors")
        verdict = finder.score(frame)
        print(verdict.bad, verdict.p, verdict.boxes)

    Attributes:
        left_out: the path of each picture that training or calibration could not read, and why
    """

    def __init__(self, path: PathLike):
        """Loads one."""
        handle = c.c_void_p()
        library().anomaly_load(c.byref(handle), fspath(path))
        self._open(handle)

    def _open(self, handle: c.c_void_p) -> None:
        self._anomaly, self._close = handle, library().anomaly_close
        self.left_out: list[tuple[str, str]] = []

    @classmethod
    def load(cls, path: PathLike) -> Anomaly:
        """The same as Anomaly(path)."""
        return cls(path)

    @classmethod
    def train(cls, directory: PathLike, *, work: Optional[PathLike] = None, progress: Optional[bool] = None,
              **settings: Any) -> Anomaly:
        """Learns from the good pictures in a directory and below.

        work: a directory where the training is kept while it lasts; where it was stopped, the same call resumes it.
        progress: True: a bar; None: only if standard error is a terminal.
        settings: size, false_alarms (a share: 0.01), steps, seed and threads; docs/anomaly.md explains them.
        """
        handle, finder = c.c_void_p(), cls.__new__(cls)
        finder._open(handle)
        finder._learn(library().anomaly_train, c.byref(handle), directory, progress, work=fspath(work), **settings)
        return finder

    def _learn(self, function: Any, handle: Any, directory: PathLike, progress: Optional[bool],
               **settings: Any) -> None:
        left_out: list[tuple[str, str]] = []
        kind = dict(HEADER.types["caelum_anomaly_settings"]._fields_)["left_out"]
        note = kind(lambda cookie, path, why: left_out.append((plain(path), plain(why))))
        with Watch(progress) as watch:
            made = struct("anomaly_settings", progress=watch.stage, left_out=note, **settings)
            function(handle, fspath(directory), c.byref(made))
        self.left_out = left_out

    def __del__(self) -> None:
        if getattr(self, "_anomaly", None):
            self._close(c.byref(self._anomaly))

    def __repr__(self) -> str:
        info = self.info
        return f"<caelum.Anomaly: threshold {info.threshold:.4g} by {info.good:,} good pictures>"

    @property
    def info(self) -> Record:
        """good, false_alarms, least, threshold, size: a caelum.AnomalyInfo."""
        info = struct("anomaly_info")
        library().anomaly_describe(self._anomaly, c.byref(info))
        values: Record = plain(info)
        del values.model  # its network, which this keeps to itself
        return values

    def save(self, path: PathLike) -> None:
        """Writes it, whole or not at all."""
        library().anomaly_save(self._anomaly, fspath(path))

    def calibrate(self, directory: PathLike, *, false_alarms: Optional[float] = None, threads: int = 0,
                  progress: Optional[bool] = None) -> None:
        """Sets the threshold by other good pictures, of another camera or day; not while another thread uses this.
        false_alarms: None: as before."""
        rate = self.info.false_alarms if false_alarms is None else false_alarms
        self._learn(library().anomaly_calibrate, self._anomaly, directory, progress, false_alarms=rate,
                    threads=threads)

    def score(self, picture: Picture, threads: int = 0) -> Verdict:
        """Judges a picture of any size."""
        array, verdict = pixels(picture), struct("anomaly_verdict")
        scores = np.empty(array.shape[:2], np.float32)
        library().anomaly_score(self._anomaly, c.byref(given(array)), threads, scores.ctypes.data, c.byref(verdict))
        return Verdict(score=verdict.score, p=verdict.p, bad=verdict.bad,
                       boxes=[plain(box) for box in verdict.box[:verdict.boxes]], map=scores)

    def heat(self, picture: Picture, verdict: Verdict) -> Any:
        """The picture in grey, with its verdict's map over it in yellow to red."""
        array, scores = pixels(picture), np.ascontiguousarray(verdict.map, np.float32)
        if scores.shape != array.shape[:2]:
            raise ValueError(f"the map has the shape {list(scores.shape)}, the picture {list(array.shape[:2])}")
        return like(picture, made(lambda out: library().anomaly_heat(
            self._anomaly, c.byref(given(array)), scores.ctypes.data, out)))

    def evaluate(self, directory: PathLike, *, baselines: bool = True, page: Optional[PathLike] = None,
                 threads: int = 0, progress: Optional[bool] = None) -> dict[str, Any]:
        """Measures it on good and bad pictures in folders as MVTec AD has them; what `caelum anomaly eval --json`
        prints. page: a file for a page in HTML."""
        text = c.c_char_p()
        with Watch(progress) as watch:
            how = struct("anomaly_eval_settings", no_baselines=not baselines, page=fspath(page), threads=threads,
                         progress=watch.stage)
            library().anomaly_eval(self._anomaly, fspath(directory), c.byref(how), c.byref(text))
        try:
            figures: dict[str, Any] = json.loads(text.value or b"")
            return figures
        finally:
            library().anomaly_figures_free(c.byref(text))
