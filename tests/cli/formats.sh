# formats.sh - caelum export, import and activations: NumPy's files, and PyTorch as their reader.
. "$SOURCE_DIR/tests/cli/lib.sh"
models=$SOURCE_DIR/models
python=/usr/bin/python3

# a model comes back as it was, in single and in half precision
for name in standard classifier; do
    expect 0 "$CAELUM" export "$models/$name.safetensors" -o $name.npz
    expect 0 "$CAELUM" import $name.npz -o $name.safetensors
    holds "$name is the same after .npz" cmp $name.safetensors "$models/$name.safetensors"
    expect 0 "$CAELUM" export "$models/$name.safetensors" -o again.npz --force
    holds "$name.npz is the same bytes twice" cmp $name.npz again.npz
done
expect 4 "$CAELUM" export "$models/standard.safetensors" -o standard.npz
says err "exists"

# what can't be read
head -c 20000 standard.npz >short.npz
expect 3 "$CAELUM" import short.npz -o short.safetensors
says err "short.npz: "
holds "nothing is left of a failure" [ ! -e short.safetensors ]
expect 2 "$CAELUM" export "$models/standard.safetensors" -o model.pt
says err "expected a name that ends in"
printf 'input 3\nconv 8\n' >other.net
expect 3 "$CAELUM" import standard.npz --net other.net -o other.safetensors
says err "tensor 'conv2.weight': the network has none of that name"

# names in an order that is not the network's: told, or refused
expect 2 "$CAELUM" import standard.npz --net "$models/standard.net" --order conv2,conv1 -o other.safetensors
says err "an order is for others"
if $python -c 'import numpy' 2>/dev/null; then
    printf 'input 1\nconv 1 k=1 relu\nconv 1 k=1\n' >two.net
    $python -c '
import numpy
one = lambda x, *shape: numpy.full(shape, x, "f4")
numpy.savez("two.npz", **{"dec.bias": one(4, 1), "dec.weight": one(3, 1, 1, 1, 1), "enc.bias": one(2, 1), "enc.weight": one(1, 1, 1, 1, 1)})'
    expect 3 "$CAELUM" import two.npz --net two.net -o two.safetensors
    says err "'dec.weight' and 'enc.weight' are both [1, 1, 1, 1]"
    says err "--order NAME,NAME,..."
    holds "nothing is guessed" [ ! -e two.safetensors ]
    expect 0 "$CAELUM" import two.npz --net two.net --order enc,dec -o two.safetensors
    expect 0 "$CAELUM" export two.safetensors -o back.npz
    expect 0 $python -c '
import numpy
back = numpy.load("back.npz")
assert [back[f"conv{i}.{t}"].item() for i in (1, 2) for t in ("weight", "bias")] == [1, 2, 3, 4]'

    # weights that half precision, or nobody, has
    $python -c '
import numpy
for name, x in (("large", 1e5), ("nan", numpy.nan)):
    numpy.savez(name + ".npz", **{"conv1.weight": numpy.full((1, 1, 1, 1), x, "f4"), "conv1.bias": numpy.zeros(1, "f4")})'
    printf 'input 1\nconv 1 k=1\n' >one.net
    expect 0 "$CAELUM" import large.npz --net one.net -o large.safetensors
    expect 3 "$CAELUM" export large.safetensors --half -o half.safetensors
    says err "'conv1.weight' has the weight 100000"
    holds "no infinity is written" [ ! -e half.safetensors ]
    expect 3 "$CAELUM" import nan.npz --net one.net -o nan.safetensors
    says err "'conv1.weight' has the weight nan"
fi

# activations
expect 0 "$CAELUM" activations "$models/standard.safetensors" --data synthetic:100 --count 7 -o code.npz
says out "layer05_conv             7 x 16 x 8 x 8"
expect 0 "$CAELUM" data export synthetic:100 -o pictures
set -- pictures/*.png
expect 0 "$CAELUM" activations "$models/standard.safetensors" "$1" "$2" --layer all -o all.npz
says out "layer09_conv             2 x 3 x 32 x 32"
expect 2 "$CAELUM" activations "$models/standard.safetensors" "$1" --layer 10 -o none.npz
says err "--layer 10: expected a row"
expect 2 "$CAELUM" activations "$models/best.safetensors" "$1" --data synthetic -o none.npz
expect 2 "$CAELUM" activations "$models/standard.safetensors" "$1" -o none.npy
expect 2 "$CAELUM" activations "$models/classifier.safetensors" "$1" -o none.npz
says err "marks no layer as latent"
expect 3 "$CAELUM" activations "$models/standard.safetensors" "$SOURCE_DIR/docs/images/reconstructions.png" -o none.npz
says err "the network takes 32x32"

if $python -c 'import numpy' 2>/dev/null; then
    expect 0 $python -c '
import numpy
model = numpy.load("standard.npz")
assert str(model["network"]) == open("'"$models"'/standard.net").read()
assert model["task"].shape == () and str(model["task"]) == "reconstruct"
assert model["conv1.weight"].shape == (8, 3, 3, 3) and model["conv1.weight"].dtype == "<f4"
assert numpy.load("classifier.npz")["conv1.weight"].dtype == "<f2"
run = numpy.load("all.npz")
assert (run["layer02_maxpool"] == run["layer01_conv"].reshape(2, 8, 16, 2, 16, 2).max((3, 5))).all()
assert run["input"].min() >= 0 and 0.5 < run["input"].max() <= 1'
else
    echo "left out: $python has no numpy"
fi
if $python -c 'import torch, numpy' 2>/dev/null; then
    data=$(real_data)
    # all but the denoiser, which takes a channel more than pictures have
    set -- $(ls "$models"/*.safetensors | grep -v denoiser)
    expect 0 $python "$SOURCE_DIR/tests/reference/torch_models.py" "$CAELUM" "${data:-synthetic:1500}" "$@"
    cat out
    # the peer of bench/peers/run is made of the same module
    expect 0 $python "$SOURCE_DIR/bench/peers/pytorch.py" --seconds 0.01 "$models/standard.safetensors" infer.b1 train.b8
    says out "standard.train.b8.t"
else
    echo "left out: $python has no torch"
fi
finish
