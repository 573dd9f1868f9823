# encode and decode: pictures to a file of codes and back, on a model trained here for a moment.
. "$SOURCE_DIR/tests/cli/lib.sh"
cat >code.net <<'N'
input 3
space_to_depth 4
conv 16 k=1 init=klt
quantize 0.2
conv 48 k=1 init=klt
depth_to_space 4
N
"$CAELUM" train code.net --data synthetic:400 --epochs 2 --batch 20 --out run -q >/dev/null || exit 1
expect 0 "$CAELUM" data export synthetic:400 --split test --count 12 -o in
says out "12 pictures are in in"
expect 4 "$CAELUM" data export synthetic:400 --count 2 -o in
says err "exists already"
expect 0 "$CAELUM" encode in/*.png run/reconstructions.png --model run/best.safetensors -o codes
says out "in/00000.png  32x32  "
says out " bits a pixel"
holds "the codes take less than a tenth of the pixels" \
    [ $(($(wc -c <codes) * 10)) -lt $((12 * 32 * 32 * 3 + 1220 * 612 * 3)) ]
expect 0 "$CAELUM" decode codes --model run/best.safetensors -o back
says out "back/reconstructions.png  1220x612"
# a picture of the network's own size comes back as the network reconstructs it
expect 0 "$CAELUM" reconstruct run/best.safetensors in/00003.png -o made
holds "00003.png is what reconstruct makes of it" cmp back/00003.png made/00003.png
expect 0 "$CAELUM" encode in/*.png run/reconstructions.png --model run/best.safetensors -o again --threads 1 -q
holds "the same bytes with one thread" cmp codes again

# eval counts the bytes that encode writes, and at price 0 finds the error of the network itself
"$CAELUM" data export synthetic:400 --split test -o whole -q
"$CAELUM" encode whole --model run/best.safetensors --price 0.05 -o whole.clmc >told
bits=$(awk '{ bytes += $3 } END { printf "%.1f", bytes * 8 / NR }' told)
expect 0 "$CAELUM" eval run/best.safetensors --data synthetic:400 --no-baselines
says out "price 0.05: $bits bits"
says out "price 0: "
holds "at price 0 the error is the network's" \
    [ "$(awk '/^this model/ { print $4 }' out)" = "$(awk '/^price 0:/ { print $6 }' out)" ]
expect 0 "$CAELUM" eval run/best.safetensors --data synthetic:400 --no-baselines --record --json
says out '"coded": ['
expect 0 "$CAELUM" inspect run/best.safetensors
says out "test_bytes   price=0 bits="

# one flipped byte, a part of the file, another model: no picture
cp codes bad
printf '\377' | dd of=bad bs=1 seek=100 conv=notrunc 2>/dev/null
cmp -s codes bad && printf '\000' | dd of=bad bs=1 seek=100 conv=notrunc 2>/dev/null
expect 3 "$CAELUM" decode bad --model run/best.safetensors -o no
says err "bad: damaged: its checksum is not that of its content"
head -c 200 codes >short
expect 3 "$CAELUM" decode short --model run/best.safetensors -o no
says err "damaged"
expect 3 "$CAELUM" decode in/00000.png --model run/best.safetensors -o no
says err "not a file of codes"
holds "nothing was decoded" [ ! -e no ]
expect 4 "$CAELUM" encode in/00000.png --model run/best.safetensors -o codes
says err "codes exists already; overwrite it with --force"
expect 2 "$CAELUM" encode in/00000.png
says err "expected pictures or folders, and -o FILE"
# what can't be encoded is named, and the rest is done, as if it had been named alone
mkdir twin && cp in/00002.png twin/00000.png
echo "no picture" >bad.jpg
expect 3 "$CAELUM" encode bad.jpg in/00000.png twin/00000.png in/00001.png missing.png --model run/best.safetensors -o x
says err "bad.jpg: not a PNG, JPEG, WebP or TIFF picture"
says err "twin/00000.png: it would be decoded to the name of in/00000.png, 00000; encode it into another file"
says err "missing.png: "
says err "3 of 5 files were not encoded"
expect 0 "$CAELUM" encode in/0000[01].png --model run/best.safetensors -o y
expect 0 "$CAELUM" decode x --model run/best.safetensors -o from-x -q
expect 0 "$CAELUM" decode y --model run/best.safetensors -o from-y -q
holds "two pictures, from x as from y" diff -r from-x from-y
expect 2 "$CAELUM" encode in/00000.png twin/00000.png --model run/best.safetensors -o x --force
says err "1 of 2 files were not encoded"
cp x kept
expect 3 "$CAELUM" encode bad.jpg --model run/best.safetensors -o x --force
holds "where nothing can be encoded, what is there stays" cmp x kept
expect 3 "$CAELUM" encode bad.jpg --model run/best.safetensors -o none
holds "and nothing is made" [ ! -e none ]
holds "no half-written file is left" [ -z "$(ls -A . | grep '\.tmp')" ]
rm from-y/00000.png
expect 4 "$CAELUM" decode y --model run/best.safetensors -o from-y
says err "from-y/00001.png exists already"
says out "from-y/00000.png"
says err "1 of 2 files were not decoded"
holds "standard input" sh -c "\"$CAELUM\" encode - --model run/best.safetensors -o piped -q <in/00000.png"
expect 0 "$CAELUM" decode piped --model run/best.safetensors -o from-pipe
holds "is called stdin" cmp from-pipe/stdin.png from-x/00000.png
expect 3 "$CAELUM" encode in/00000.png --model "$SOURCE_DIR/models/best.safetensors" -o z
says err "needs one quantize layer"
CAELUM_MODELS=$scratch expect 4 "$CAELUM" encode in/00000.png -o z
says err "code.safetensors is not there"
finish
