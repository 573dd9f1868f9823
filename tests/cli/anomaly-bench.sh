# bench/anomaly: defects have the size, the contrast and the mask that they should, a seed makes the same files, and the table
# has the right means.
. "$SOURCE_DIR/tests/cli/lib.sh"
python=/usr/bin/python3
$python -c 'import numpy, PIL' 2>/dev/null || { echo "skipped: $python has no numpy or PIL"; exit 77; }
export PYTHONDONTWRITEBYTECODE=1
bench=$SOURCE_DIR/bench/anomaly

# --- pictures whose deviation and edges are known: noise of 8 levels, a step from 60 to 180, a grey part on black
cat >good.py <<'END'
import numpy
from PIL import Image
rng = numpy.random.default_rng(1)
for i in range(3):
    Image.fromarray(rng.normal(128, 8, (128, 128)).round().astype("uint8")).save("noise/%d.png" % i)
    step = numpy.where(numpy.arange(128) < 60 + i, 60, 180) * numpy.ones((128, 1))
    Image.fromarray(numpy.stack([step.astype("uint8")] * 3, 2)).save("step/%d.png" % i)
END
mkdir noise step
$python good.py
expect 0 $python "$bench/defects.py" noise tones --per-kind 3 --seed 1 --good noise
expect 0 $python "$bench/defects.py" step moves --per-kind 3 --seed 1 --kinds shift,bent,frayed
holds "the good pictures as they are" diff -r noise tones/test/good
cat >check.py <<'END'
import csv, sys
import numpy
from PIL import Image, ImageFilter
sys.path.insert(0, sys.argv[1])
import defects

def near(mask, pixels):
    return numpy.asarray(Image.fromarray(mask).filter(ImageFilter.MaxFilter(2 * pixels + 1)))

def check(true, *what):
    if not true:
        print("wrong:", *what)
        check.failed = True
check.failed = False

for goods, made in ("noise", "tones"), ("step", "moves"):
    rows = list(csv.DictReader(open(made + "/manifest.csv")))
    check(len(rows) == 3 * 4 * (4 if made == "tones" else 3), made, len(rows), "rows")
    for row in rows:
        truth = numpy.asarray(Image.open("%s/%s" % (goods, row["source"])), float).reshape(128, 128, -1)
        bad = numpy.asarray(Image.open("%s/test/%s" % (made, row["picture"])), float).reshape(128, 128, -1)
        mask = numpy.asarray(Image.open("%s/ground_truth/%s_mask.png" % (made, row["picture"][:-4]))) > 0
        change, contrast = bad - truth, float(row["contrast"])
        size = abs(change).max(2)
        check(.0002 <= mask.mean() <= .05 and abs(mask.mean() - float(row["area"])) < 1e-6, row, mask.mean())
        check(not (mask & ~near(size > 0, 2)).any(), row, "the mask covers what is as it was")
        if made == "tones":
            check(size[~mask].max() <= size.max() / 2 + 1, row, "a change outside the mask:", size[~mask].max())
            check(.85 <= size.max() / (8 * contrast) <= 1.15 or contrast < 1, row, size.max() / 8)
        else:
            check((size * near(mask, 2)).sum() > (.8 if contrast > 1 else .6) * size.sum(), row, "the change is elsewhere")
            moved = abs(change[..., 0].sum(1)).max() / 120  # pixels, of the edge, in the row where it moved most
            check(row["kind"] == "frayed" or .65 <= moved / (contrast / 2) <= 1.05, row, moved)

rows, columns = numpy.indices((128, 128)) - 64
part = numpy.hypot(rows, columns) < 40
good = numpy.where(part, 100, 0).astype("uint8")
for contrast in defects.CONTRASTS:
    bad, mask = defects.defective(good, "missing", contrast, numpy.random.default_rng(1), part, 0 * good)
    check(bad[mask].min() == round(100 - 100 * contrast / 6), contrast, bad[mask].min(), "left of a missing piece of 100")
    check(not (mask & ~part).any() and (bad[~mask] == good[~mask]).mean() > .99, "a missing piece reaches beyond its mask")
    for seed, kind in enumerate(["crack", "scratch", "hole", "stain"] * 2):
        bad, mask = defects.defective(good, kind, contrast, numpy.random.default_rng(seed), part)
        check((bad == good)[~part].all(), kind, "lies outside the part")
sys.exit(check.failed)
END
holds "sizes, contrasts and masks" $python check.py "$bench"

# --- the same files from the same seed
small="--train 2 --good 1 --per-kind 1 --size 96 --suites"
expect 0 $python "$bench/suites.py" one $small metal,label
expect 0 $python "$bench/suites.py" two $small label,metal
holds "a seed makes the same files" diff -r one two
expect 0 $python "$bench/suites.py" three $small metal --seed 2
holds "another seed makes others" sh -c '! cmp -s one/metal/train/good/000.png three/metal/train/good/000.png'
holds "no two are the same" sh -c '! cmp -s one/metal/train/good/000.png one/metal/train/good/001.png'
for name in scratch-0.75 hole-1.5 stain-3 shift-6 missing-6; do
    holds "$name of a label" test -s one/label/test/$name/000.png -a -s one/label/ground_truth/$name/000_mask.png
done
expect 0 $python "$bench/suites.py" one $small metal --seed 2
says err "one/metal: there already"
holds "what is there stays" diff -r one two

# --- what can't be done
expect 1 $python "$bench/defects.py" nonesuch none --per-kind 1 --seed 1
says err "nonesuch"
expect 2 $python "$bench/defects.py" noise none --per-kind 1 --seed 1 --kinds dent
says err "'dent' is none of crack, scratch"
expect 1 $python "$bench/defects.py" noise tones --per-kind 1 --seed 1
says err "tones: exists already"
mkdir torn flat
cp noise/0.png torn
echo "no picture" >torn/1.png
expect 1 $python "$bench/defects.py" torn none --per-kind 2 --seed 1
says err "torn/1.png"
$python -c 'from PIL import Image; Image.new("L", (64, 64), 99).save("flat/0.png")'
expect 1 $python "$bench/defects.py" flat none --per-kind 1 --seed 1 --kinds shift
says err "there is no edge"
holds "nothing is left behind" sh -c '[ "$(echo none*)" = "none*" ]'

# --- the table: a program that finds (seed + contrast) / 10
cat >stub <<'END'
#!/bin/sh
if [ "$2" = train ]; then
    [ -d "$3" ] && echo "$7" >"$5"
else
    seed=$(cat "$3")
    [ "$5" = --json ] && sed "s/SEED/$seed/" <<JSON
{"image_auroc": 0.SEED, "pixel_ap": null, "baselines": {"PCA": {"image_auroc": 0.5}},
 "kinds": {"scratch-0.75": {"image_auroc": 0.1}, "hole-0.75": {"image_auroc": 0.SEED},
           "stain-6": {"image_auroc": 1}, "bent-lead": {"image_auroc": 0}}}
JSON
fi
END
chmod +x stub
CAELUM=$scratch/stub expect 0 $python "$bench/run" one --seeds 3,5
says out "| label | all | caelum | 0.400 |  |"
says out "| label | 0.75 | caelum | 0.250 |"
says out "| metal | 6 | caelum | 1.000 |"
says out "| metal | all | PCA | 0.500 |"
says out "| mean | 0.75 | caelum | 0.250 |"
echo 7 >one.figures/metal-3.safetensors
rm one.figures/metal-3.json one.figures/label-5.json
CAELUM=$scratch/stub expect 0 $python "$bench/run" one --seeds 3,5
holds "what there is of models is kept" sh -c '! grep -q train err'
says out "| metal | all | caelum | 0.600 |"
says out "| label | all | caelum | 0.400 |"
CAELUM=$scratch/stub expect 2 $python "$bench/run" one --only wool
says err "one/wool has no train/good"
CAELUM=$scratch/nonesuch expect 1 $python "$bench/run" one --seeds 4
says err "CAELUM=FILE names the program"
finish
