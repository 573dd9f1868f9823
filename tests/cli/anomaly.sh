# anomaly: finders of defects trained for a moment, what they say of pictures, and folders that are watched.
. "$SOURCE_DIR/tests/cli/lib.sh"
case $("$CAELUM" version) in *tiff*) ;; *) echo "skipped: this build reads no TIFF, which the pictures are"; exit 77 ;; esac

# picture NAME SEED [WIDTH HEIGHT KIND]: grey soft stripes with noise of their own, as TIFF, whose header awk can write.
# KIND: defect has a bright square of 8x8 pixels at 40,60, mask is where that is, black is nothing else; deep has 16 bits.
picture() {
    printf "$(awk -v seed="$2" -v w="${3:-96}" -v h="${4:-96}" -v kind="${5:-good}" '
        function byte(v) { printf "\\%03o", v % 256 }
        function short(v) { byte(v); byte(int(v / 256)) }
        function long(v) { short(v % 65536); short(int(v / 65536)) }
        function tag(number, type, value) { short(number); short(type); long(1); long(value) }
        BEGIN {
            deep = kind == "deep"; srand(seed); size = w * h * (1 + deep)
            byte(73); byte(73); short(42); long(8 + size)
            for (y = 0; y < h; y++) for (x = 0; x < w; x++) {
                v = 128 + 40 * sin(x / 5) * cos(y / 7) + 8 * rand()
                spot = x >= 40 && x < 48 && y >= 60 && y < 68
                if (kind == "mask") v = 255 * spot
                if (kind == "defect" && spot) v = 250
                if (kind == "black") v = 0
                if (deep) byte(0)
                byte(int(v))
            }
            short(8); tag(256, 4, w); tag(257, 4, h); tag(258, 3, 8 * (1 + deep)); tag(259, 3, 1); tag(262, 3, 1)
            tag(273, 4, 8); tag(278, 4, h); tag(279, 4, size); long(0)
        }')" >"$1"
}
good=set/train/good
mkdir -p $good set/test/good set/test/spot set/ground_truth/spot one sizes
for i in 1 2 3 4 5 6; do picture $good/$i.tif $i; done
for i in 7 8; do picture set/test/good/$i.tif $i; done
picture set/test/spot/9.tif 9 96 96 defect
picture set/ground_truth/spot/9_mask.tif 9 96 96 mask

# half of the pictures may be bad: one that is held out is enough for that
quick="--steps 1 --false-alarms 50%"
cp -r $good mixed && echo damaged >mixed/7.png
expect 0 "$CAELUM" anomaly train mixed -o part.safetensors $quick
says err "left out: mixed/7.png"
says out "6 good pictures, 1 left out, in "
says out "by the scores of 1 of them: at most 50 % of good pictures are called bad"
says out "next: caelum anomaly find part.safetensors PICTURES"
holds "nothing is left of the training" test ! -e part.safetensors.training
expect 4 "$CAELUM" anomaly train $good -o part.safetensors $quick
says err "part.safetensors exists already; overwrite it with --force"
expect 4 "$CAELUM" anomaly train $good -o missing/part.safetensors $quick
expect 4 "$CAELUM" anomaly train nowhere -o other.safetensors $quick
says err "nowhere"
cp $good/1.tif one
expect 3 "$CAELUM" anomaly train one -o other.safetensors $quick
says err "one: expected 2 good pictures or more"
for rate in 0 1 2 150% 1x % nan -1%; do
    expect 2 "$CAELUM" anomaly train $good -o other.safetensors --false-alarms=$rate
    says err "--false-alarms: expected a share of the good pictures, such as 1% or 0.01, got '$rate'"
done
expect 2 "$CAELUM" anomaly train $good -o other.safetensors --steps 0
says err "steps: expected 1 to"
holds "no model where there was an error" test ! -e other.safetensors
for words in "" tain train "train $good" calibrate find "find part.safetensors" eval; do
    expect 2 "$CAELUM" anomaly $words
    says err "caelum help anomaly"
done

# few pictures of several sizes, some smaller than a crop, and a promise that can be kept
picture sizes/a.tif 1 40 30
picture sizes/b.tif 2 120 64
picture sizes/c.tif 3 96 96 deep
expect 0 "$CAELUM" anomaly train sizes -o few.safetensors --steps 1 --json
says err "3 good pictures can promise 50 % of false alarms at best; 1 % takes 198"
says out '"scored": 1'
says out '"needed": 99'
says out '"promised": 0.5'

# the same bits by any number of threads and any instruction set
weights() { tail -c 500000 "$1"; } # behind the metadata, which has the command
weights part.safetensors >part.tail
same() {
    rm -f again.safetensors
    expect 0 env CAELUM_CPU="$1" "$CAELUM" anomaly train $good -o again.safetensors $quick -q --threads "$2"
    weights again.safetensors >again.tail
    holds "the same weights by $1 and $2 threads" cmp again.tail part.tail
}
own=$("$CAELUM" version | sed -n 's/.*in use: \([a-z0-9]*\).*/\1/p')
same "$own" 3
if [ "$own" = avx512 ]; then same avx2 1; else same "$own" 1; echo "not tested: this machine has no AVX-512"; fi

# stopped, it is resumed by the same command, with the same result
expect 0 "$CAELUM" anomaly train $good -o whole.safetensors --false-alarms 50% --steps 4 -q
"$CAELUM" anomaly train $good -o stopped.safetensors --false-alarms 50% --steps 4 -q 2>stopped.err &
pid=$!
until_it $pid test -e stopped.safetensors.training
kill -TERM $pid
wait $pid
holds "it was stopped" test $? = 143
holds "its work is kept" test -e stopped.safetensors.training -a ! -e stopped.safetensors
holds "it says how to resume" grep -q "the same command resumes it from stopped.safetensors.training" stopped.err
expect 0 "$CAELUM" anomaly train $good -o stopped.safetensors --false-alarms 50% --steps 4 -q
weights whole.safetensors >whole.tail
weights stopped.safetensors >stopped.tail
holds "the same weights" cmp whole.tail stopped.tail

# a model that can't be saved is not lost: a folder is where it is to be
"$CAELUM" anomaly train $good -o blocked.safetensors --false-alarms 50% --steps 4 -q 2>blocked.err &
pid=$!
until_it $pid test -e blocked.safetensors.training
mkdir blocked.safetensors
wait $pid
holds "it can't be saved" test $? = 4
holds "it says why" grep -q "blocked.safetensors" blocked.err
holds "its work is kept" test -e blocked.safetensors.training
rmdir blocked.safetensors
expect 0 "$CAELUM" anomaly train $good -o blocked.safetensors --false-alarms 50% --steps 4 -q
weights blocked.safetensors >blocked.tail
holds "the same weights after a failed save" cmp whole.tail blocked.tail

# what it finds: a black picture is far from good ones wherever it is looked at, good ones are made the measure of
expect 0 "$CAELUM" anomaly calibrate part.safetensors $good -o measure.safetensors --false-alarms 0.15 --json
says out '"false_alarms": 0.15'
says out '"scored": 6'
expect 0 "$CAELUM" anomaly find measure.safetensors $good
says out "$good/1.tif  good  score "
holds "a line for each picture" test "$(wc -l <out)" = 6
picture black.tif 1 96 96 black
picture deep.tif 1 96 96 deep
picture large.tif 1 200 150
expect 10 "$CAELUM" anomaly find measure.safetensors $good/1.tif black.tif -o maps
holds "one is bad" test "$(grep -c '  BAD   score .*  p 0.1429  96x96+0+0$' out)" = 1
for name in 1-heat 1-mask black-heat black-mask; do holds "maps has $name" test -s maps/$name.png; done
expect 3 "$CAELUM" anomaly find measure.safetensors $good/1.tif black.tif -o maps
says err "exists already; overwrite it with --force"
expect 10 "$CAELUM" anomaly find measure.safetensors black.tif --force -o maps --json
says out '{"input": "black.tif", "bad": true, "score": '
says out '"boxes": [{"x": 0, "y": 0, "width": 96, "height": 96, "score": '
holds "an object a line" test "$(wc -l <out)" = 1
expect 3 "$CAELUM" anomaly find measure.safetensors black.tif mixed/7.png nowhere.png
says out "black.tif  BAD "
says err "2 of 3 files were not judged"
expect 0 sh -c "\"$CAELUM\" anomaly find measure.safetensors - <$good/1.tif"
says out "-  good  score"
for odd in deep large; do
    "$CAELUM" anomaly find measure.safetensors $odd.tif >out 2>err # good or bad: the network knows little
    holds "$odd.tif has a verdict" grep -qE "^$odd.tif  (good|BAD )  score [0-9.]+  p [01]" out
done
expect 3 "$CAELUM" anomaly find "$SOURCE_DIR/models/standard.safetensors" black.tif
says err "no finder of defects: 'anomaly_scores' in its metadata is missing"
for threads in 1 2 3; do "$CAELUM" anomaly find part.safetensors $good --threads $threads >threads$threads; done
holds "the same verdicts by 2 threads" cmp threads1 threads2
holds "the same verdicts by 3 threads" cmp threads1 threads3

# calibrated in place, whole or not at all
cp part.safetensors before.safetensors
mkdir none && echo damaged >none/1.png
expect 3 "$CAELUM" anomaly calibrate part.safetensors none
expect 4 "$CAELUM" anomaly calibrate part.safetensors $good -o measure.safetensors
holds "a model that can't be calibrated is as it was" cmp part.safetensors before.safetensors
expect 0 "$CAELUM" anomaly calibrate part.safetensors $good
says out "threshold "
says out " by the scores of 6 of them: at most 50 % of good pictures are called bad"

# pictures put into a folder, one of them slowly
mkdir drop
cp $good/1.tif drop/1.tif
"$CAELUM" anomaly find measure.safetensors --watch drop -o found --force >watched 2>watched.err &
pid=$!
until_it $pid lines_of 1 "drop/1.tif  good" watched
head -c 5000 black.tif >drop/2.tif
cp $good/3.tif drop/3.tif
until_it $pid lines_of 1 "drop/3.tif" watched
sleep 0.5
holds "half a picture is waited for" test ! -e found/2-heat.png -a ! -s watched.err
tail -c +5001 black.tif >>drop/2.tif
until_it $pid lines_of 1 "drop/2.tif  BAD" watched
cp black.tif drop/4.tif
until_it $pid lines_of 1 "drop/4.tif  BAD" watched
kill -TERM $pid
wait $pid
holds "it ends by the signal" test $? = 143
holds "each was judged once" test "$(cut -d' ' -f1 watched | sort | uniq -c | awk '{ s = s $1 $2 }; END { print s }')" = \
    1drop/1.tif1drop/2.tif1drop/3.tif1drop/4.tif
holds "their maps are there" test -s found/4-heat.png
expect 2 timeout 20 "$CAELUM" anomaly find measure.safetensors --watch drop -o drop
says err "drop is watched; name another folder for the results by -o"
expect 4 "$CAELUM" anomaly find measure.safetensors --watch nowhere
says err "nowhere: can't be watched"

# figures of a test directory
expect 0 "$CAELUM" anomaly eval measure.safetensors set -o page.html
for words in "image AUROC" "all  " "spot  " "PCA of patches" "nearest patch" "of 2 good pictures are called bad (15 % was"; do
    says out "$words"
done
holds "a page" grep -q "</html>" page.html
expect 0 "$CAELUM" anomaly eval measure.safetensors set --no-baselines --json
for key in image_auroc image_ap image_f1_max pixel_auroc pixel_ap au_pro_30 au_pro_5 false_alarms true_positives \
    ms_per_picture baselines kinds; do says out "\"$key\":"; done
says out '"baselines": {}'
expect 4 "$CAELUM" anomaly eval measure.safetensors set -o page.html
expect 2 "$CAELUM" anomaly eval measure.safetensors one
says err "is in no folder that says its kind"
finish
