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
    expect 0 $python "$SOURCE_DIR/tests/reference/torch_models.py" "$CAELUM" "${data:-synthetic:1500}" "$models"/*.safetensors
    cat out
else
    echo "left out: $python has no torch"
fi
finish
