#!/usr/bin/python3
"""Makes test suites for `caelum anomaly`: textures, parts, a printed label, and crops of photographs where a package has put
some, each with good pictures to train on, others to test, and defects of defects.py. Needs python3-pil and python3-numpy.

OUT/SUITE/train/good, test/good, test/KIND-CONTRAST, ground_truth/KIND-CONTRAST, manifest.csv. The same seed makes the same
files. A suite that is there already stays as it is."""
import argparse
import sys
import zlib
from pathlib import Path
from typing import Callable, NamedTuple
import numpy
from defects import CONTRASTS, TONES, NoPlace, on_some
from layout import Defects, made_whole, save
from parts import PARTS
from photographs import PHOTOGRAPHS
from textures import TEXTURES


class Suite(NamedTuple):
    draw: Callable  # (size, rng, testing): picture, where the part is or None, what is behind it or None
    kinds: tuple


def texture(draw):
    return Suite(lambda size, rng, testing: (draw(size, rng), None, None), tuple(TONES))


def part(draw):
    return Suite(lambda size, rng, testing: draw(size, rng), (*TONES, "bent", "frayed", "missing"))


def photograph(draw):
    return Suite(lambda size, rng, testing: (draw(size, rng, testing), None, None), tuple(TONES))


SUITES = {name: suite(draw) for suite, table in ((texture, TEXTURES), (part, PARTS), (photograph, PHOTOGRAPHS))
          for name, draw in table.items()}
SUITES["label"] = SUITES["label"]._replace(kinds=("scratch", "hole", "stain", "shift", "missing"))


def pixels(picture):
    """uint8, without the channel where there is one."""
    return None if picture is None else numpy.clip(numpy.rint(picture), 0, 255).astype(numpy.uint8).squeeze()


def make(name, out, options):
    draw, kinds = SUITES[name]

    def random(*place):
        return numpy.random.default_rng([options.seed, zlib.crc32(name.encode()), *place])

    def good(rng, testing):
        picture, part, behind = draw(options.size, rng, testing)
        return pixels(picture), part, pixels(behind)

    for i in range(options.train):
        save(out / ("train/good/%03d.png" % i), good(random(0, i), False)[0])
    for i in range(options.good):
        save(out / ("test/good/%03d.png" % i), good(random(1, i), True)[0])
    test = Defects(out)
    for k, kind in enumerate(kinds):
        for c, contrast in enumerate(CONTRASTS):
            for i in range(options.per_kind):
                rng = random(2, k, c, i)
                goods = ((name, *good(rng, True)) for _ in range(20))
                test.add(kind, contrast, *on_some(goods, kind, contrast, rng))
    test.write_manifest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--suites", default=",".join(SUITES), metavar="SUITE,...", help="[%(default)s]")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="[%(default)s]")
    parser.add_argument("--train", type=int, default=200, metavar="N", help="good pictures to train on [%(default)s]")
    parser.add_argument("--good", type=int, default=60, metavar="N", help="good pictures to test [%(default)s]")
    parser.add_argument("--per-kind", type=int, default=5, metavar="N", help="of each kind and contrast [%(default)s]")
    parser.add_argument("--size", type=int, default=224, metavar="PIXELS", help="width and height [%(default)s]")
    options = parser.parse_args()
    names = options.suites.split(",")
    for name in names:
        if name not in SUITES:
            parser.error("--suites: '%s' is none of %s" % (name, ", ".join(SUITES)))
    for name in names:
        if (options.out / name).exists():
            print("%s: there already" % (options.out / name), file=sys.stderr)
            continue
        with made_whole(options.out / name) as out:
            make(name, out, options)


if __name__ == "__main__":
    try:
        main()
    except (OSError, NoPlace) as error:
        sys.exit("suites.py: %s" % error)
