# Data sets as other programs write them: told apart, read to the last bit, trained on, refused with words that help.
. "$SOURCE_DIR/tests/cli/lib.sh"
python=/usr/bin/python3
$python -c 'import numpy, PIL' 2>/dev/null || { echo "skipped: $python has no numpy or PIL"; exit 77; }
$python "$SOURCE_DIR/tests/reference/make_data.py" || exit 1
printf 'input 1\nconv 4 relu\nmaxpool\nlatent\nupsample\nconv 1 sigmoid\n' >grey.net
printf 'input 3\nconv 4 relu\nmaxpool\nlatent\nupsample\nconv 3 sigmoid\n' >color.net

# is SET NAME CxHxW SPLIT NET: what info says, the pixels' hash, two epochs of training
is() {
    expect 0 "$CAELUM" data info "$1"
    says out "data        $2, from $1"
    says out " of $3"
    says out "$4 (seed 1)"
    [ ! -e "$1.sha256" ] || says out "pixels      $(cat "$1.sha256")"
    expect 0 "$CAELUM" train "$5" --data "$1" --epochs 2 --batch 10 --limit 200 --out run -q
    rm -rf run
}
is mnist idx 1x28x28 "180 train, 20 validation, 50 test" grey.net
expect 0 "$CAELUM" data info mnist
says out "classes     0"
is alone-idx3.gz idx 1x28x28 "160 train, 20 validation, 20 test" grey.net
is keras.npz numpy 1x28x28 "180 train, 20 validation, 50 test" grey.net
is floats.npz numpy 1x28x28 "180 train, 50 validation, 20 test" grey.net
expect 0 "$CAELUM" data info floats.npz --json
says out '"9": '
says out "neither pictures nor labels"
is fortran.npy numpy 3x28x28 "160 train, 20 validation, 20 test" color.net
is arrays numpy 3x28x28 "160 train, 20 validation, 20 test" color.net
is half.npy numpy 1x8x8 "160 train, 20 validation, 20 test" grey.net
[ ! -e torch.npz ] || is torch.npz numpy 3x28x28 "160 train, 20 validation, 20 test" color.net
[ ! -e digits.npz ] || is digits.npz numpy 1x8x8 "1,439 train, 179 validation, 179 test" grey.net
is classes folder 1x28x28 "48 train, 6 validation, 6 test" grey.net
expect 0 "$CAELUM" data info classes
says out "classes     cats        20"
is parts folder 3x28x28 "40 train, 10 validation, 10 test" color.net
is cifar-10-batches-py cifar-10 3x32x32 "96 train, 12 validation, 12 test" color.net
is cifar-100-python cifar-100 3x32x32 "90 train, 10 validation, 20 test" color.net
is cifar-100-binary cifar-100 3x32x32 "45,000 train, 5,000 validation, 10,000 test" color.net
expect 0 "$CAELUM" data info cifar-100-binary
says out "classes     fine0"
says out "and 80 more"
is stl10_binary stl-10 3x96x96 "18 train, 2 validation, 10 test" color.net
expect 0 "$CAELUM" data info stl10_binary
says out "            truck"
is stl10_binary/unlabeled_X.bin stl-10 3x96x96 "13 train, 1 validation, 1 test" color.net

# archives hold what a folder does
tar -cf classes.tar classes && cp classes.sha256 classes.tar.sha256
is classes.tar folder 1x28x28 "48 train, 6 validation, 6 test" grey.net
(cd parts && tar -cjf ../parts.tar.bz2 .) && cp parts.sha256 parts.tar.bz2.sha256
is parts.tar.bz2 folder 3x28x28 "40 train, 10 validation, 10 test" color.net
$python -c 'import shutil; shutil.make_archive("parts", "zip", ".", "parts"); shutil.make_archive("mnist", "zip", "mnist")' || exit 1
cp parts.sha256 parts.zip.sha256
is parts.zip folder 3x28x28 "40 train, 10 validation, 10 test" color.net
tar -czf stl.tar.gz stl10_binary && cp stl10_binary.sha256 stl.tar.gz.sha256
is stl.tar.gz stl-10 3x96x96 "18 train, 2 validation, 10 test" color.net
tar -czf py.tgz cifar-10-batches-py && cp cifar-10-batches-py.sha256 py.tgz.sha256
is py.tgz cifar-10 3x32x32 "96 train, 12 validation, 12 test" color.net
tar -cf twice.tar classes && tar -rf twice.tar classes/cats/000.png
expect 3 "$CAELUM" data info twice.tar
says err "twice.tar: classes/cats/000.png is in it twice"
holds "nothing is left of what was unpacked" test -z "$(find cache -name '*unpacked*' -o -name '.*' -type f)"

# pictures of several sizes: crops, unless they are brought to one
expect 0 "$CAELUM" data info sizes
says out "cut out of"
for how in fit crop stretch; do
    expect 0 "$CAELUM" data info sizes --resize $how --crop 24
    says out "60 of 3x24x24"
done
expect 0 "$CAELUM" train color.net --data sizes --resize fit --crop 24 --epochs 2 --out fit -q
holds "the way is a setting of the run" grep -qF '"resize": "fit"' fit/run.json
expect 0 "$CAELUM" eval fit --no-baselines
says out "6 pictures"
holds "training and measuring share what is prepared" test -z "$(grep warning err)"

# grey pictures
expect 0 "$CAELUM" train grey.net --data mnist --epochs 2 --out grey -q
expect 0 "$CAELUM" eval grey
says out "50 pictures"
expect 0 "$CAELUM" reconstruct grey classes/cats/000.png -o seen
holds "grey stays grey" $python -c 'import sys, numpy, PIL.Image as i
p = numpy.asarray(i.open("seen/000.png").convert("RGB")); sys.exit(not ((p[..., :1] == p).all() and p.shape == (28, 28, 3)))'
expect 0 "$CAELUM" activations grey --data mnist --count 2 -o act.npz
expect 3 "$CAELUM" train color.net --data mnist --out no
says err "they are grey, for which a network says 'input 1'"
expect 3 "$CAELUM" train grey.net --data fortran.npy --out no
says err "they have colors, for which a network says 'input 3'"

# a run goes on where its pictures are the same, in whatever format, and says what has changed where they are not
expect 0 "$CAELUM" train grey.net --data mnist --epochs 2 --out whole -q
expect 0 "$CAELUM" train grey.net --data mnist --epochs 1 --out parted -q
mkdir moved && mv mnist moved
expect 4 "$CAELUM" train --resume parted --epochs 2
expect 0 "$CAELUM" train --resume parted --epochs 2 --data moved/mnist
holds "the result is the same" cmp whole/last.safetensors parted/last.safetensors
expect 0 "$CAELUM" train --resume parted --epochs 3 --data keras.npz
expect 3 "$CAELUM" train --resume parted --epochs 4 --data floats.npz
says err "floats.npz: the data are not those that the run was started with: the same pictures, but divided into 180/50/20"
says err "the run's into 180/20/50"
expect 3 "$CAELUM" train --resume parted --epochs 4 --data alone-idx3.gz
says err "other pictures, but divided into 160/20/20"
$python -c 'import numpy
a = dict(numpy.load("keras.npz")); a["x_test"][3, 4, 5] ^= 1; numpy.savez("changed.npz", **a)'
expect 3 "$CAELUM" train --resume parted --epochs 4 --data changed.npz
says err "as many pictures, but other pixels: "
expect 3 "$CAELUM" train --resume parted --epochs 4 --data stl10_binary
says err "takes pictures of 1x28x28, the data has 3x96x96"

# what is refused, and with which words
expect 3 "$CAELUM" data info ragged.npz
says err "an array of Python objects, as of pictures of several sizes"
expect 3 "$CAELUM" data info bytes_as_floats.npy
says err "expected floats from 0 to 1: divide by 255"
expect 3 "$CAELUM" data info flat.npy
says err "two dimensions are no pictures; reshape it to N x H x W"
expect 3 "$CAELUM" data info few_labels.npz
says err "199 labels for 200 pictures"
expect 3 "$CAELUM" data info two_sizes.npz
says err "two_sizes.npz: the pictures of x_test.npy are 1x27x28, those of x_train.npy 1x28x28"
$python -c 'import pickle, os
class Bad:
    def __reduce__(self): return os.system, ("touch executed",)
pickle.dump({"data": Bad(), "labels": []}, open("cifar-10-batches-py/data_batch_3", "wb"), 2)'
expect 3 "$CAELUM" data info cifar-10-batches-py
says err "no pickle as CIFAR's, or a damaged one, at byte"
holds "nothing in a pickle is executed" test ! -e executed
rm cifar-10-batches-py/data_batch_3
expect 4 "$CAELUM" data info cifar-10-batches-py
says err "data_batch_3 is missing; expected the 6 files of CIFAR-10's Python version there"
finish
