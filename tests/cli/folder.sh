# Train on a directory of pictures: what is found, what is skipped, what resuming and measuring know of it.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
"$CAELUM" data export synthetic:400:64 --split train --count 60 -o photos >/dev/null || exit 1
mkdir photos/more && mv photos/0005?.png photos/more
echo "not a picture" >photos/text.jpg
: >photos/more/empty.png
expect 0 "$CAELUM" data info photos --crop 32
says out "folder, from photos"
says out "240 of 3x32x32" # four of 32x32 cover one of 64x64
says out "cut out of  60"
says out "192 train, 24 validation, 24 test"
says err "caelum: warning: 2 files were skipped:"
says err "  more/empty.png: is empty; expected a picture"
says err "  text.jpg: not a PNG"
expect 0 "$CAELUM" data info photos --crop 32 --json -q
holds "no word with --quiet" test ! -s err
says out '"photos": 60'
says out '"path": "more/empty.png"'
expect 0 "$CAELUM" data info photos
says out "60 of 3x64x64" # all of one size: they are taken as they are
expect 2 "$CAELUM" data info photos --crop 4
says err "crop: expected 8 to 256, got 4"

expect 0 "$CAELUM" train "$net" --data photos --crop 16 --epochs 2 --batch 20 --out whole
says err "2 files were skipped:"
holds "crop is a setting of the run" grep -qF '"crop": "16"' whole/run.json
holds "and of its command" grep -qF 'standard.net --data photos --epochs 2 --batch 20 --crop 16 --seed 1' whole/run.json
expect 0 "$CAELUM" train "$net" --data photos --crop 16 --epochs 1 --batch 20 --out parts
expect 2 "$CAELUM" train --resume parts --crop 32
says err "--crop can't change with --resume"
expect 0 "$CAELUM" train --resume parts --epochs 2
holds "a resumed run finds the same crops" cmp whole/last.safetensors parts/last.safetensors
expect 0 "$CAELUM" eval whole/best.safetensors --data photos
says out "96 pictures" # 16 crops of each of 6 photos
says err "2 files were skipped:"
mv photos elsewhere
expect 0 "$CAELUM" eval whole/best.safetensors --data elsewhere --no-baselines
holds "a directory that was moved is not read again" test "$(ls cache/data-* | wc -l)" = 3
rm elsewhere/00001.png
mkdir photos && cp elsewhere/*.png photos
expect 3 "$CAELUM" train --resume parts --epochs 3
says err "the data are not those that the run was started with"

# from one size to another, from the model's weights
expect 0 "$CAELUM" train "$net" --data elsewhere --init whole/best.safetensors --epochs 1 --out fine -q
holds "the command says so" grep -qF -- 'standard.net --init best.safetensors --data elsewhere --epochs 1 --seed 1' fine/run.json
expect 0 "$CAELUM" train "$net" --data elsewhere --init whole/best.safetensors --lr-find -q
expect 2 "$CAELUM" train --resume fine --init whole/best.safetensors
says err "--init can't change with --resume"
expect 3 "$CAELUM" train "$SOURCE_DIR/models/deeper.net" --data elsewhere --init whole/best.safetensors --out never
says err "the weights of one don't fit the other"
holds "nothing was written" test ! -e never

# a study on two sizes of crops
printf 'defaults epochs=1 seeds=1 limit=60 data=elsewhere\nsection a "A"\nrun small %s crop=16\nrun large %s crop=32\n' "$net" "$net" \
    >sizes.study
expect 0 "$CAELUM" study sizes.study --out study
holds "the skipped files are told once for each size" test "$(grep -c '2 files were skipped' err)" = 2
holds "crops of 16" grep -qF '"height": "16"' study/runs/small-s1/run.json
holds "crops of 32" grep -qF '"height": "32"' study/runs/large-s1/run.json
expect 0 "$CAELUM" study sizes.study --out study
says out "2 of 2 runs finished, 0 of them now"

# a user's folder: what caelum itself puts there, thumbnails and what can't be opened are no data
"$CAELUM" data export synthetic:200:32 --split train --count 40 -o mine >/dev/null || exit 1
mkdir mine/@eaDir && cp mine/00000.png mine/@eaDir/thumb.png
mkfifo mine/pipe.png
cd mine || exit 1
expect 0 timeout 60 "$CAELUM" train "$net" --data . --epochs 1
says err "caelum: warning: .: left out: 1 folder of thumbnails or deleted files, 1 that is no file"
cp 00000.png 00000-color.png
expect 0 "$CAELUM" train "$net" --data . --epochs 1 --out runs/second
says err ".: left out: 1 run of caelum, 1 colorized picture, 1 folder of"
holds "a second run has the data of the first" cmp runs/standard/last.safetensors runs/second/last.safetensors
expect 0 "$CAELUM" train --resume runs/standard --epochs 2
expect 0 "$CAELUM" data info . --json
says out '".: left out: 2 runs of caelum, 1 colorized picture, 1 folder of thumbnails or deleted files, 1 that is no file"'
cd .. || exit 1

# a folder whose name begins as generated pictures do, in Latin-1
latin=$(printf 'synthetic-f\351erie')
cp -r mine "$latin" && rm -r "$latin"/runs
expect 0 "$CAELUM" data info "$latin" --json
says out '"source": "synthetic-f\\xe9erie"'
says out '"count": 40'

# too small for a crop
"$CAELUM" data export synthetic:200:28 --split train --count 20 -o small >/dev/null || exit 1
expect 3 "$CAELUM" data info small --crop 32
says err "28x28 pixels are too few for a crop of 32x32; --crop 28 takes it"
expect 0 "$CAELUM" data info small --crop 28

# a cache that can't be kept, or is not there, stops nothing
: >file
expect 0 "$CAELUM" train "$net" --data "$latin" --epochs 1 --cache-dir file/cache --out kept-nowhere
says err "warning: prepared data is not kept for the next time: file"
expect 0 "$CAELUM" eval kept-nowhere/best.safetensors --data "$latin" --cache-dir file/cache
says err "name another directory by CAELUM_CACHE"
expect 0 "$CAELUM" train "$net" --data "$latin" --epochs 1 --out kept
holds "the result is the same" cmp kept/last.safetensors kept-nowhere/last.safetensors

# other pictures under equal names, sizes and times
expect 0 "$CAELUM" data info small --crop 28
pixels=$(grep '^pixels  *[0-9a-f]*$' out)
mkdir other && for file in small/*.png; do size=$(stat -c %s "$file")
    cp -p "$file" other && printf 'x' | dd of="other/${file#small/}" bs=1 seek=$((size / 2)) conv=notrunc status=none
    touch -r "$file" "other/${file#small/}"; done
mv small before && mv other small
expect 3 "$CAELUM" data info small --crop 28
says err "files skipped: 20"
mv small other && mv before small
expect 0 "$CAELUM" data info small --crop 28
holds "the first are found again" test "$pixels" = "$(grep '^pixels  *[0-9a-f]*$' out)"

mkdir few && cp elsewhere/0000?.png few
expect 2 "$CAELUM" train "$net" --data few --out never
says err "few: 9 pictures are too few to split; at least 10 are needed"
echo bad >few/bad.png
expect 3 "$CAELUM" train "$net" --data few --out never
says err "9 pictures can be used, at least 10 are needed; files skipped: 1, the first of them bad.png: not a PNG"
mkdir none
expect 4 "$CAELUM" data info none
says err "none: no data set that is known is in it; expected pictures"
finish
