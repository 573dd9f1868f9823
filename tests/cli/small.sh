# The small preset: without any optional part the program builds without a warning, is below 1 MB, trains and measures.
. "$SOURCE_DIR/tests/cli/lib.sh"
[ "$LONG" ] || { echo "skipped: it belongs to the long set"; exit 77; }
git -C "$SOURCE_DIR" ls-files >/dev/null 2>&1 || { echo "skipped: no git checkout"; exit 77; }
mkdir source
(cd "$SOURCE_DIR" && git ls-files -z CMakeLists.txt CMakePresets.json cmake cli include src | xargs -0 cp --parents -t "$scratch/source") || exit 1
mkdir source/models source/studies source/examples source/docs
touch source/README.md source/LICENSE
cd source || exit 1
expect 0 cmake --preset small
expect 0 cmake --build --preset small
holds "no warnings" sh -c "! grep -i 'warning:' '$scratch/out' '$scratch/err'"
expect 0 strip -o small build-small/caelum
size=$(wc -c <small)
echo "stripped, the program has $size bytes"
holds "below 1 MB" test "$size" -lt 1000000
expect 0 ./small version
says out "parts: png jpeg archive"
holds "no optional part" sh -c "! grep -q 'cairo\|lapack\|webp\|tiff\|lcms\|protobuf\|curl\|microhttpd' '$scratch/out'"
expect 0 ./small train "$SOURCE_DIR/models/standard.net" --data synthetic:200 --epochs 1 --out run
holds "a chart, no contact sheet" test -s run/curves.svg -a ! -e run/reconstructions.png
expect 0 ./small eval run/best.safetensors --data synthetic:200 --no-baselines
expect 2 ./small eval run/best.safetensors --data synthetic:200
says err "made without LAPACK"
finish
