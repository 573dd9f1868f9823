"""Training and measuring."""
from __future__ import annotations

import ctypes as c
import os
from pathlib import Path
from typing import Any, Optional, Union

from .codes import ModelOrPath, model_of
from .data import Data, Source
from .header import Record, plain
from .library import HEADER, PathLike, UsageError, fspath, library, struct
from .model import Model
from .progress import Feed, Progress, Watch


class Run(Record):
    """What a training came to, and with that what struct caelum_train_result has.

    Attributes:
        model: the best epoch's; where none was finished, as it was left, or None if there is a run directory
        history: a caelum.Epoch for each epoch that this call finished
        out: the run directory, or None
    """


OF_DATA = "split_seed", "limit", "crop", "resize", "synthetic_seed", "cache_dir"  # settings that caelum.Data has


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


def train(network: PathLike, data: Optional[Source] = None, *, out: Optional[PathLike] = None, force: bool = False,
          init: Optional[PathLike] = None, threads: int = 0, progress: Progress = None, feed: Optional[Feed] = None,
          **settings: Any) -> Run:
    """Trains a network on pictures, as `caelum train` does.

        run = caelum.train("standard.net", "photos", out="runs/first", epochs=5, lr=0.002, loss="mse")
        run.model.reconstruct("photo.jpg")

    network: the file of its text, or the text itself. data: a caelum.Data, or what that opens, such as an array of
    frames. out: the run directory to make, which must not exist unless `force`; None: no file is written. init: a
    model from whose weights the run starts.
    settings: the options of `caelum train` with _ for -: epochs, batch, lr, optimizer, schedule, loss, task,
    early_stop, seed, ...; docs/training.md explains them.

    progress: called with a caelum.TrainProgress after every batch, and at the end of an epoch with its `finished`
    set; a true result ends the run, as does an exception, which then comes out of here. None: a bar, if standard
    error is a terminal; False: nothing. What ends early, by Ctrl-C too, is saved in `out`, where resume() takes it up
    again; an exception has what was trained as its attribute `run`.
    feed: called before each batch with the number of steps done and the pictures that the data have for it, uint8 [n,
    channels, height, width]; its result, an array of the same form, is trained on instead.
    """
    own = {key: settings.pop(key) for key in OF_DATA if key in settings}
    if isinstance(data, Data) and own:
        raise TypeError(f"{', '.join(own)}: of caelum.Data, which is open")
    if not isinstance(data, Data):
        data = Data(data, progress=False if callable(progress) else progress, **own)
    made = struct("train_settings", open_data=data._data, out=fspath(out), force=force, init=fspath(init),
                  threads=threads)
    change(made, settings)
    net = c.c_void_p()
    if isinstance(network, str) and "\n" in network:
        library().net_parse(c.byref(net), network.encode(), b"network", *data._size())
        made.net = net
    else:
        made.net_path = fspath(network)
    try:
        return finish(made, watch(progress, feed, data))
    finally:
        library().net_close(c.byref(net))


def resume(out: PathLike, data: Union[None, Data, PathLike] = None, *, epochs: int = 0, threads: int = 0,
           progress: Progress = None, feed: Optional[Feed] = None) -> Run:
    """Takes up a run that was stopped, from its directory.

    data: the same pictures, where they were in memory, or are in another place now. epochs: another number of them in
    all. feed: of a run that was fed, the same again, with its caelum.Data.
    """
    made = struct("train_settings", out=fspath(out), resume=True, epochs=epochs, threads=threads)
    if isinstance(data, Data):
        made.open_data = data._data
    else:
        made.data = fspath(data)
    return finish(made, watch(progress, feed, data))


def watch(progress: Progress, feed: Optional[Feed], data: Any) -> Watch:
    if feed and not isinstance(data, Data):
        raise TypeError("feed: expected a caelum.Data, whose pictures it replaces")
    return Watch(progress, feed, (data.info().channels, *data._size()) if feed else ())


def finish(settings: Any, watching: Watch) -> Run:
    result = struct("train_result")
    with watching:
        settings.progress, settings.stage, settings.feed = watching.train, watching.stage, watching.feed
        library().train(c.byref(settings), c.byref(result))
        out = None if settings.out is None else Path(os.fsdecode(settings.out))
        values, model = vars(plain(result)), None
        if handle := values.pop("model"):
            model = Model._of(c.c_void_p(handle))
        elif out and (out / "best.safetensors").exists():
            model = Model(out)
        watching.run = Run(model=model, history=watching.history, out=out, **values)
    return watching.run


def trained_on(model: Model, files: bool) -> dict[str, Any]:
    """Settings of data by which a model's training split them and, where they are files, brought them to one size."""
    made = struct("data_settings")
    library().model_data_settings(model._model, c.byref(made))
    return {key: getattr(made, key) for key in (OF_DATA if files else ("split_seed", "limit"))}


def evaluate(model: ModelOrPath, data: Source, split: str = "test", *, threads: int = 0,
             progress: Optional[bool] = None, **settings: Any) -> Record:
    """Measures a model on a split of a data set: a caelum.Metrics, of a colorizer a caelum.ColorMetrics, of a
    classifier a caelum.ClassMetrics.

    data: a caelum.Data, or what that opens; then with the split that the model was trained with, so that none of
    the test pictures have been seen. settings: of a colorizer, vivid, hints, seed and sheets, of a denoiser, noise and
    seed, as for `caelum eval`."""
    model = model_of(model)
    if not isinstance(data, Data):
        data = Data(data, progress=progress, **trained_on(model, isinstance(data, (str, os.PathLike))))
    if settings and model.task not in ("colorize", "denoise"):
        raise UsageError(f"{', '.join(settings)}: of colorizers and denoisers alone, and the model is for the task {model.task}")
    kind, function = {"colorize": ("color_metrics", "eval_color"), "classify": ("class_metrics", "eval_class")}.get(
        model.task, ("metrics", "eval"))
    metrics = struct(kind)
    if "sheets" in settings:
        settings["sheets"] = fspath(settings["sheets"])
    with Watch(progress) as watch:
        how = struct("eval_settings", split=split, threads=threads, progress=watch.stage, **settings)
        getattr(library(), function)(model._model, data._data, c.byref(how), c.byref(metrics))
    return plain(metrics)
