#!/bin/sh
# coverage.sh - branches of what reads files that the tests of readers reach: unit tests, the fuzz corpora, files made of them,
# and commands (preset coverage). Needs gcovr, which prints a line for each file; build-coverage/branches.html has the branches
# that are missing.
cd "$(dirname "$0")/.." || exit 1
tests='anomaly base code data exchange exchange_fuzz file folder formats fuzz_text image image_colors image_odd keras model net
    onnx onnx_graphs onnx_runtimes options prepared run_directory runs safetensors study tiff train'
readers='src/base/(gunzip|json|magic|number|numpy|option|file).c src/net/(parse|build).c src/layers/attribute.c
    src/study/study_file.c src/study/compare.c cli/config.c src/model/(safetensors|metadata|model).c src/anomaly/anomaly.c
    src/train/(checkpoint|resume).c src/exchange/(exchange|match|npy|npz|zip|onnx_(constants|import|lists|read|rules|shapes|windows)).c
    src/code/code_file.c src/data/(arrays|cifar|cifar_python|formats|idx|numpy_data|pickle|pictures|prepared|stl|tree|unpack).c
    src/eval/figure_cache.c src/image/(exif|icc|jpeg|picture|png|tiff|webp).c'
targets=
for name in $tests; do targets="$targets test_$name"; done
cmake --preset coverage && cmake --build --preset coverage --target caelum_cli fuzz_readers $targets || exit 1
find build-coverage -name '*.gcda' -delete
ctest --test-dir build-coverage -R "^($(echo $tests | tr ' ' '|')|fuzz-.*)\$|^cli-(anomaly|broken|config|data-formats|encode|folder|formats|onnx|runs|train)\$" || exit 1
sh tests/fuzz/hostile.sh build-coverage/fuzz_readers tests/fuzz build-coverage/hostile 200 || exit 1
filters=
for reader in $readers; do filters="$filters --filter $reader\$"; done
gcovr --branches --exclude-unreachable-branches --html-details build-coverage/branches.html $filters --print-summary build-coverage
