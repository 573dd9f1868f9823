# keras.sh - Keras's files: what the command line says of them, and keras_files.py, which needs h5py.
. "$SOURCE_DIR/tests/cli/lib.sh"
models=$SOURCE_DIR/models
python=/usr/bin/python3

if ! "$CAELUM" export "$models/standard.safetensors" -o standard.keras >out 2>err; then
    grep -q "this build leaves out HDF5" err && echo "skipped: this build leaves out HDF5" && exit 77
    cat err
    exit 1
fi
expect 0 "$CAELUM" import standard.keras -o standard.safetensors
expect 0 "$CAELUM" inspect standard.safetensors
says out "conv 16 relu                 16 x 8 x 8"
says out "latent size  1,024"
expect 3 "$CAELUM" export "$models/code.safetensors" -o code.h5
says err "quantize 0.19: Keras has no layer for this"
holds "nothing is left of a failure" [ ! -e code.h5 ]
head -c 9000 standard.keras >short.keras
expect 3 "$CAELUM" import short.keras -o short.safetensors
cp standard.keras wrong.h5
expect 3 "$CAELUM" import wrong.h5 -o wrong.safetensors
says err "wrong.h5: not an HDF5 file, or damaged"

if $python -c 'import h5py, numpy' 2>/dev/null; then
    expect 0 $python "$SOURCE_DIR/tests/reference/keras_files.py" "$CAELUM" synthetic:1000 "$models/standard.safetensors" .
    cat out
else
    echo "left out: $python has no h5py"
fi
finish
