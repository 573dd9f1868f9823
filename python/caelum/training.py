"""Training and measuring."""
from __future__ import annotations

import ctypes as c
import os
from pathlib import Path
from typing import Any, Optional

from .codes import ModelOrPath, model_of
from .data import Data, Source
from .header import Record, plain
from .library import HEADER, PathLike, UsageError, fspath, library, struct, value_of
from .model import Model
from .progress import Progress, Watch


class Run(Record):
    """What a training came to, and with that what struct caelum_train_result has.

    Attributes:
        model: the best epoch's; None, if the run was stopped before its first was finished
        history: a caelum.Epoch for each epoch that this call finished
        out: the run directory
    """


def options() -> dict[str, Any]:
    """The settings of a training that a person can choose, by the names that they have as keywords."""
    kind = HEADER.types["caelum_option"]
    first = kind.in_dll(library()._file, "caelum_train_options")
    table, found = c.cast(c.byref(first), c.POINTER(kind)), dict[str, Any]()
    while table[len(found)].name:
        option = table[len(found)]
        found[option.name.decode().replace("-", "_")] = option
    return found


def text_of(value: Any) -> bytes:
    """A setting as a person would write it."""
    return {True: "yes", False: "no"}[value].encode() if isinstance(value, bool) else str(value).encode()


def change(made: Any, settings: dict[str, Any]) -> None:
    known = options()
    for name, value in settings.items():
        if name not in known:
            raise TypeError(f"train() got an unexpected setting {name!r}; there are: {', '.join(known)}")
        library().train_set(c.byref(made), known[name].name, text_of(value))


def train(network: PathLike, data: Optional[PathLike] = None, *, out: PathLike, force: bool = False,
          init: Optional[PathLike] = None, threads: int = 0, cache_dir: Optional[PathLike] = None,
          progress: Progress = None, **settings: Any) -> Run:
    """Trains a network on pictures, as `caelum train` does.

        run = caelum.train("standard.net", "synthetic:2000", out="runs/first", epochs=5, lr=0.002, loss="mse")
        run.model.reconstruct("photo.jpg")

    network: the file of its text. data: what caelum.Data opens. out: the run directory to make, which must not
    exist unless `force`. init: a model from whose weights the run starts.
    settings: the options of `caelum train` with _ for -: epochs, batch, lr, optimizer, schedule, loss, task,
    early_stop, seed, ...; docs/training.md explains them.

    progress: called with a caelum.TrainProgress after every batch, and at the end of an epoch with its `finished`
    set; a true result ends the run, as does an exception, which then comes out of here. None: a bar, if standard
    error is a terminal; False: nothing. What ends early, by Ctrl-C too, is saved: resume(out) takes it up again.
    """
    made = struct("train_settings", net_path=fspath(network), data=fspath(data), out=fspath(out), force=force,
                  init=fspath(init), threads=threads)
    made.data_settings.cache_dir = fspath(cache_dir)
    change(made, settings)
    return finish(made, progress)


def resume(out: PathLike, *, epochs: int = 0, threads: int = 0, progress: Progress = None) -> Run:
    """Takes up a run that was stopped, from its directory; epochs: another number of them in all."""
    return finish(struct("train_settings", out=fspath(out), resume=True, epochs=epochs, threads=threads), progress)


def finish(settings: Any, progress: Progress) -> Run:
    result = struct("train_result")
    with Watch(progress) as watch:
        settings.progress, settings.stage = watch.train, watch.stage
        library().train(c.byref(settings), c.byref(result))
    out = Path(os.fsdecode(settings.out))
    model = Model(out) if (out / "best.safetensors").exists() else None
    return Run(**vars(plain(result)) | {"model": model, "history": watch.history, "out": out})


def evaluate(model: ModelOrPath, data: Source, split: str = "test", *, threads: int = 0,
             progress: Optional[bool] = None, **settings: Any) -> Record:
    """Measures a model on a split of a data set: a caelum.Metrics, of a colorizer a caelum.ColorMetrics, of a
    classifier a caelum.ClassMetrics.

    data: a caelum.Data, or what that opens; then with the split that the model was trained with, so that none of
    the test pictures have been seen. settings: of a colorizer, vivid, hints, seed and sheets, as for `caelum eval`.
    """
    model = model_of(model)
    if not isinstance(data, Data):
        known: dict[str, Any] = {key: int(model.metadata[key]) for key in ("split_seed", "synthetic_seed", "limit")
                 if key in model.metadata}
        data = Data(data, crop=model.info.height, progress=progress, **known)
    if settings and model.task != "colorize":
        raise UsageError(f"{', '.join(settings)}: of colorizers alone, and the model is for the task {model.task}")
    kind, function = {"colorize": ("color_metrics", "eval_color"), "classify": ("class_metrics", "eval_class")}.get(
        model.task, ("metrics", "eval"))
    metrics = struct(kind)
    if "sheets" in settings:
        settings["sheets"] = fspath(settings["sheets"])
    with Watch(progress) as watch:
        how = struct("eval_settings", split=value_of("split", split), threads=threads, progress=watch.stage, **settings)
        getattr(library(), function)(model._model, data._data, c.byref(how), c.byref(metrics))
    return plain(metrics)
