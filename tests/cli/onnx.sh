#!/bin/sh
# A model to an ONNX file and back, by the command line.
. "$SOURCE_DIR/tests/cli/lib.sh"
model=$SOURCE_DIR/models/standard.safetensors
case $("$CAELUM" version) in *" onnx"*) ;; *)
    expect 2 "$CAELUM" export "$model" -o a.onnx
    says err "leaves out ONNX"
    echo "skipped: this build leaves out ONNX"
    exit 77 ;;
esac

expect 0 "$CAELUM" export "$model" -o a.onnx
expect 4 "$CAELUM" export "$model" -o a.onnx
expect 0 "$CAELUM" export "$model" --onnx other.name
holds "--onnx writes the same file" cmp a.onnx other.name
expect 2 "$CAELUM" export "$model" -o a.onnx --onnx b.onnx
expect 0 "$CAELUM" import a.onnx -o back.safetensors
expect 0 "$CAELUM" export back.safetensors -o b.onnx
expect 0 "$CAELUM" import b.onnx -o again.safetensors
holds "models come back as they are" cmp back.safetensors again.safetensors
expect 0 "$CAELUM" inspect back.safetensors
says out "3 x 32 x 32"

expect 2 "$CAELUM" import a.onnx --net "$SOURCE_DIR/models/standard.net" -o c.safetensors
says err "expected no network's text"

head -c 20000 a.onnx > short.onnx
expect 3 "$CAELUM" import short.onnx -o c.safetensors
says err "short.onnx: no ONNX file, or a damaged one"
holds "nothing is written" test ! -e c.safetensors
expect 4 "$CAELUM" import nowhere.onnx -o c.safetensors
finish
