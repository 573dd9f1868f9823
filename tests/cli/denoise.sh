# denoise: files, folders, standard input; what can't be done is named and the rest is done.
. "$SOURCE_DIR/tests/cli/lib.sh"
"$CAELUM" data export synthetic:10 --split train -o in >/dev/null || exit 1
first=$(ls in | head -1)
# a denoiser, trained for a moment: it takes out some noise, and less than all where the dial says so
printf 'input 4\nspace_to_depth 2\nconv 16 relu\nconv 12\ndepth_to_space 2\n' >tiny.net
expect 0 "$CAELUM" inspect tiny.net
holds "a denoiser's network is no surprise" test ! -s err
expect 0 "$CAELUM" train tiny.net --task denoise --data synthetic:500 --epochs 6 --batch 16 --optimizer muon --lr 0.03 --flip --out run -q
model=run/best.safetensors
holds "a run has no sheet of pictures" test ! -e run/reconstructions.png
loss=$(awk -F, 'NR == 7 { print $5 }' run/metrics.csv)
expect 0 "$CAELUM" train tiny.net --task denoise --data synthetic:500 --epochs 6 --batch 16 --optimizer muon --lr 0.03 --flip --out again -q -t 3
holds "threads don't matter to training" test "$loss" = "$(awk -F, 'NR == 7 { print $5 }' again/metrics.csv)"
# noise of a deviation from 0 to 55 of 255 has a mean square of 0.0155
holds "it has learned: $loss" awk -v loss="$loss" 'BEGIN { exit !(loss > 0 && loss < 0.012) }'

expect 0 "$CAELUM" denoise in -o done -m $model
for name in in/*; do holds "done has $name" test -s "done/${name#in/}"; done
says out "done/$first  32x32  noise "
says out "(estimated)"
expect 4 "$CAELUM" denoise in -o done -m $model
says err "exists already; overwrite it with --force"
expect 0 "$CAELUM" denoise "in/$first" -m $model --format jpg --sigma 10
says out "noise 10.0"
holds "without -o the result is next to the picture" test -s "in/${first%.png}-denoised.jpg"
expect 0 "$CAELUM" denoise in -o folder -m $model
says err "left out 1 results of earlier calls"
rm "in/${first%.png}-denoised.jpg"
expect 0 "$CAELUM" denoise "in/$first" -m $model -o json --json
says out '"sigma":'
says out '"estimated": true'
holds "standard input to output" sh -c "\"$CAELUM\" denoise - -m $model <in/$first >piped.png && cmp piped.png done/$first"
expect 2 "$CAELUM" denoise "in/$first" -o in -m $model --force
says err "its result would replace it"

# the same call makes the same bytes, on any number of threads; the dials change them
expect 0 "$CAELUM" denoise "in/$first" -m $model -o threads -t 3
holds "threads don't matter" cmp "done/$first" "threads/$first"
expect 0 "$CAELUM" denoise "in/$first" -m $model -o strong --sigma 55
holds "--sigma does something" sh -c "! cmp -s done/$first strong/$first"
expect 0 "$CAELUM" denoise "in/$first" -m $model -o half --sigma 55 --strength 0.5
holds "--strength does something" sh -c "! cmp -s half/$first strong/$first"
expect 0 "$CAELUM" denoise "in/$first" -m $model -o none --sigma 55 --strength 0
expect 0 "$CAELUM" denoise "none/$first" -m $model -o twice --sigma 55 --strength 0
holds "without strength nothing changes" cmp "none/$first" "twice/$first"

for bad in "--sigma 56" "--sigma nan" "--strength 1.1" "--strength=-1"; do
    # shellcheck disable=SC2086
    expect 2 "$CAELUM" denoise "in/$first" -m $model -o bad $bad
    says err "expected"
done
expect 3 "$CAELUM" denoise "in/$first" -m "$SOURCE_DIR/models/standard.safetensors" -o bad
says err "a denoiser turns a picture and the level of its noise"
holds "nothing was written" test ! -e "bad/$first"
expect 0 "$CAELUM" eval $model --data synthetic:100 --noise 40 --no-baselines
says out "with noise of deviation 40 of 255"
expect 2 "$CAELUM" eval $model --data synthetic:100 --noise 60
says err "noise: expected a deviation of 0 to 55"

# a folder with what can be wrong in it, and a picture that is too small for an estimate
mkdir mixed
cp "in/$first" mixed/good.png
head -c 1000 "in/$first" >mixed/cut.png
printf %s \
    'iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAAFElEQVR4nGOsqKhggAEmBiSAmwMAR1QBcLLqT6YAAAAASUVORK5CYII=' |
    base64 -d >mixed/small.png
expect 3 "$CAELUM" denoise mixed -o denoised -m $model
says err "mixed/cut.png: "
says err "mixed/small.png: the noise of 4x4 pixels can't be estimated"
says err "2 of 3 files were not denoised"
holds "the good one is written, nothing else" test "$(ls denoised)" = good.png
expect 0 "$CAELUM" denoise mixed/small.png -o denoised -m $model --sigma 5

# the model that comes with the program: docs/models.md says what bench/denoise/psnr.py measures
photos=$SOURCE_DIR/../shared/photos
if [ -z "$LONG" ]; then
    echo "the shipped model's figures: in the long set only"
elif [ ! -d "$photos" ] || ! /usr/bin/python3 -c 'import numpy, PIL' 2>/dev/null; then
    echo "skipped: the shipped model's figures need $photos, numpy and Pillow"
else
    CAELUM_LIBRARY=${BUILD_DIR:?build directory}/libcaelum.so expect 0 /usr/bin/python3 \
        "$SOURCE_DIR/bench/denoise/psnr.py" "$SOURCE_DIR/models/denoiser.safetensors" "$photos"
    holds "there are four rows" test "$(grep -c '^| c*bsd68' out)" = 4
    grep '^| c*bsd68' out >rows
    while read -r row; do holds "docs/models.md has $row" grep -qF "$row" "$SOURCE_DIR/docs/models.md"; done <rows
fi
finish
