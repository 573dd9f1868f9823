"""Test sets laid out as MVTec AD lays its classes out, with a table of what was drawn."""
import contextlib
import csv
import shutil
import sys
import tempfile
from pathlib import Path
from PIL import Image


@contextlib.contextmanager
def made_whole(out):
    """A directory by the side of `out` that takes its name once all is written, and leaves nothing after an error."""
    if out.exists():
        sys.exit("%s: exists already; remove it or name another directory" % out)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="." + out.name + ".", dir=out.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


class Defects:
    """Pictures and masks of a test set, numbered within KIND-CONTRAST, and their rows of manifest.csv."""

    def __init__(self, out):
        self.out, self.rows = out, []

    def add(self, kind, contrast, picture, mask, source):
        folder = "%s-%g" % (kind, contrast)
        name = "%s/%03d" % (folder, sum(row[0].startswith(folder + "/") for row in self.rows))
        save(self.out / "test" / (name + ".png"), picture)
        save(self.out / "ground_truth" / (name + "_mask.png"), mask.astype("uint8") * 255)
        self.rows.append((name + ".png", kind, contrast, "%.6f" % mask.mean(), source))

    def write_manifest(self):
        with open(self.out / "manifest.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("picture", "kind", "contrast", "area", "source"), *self.rows])
