# keras.sh - Keras's files: what the command line says of them; and caelum.keras by keras_files.py.
. "$SOURCE_DIR/tests/cli/lib.sh"
models=$SOURCE_DIR/models
python=/usr/bin/python3

expect 2 "$CAELUM" export "$models/standard.safetensors" -o standard.keras
says err "python3 -m caelum.keras"
expect 2 "$CAELUM" import missing.h5 -o standard.safetensors
says err "python3 -m caelum.keras"
if ! $python -c 'import h5py, numpy' 2>/dev/null; then
    echo "skipped: $python has no h5py"
    exit 77
fi
export PYTHONPATH="$SOURCE_DIR/python"
convert="$python -B -m caelum.keras"
expect 0 $convert "$models/standard.safetensors" standard.keras
expect 0 $convert standard.keras standard.safetensors
expect 0 "$CAELUM" inspect standard.safetensors
says out "conv 16 relu                 16 x 8 x 8"
says out "latent size  1,024"
expect 3 "$CAELUM" inspect standard.keras
says err "a Keras model: python3 -m caelum.keras converts it"
expect 1 $convert "$models/code.safetensors" code.h5
says err "quantize 0.185 round: Keras has no layer for this"
holds "nothing is left of a failure" [ ! -e code.h5 ]
head -c 9000 standard.keras >short.keras
expect 1 $convert short.keras short.safetensors
says err "short.keras: damaged, or no such file"
expect 1 $convert missing.h5 short.safetensors
says err "missing.h5: damaged, or no such file"
expect 1 $convert standard.keras standard.h5
says err "usage: python3 -m caelum.keras"
expect 0 $python "$SOURCE_DIR/tests/reference/keras_files.py" "$CAELUM" synthetic:1000 "$models/standard.safetensors" .
cat out
finish
