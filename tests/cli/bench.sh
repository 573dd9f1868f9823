# What bench prints, for which networks and batches. Its figures are no matter here: every window is as short as can be.
. "$SOURCE_DIR/tests/cli/lib.sh"
quick="--rounds 1 --seconds 0.001 --threads 2"
# names: the figures that the last command printed, without those of the share of the peak
names() { sed 's/ .*//' out | grep -v of_peak | tr '\n' ' ' | sed 's/ $//'; }

# shellcheck disable=SC2086
expect 0 "$CAELUM" bench $quick --filter standard.
holds "the standard network on its own batches" test "$(names)" = "fma.t1 standard.train.b50.t1 fma.t2\
 standard.train.b50.t2 standard.train.b100.t1 standard.train.b100.t2 standard.train.b250.t1 standard.train.b250.t2\
 standard.infer.b1.t1 standard.infer.b1.t2 standard.infer.b50.t1 standard.infer.b50.t2 standard.infer.b100.t1\
 standard.infer.b100.t2 standard.infer.b250.t1 standard.infer.b250.t2"
says out "standard.train.b50.t2.of_peak"
expect 0 "$CAELUM" bench $quick --batches 1,3 "$SOURCE_DIR/models/deeper.net" --filter .t2 --net "$SOURCE_DIR/models/valid.net"
holds "two networks, one batch to train on" test "$(names)" = "fma.t2 copy.t2 deeper.train.b3.t2 deeper.infer.b1.t2\
 deeper.infer.b3.t2 valid.train.b3.t2 valid.infer.b1.t2 valid.infer.b3.t2"
expect 0 "$CAELUM" bench $quick --batches 2 --filter b2.t1 "$SOURCE_DIR"/models/*.net "$SOURCE_DIR"/bench/*.net
for net in "$SOURCE_DIR"/models/*.net "$SOURCE_DIR"/bench/*.net; do
    name=$(basename "$net" .net)
    says out "$name.train.b2.t1 "
    says out "$name.infer.b2.t1 "
done
expect 0 "$CAELUM" bench $quick --filter standard.infer.b1.t2 --json
says out '"name": "standard.infer.b1.t2"'
expect 0 "$CAELUM" bench $quick --layers --filter standard.step
for figure in step1.conv.forward step1.conv.backward.of_peak step2.maxpool.backward step6.upsample+conv.forward.roof; do
    says out "standard.$figure "
done
expect 0 "$CAELUM" bench $quick --filter fma
holds "limits alone" test "$(names)" = "fma.t1 fma.t2"

for text in "" , 50, ,50 5x 5,,6 -1 50,0 1001 18446744073709551615 18446744073709551617; do
    expect 2 "$CAELUM" bench --batches "$text"
    says err "--batches: expected at most 32 whole numbers, each 1 to 1000, as in 1,50,250, got '$text'"
done
# shellcheck disable=SC2086
expect 0 "$CAELUM" bench $quick --filter standard.train.b50.t2 --beside 2
holds "alone and beside two others" test "$(names)" = "fma.t2 standard.train.b50.t2 standard.train.b50.t2.beside2\
 standard.train.b50.t2.beside2.of_quiet"
expect 2 "$CAELUM" bench --beside 65
says err "beside: expected at most 64 processes, got 65"
expect 2 "$CAELUM" bench --seconds 0
says err "seconds: expected more than 0"
expect 4 "$CAELUM" bench $quick --filter none missing.net
says err "missing.net: No such file or directory"
printf 'input 2\nconv 2\n' >two.net
expect 3 "$CAELUM" bench $quick --filter none two.net
says err "two.net: the pictures have 3 channels, a colorizer sees 1 or 4; this input has 2"
finish
