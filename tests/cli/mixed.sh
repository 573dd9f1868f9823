# A folder as people have them: pictures among sidecars, results, pipes, broken and foreign files. What can be done is
# done, the rest is named and counted, and nothing is written over anything.
. "$SOURCE_DIR/tests/cli/lib.sh"
model=$SOURCE_DIR/models/colorize.safetensors
"$CAELUM" data export synthetic:40 --split train --count 20 -o in -q >/dev/null || exit 1
mkdir mixed mixed/folder
cd in && for name in *; do cp "$name" "../mixed/photo-$name"; done && cd ..
one=in/00000.png other=in/00001.png

# 20 pictures, and 20 other files
cp $one mixed/scan.png && cp $other mixed/scan.webp                             # two results of one name
cp $one mixed/old.png && cp $one mixed/old-color.png                            # the result of an earlier call
cp $one mixed/sea-color.png                                                     # no result: there is no sea
for name in photo-00000.xmp photo-00001.PNG.xmp photo-00002.aae Thumbs.db desktop.ini; do echo x >mixed/$name; done
printf '\000\000\000\030ftypheic\000\000\000\000mif1heic' >mixed/phone.heic
printf '%%PDF-1.4\n' >mixed/letter.pdf
: >mixed/empty.png
echo "no picture" >mixed/notes.txt
head -c 700 $one >mixed/cut.png
ln -s nowhere mixed/dangling.png
mkfifo mixed/pipe.png
cp $one mixed/.hidden.png
expect 3 timeout 60 "$CAELUM" colorize mixed -o colored -m "$model"
says err "mixed: left out 5 files about pictures"
says err "mixed: left out 1 results of earlier calls"
says err "mixed: left out 1 pipes, sockets or devices"
says err "mixed/scan.webp: its result would replace that of mixed/scan.png"
for name in phone.heic letter.pdf empty.png notes.txt cut.png dangling.png; do says err "mixed/$name: "; done
says err "7 of 30 files were not colored"
holds "all 23 pictures are there" [ "$(ls colored | wc -l)" = 23 ]
expect 0 "$CAELUM" colorize $one -o alone -m "$model" -q
mv alone/00000.png alone/scan.png
holds "the first of one name is kept" cmp alone/scan.png colored/scan.png
# with --force, too, though then it may write over what was there before
expect 3 timeout 60 "$CAELUM" colorize mixed -o colored -m "$model" --force -q
holds "even with --force" cmp alone/scan.png colored/scan.png
holds "--quiet leaves the errors alone" [ "$(wc -l <err)" = 7 ]

# the other commands go through the same folder likewise
expect 3 timeout 60 "$CAELUM" reconstruct standard mixed -o made
says err "7 of 31 files were not reconstructed"
holds "what reconstruct has made" [ "$(ls made | wc -l)" = 24 ] # old-color.png, but one of the scans
expect 3 timeout 60 "$CAELUM" encode mixed -o codes -m code-small
says err "7 of 31 files were not encoded"
expect 0 "$CAELUM" decode codes -o decoded -m code-small -q
holds "what was encoded" [ "$(ls decoded | wc -l)" = 24 ]

# two folders with equal names: results lie beside each picture, and nothing clashes; the second time they are left out
mkdir a b && cp $one a/x.png && cp $other b/x.png
expect 0 "$CAELUM" colorize a b -m "$model"
for dir in a b; do holds "$dir" [ -s $dir/x-color.png ]; done
rm a/x-color.png
expect 4 "$CAELUM" colorize a b -m "$model"
says err "b: left out 1 results of earlier calls"
says err "b/x-color.png exists already"
holds "no result of a result" [ ! -e b/x-color-color.png ]
expect 2 "$CAELUM" colorize a/x.png b/x.png -o one -m "$model"
says err "b/x.png: its result would replace that of a/x.png; do it in another call, with another folder"
# one file by two names is written over in no way either
expect 2 "$CAELUM" colorize a/x.png ./a/x.png -m "$model" --force
# all that fail, fail alike: their status; else 3
expect 4 "$CAELUM" colorize none.png missing.png -m "$model" -o one
expect 3 "$CAELUM" colorize none.png mixed/notes.txt -m "$model" -o one

# pipes that are named are read; without a directory the picture goes to standard output
for word in - /dev/stdin; do
    holds "colorize $word" sh -c "\"$CAELUM\" colorize $word -m \"$model\" <$one | cmp - alone/scan.png"
done
for word in - /dev/stdin; do
    rm -rf piped
    holds "colorize $word to a directory" sh -c "cat $one | \"$CAELUM\" colorize $word -m \"$model\" -o piped -q"
    holds "is called stdin.png" cmp piped/stdin.png alone/scan.png
done
holds "reconstruct" sh -c "\"$CAELUM\" reconstruct standard - -o piped/again -q <$other"
expect 0 "$CAELUM" reconstruct standard $other -o made-alone -q
holds "as from a file" cmp piped/again/stdin.png made-alone/00001.png
holds "activations" sh -c "\"$CAELUM\" activations standard - -o code.npz <$other"
mkfifo named
(cat $one >named) &
holds "a pipe with a name" sh -c "timeout 60 \"$CAELUM\" colorize named -m \"$model\" | cmp - alone/scan.png"
if command -v bash >/dev/null; then
    holds "<(...)" bash -c "\"$CAELUM\" colorize <(cat $one) -m \"$model\" | cmp - alone/scan.png"
fi
expect 2 sh -c "\"$CAELUM\" colorize - -m \"$model\" --json <$one"
says err "where --json prints; name a directory for it by -o"
holds "nothing was printed" [ ! -s out ]
expect 2 sh -c "\"$CAELUM\" colorize - $other -m \"$model\" <$one"
says err "among the messages on the others"
expect 0 sh -c "\"$CAELUM\" colorize - -m \"$model\" -o json --json <$one"
says out '"output": "json/stdin.png"'

# a pipe that nobody writes into ends by the first signal
"$CAELUM" colorize named -m "$model" -o never 2>/dev/null &
waiting=$!
while [ ! -d never ]; do sleep 0.1; done
kill -TERM $waiting
wait $waiting 2>/dev/null
status=$?
holds "status 143 by SIGTERM, got $status" [ $status = 143 ]

# directories are made with their parents; names as long as names can be
expect 0 "$CAELUM" reconstruct standard $one -o deep/deeper/deepest
holds "deep" [ -s deep/deeper/deepest/00000.png ]
expect 4 "$CAELUM" reconstruct standard $one -o $one/x
says err "$one: is there, but no directory"
mkdir long
name=$(printf '%0240d' 0)
cp $one "long/$name.png"
expect 0 "$CAELUM" colorize long -o long-out -m "$model"
cp $one "long/${name}12345678901.png"
expect 2 "$CAELUM" colorize "long/${name}12345678901.png" -m "$model"
says err "would have a name of 261 bytes; a name has at most 255"

# names are bytes: JSON says them so that they can be had back
cp $one "$(printf 'caf\351.png')"
expect 0 "$CAELUM" colorize "$(printf 'caf\351.png')" -m "$model" -o json --json
says out '"output": "json/caf\\xe9.png"'

# what this user may not read fails by itself
if [ "$(id -u)" = 0 ] && ! command -v setpriv >/dev/null; then
    echo "skipped: root may read everything"
else
    as=$([ "$(id -u)" = 0 ] && echo "setpriv --reuid 65534 --clear-groups")
    mkdir shut && cp $one shut && cp $one closed.png && chmod 0 closed.png shut
    mkdir open && chmod 777 open . && chmod 755 "$scratch"
    # shellcheck disable=SC2086
    expect 4 $as "$CAELUM" colorize closed.png shut $one -o open/out -m "$model"
    says err "closed.png: Permission denied"
    says err "shut: Permission denied"
    says err "2 of 3 files were not colored"
    holds "the third" cmp open/out/00000.png alone/scan.png
    chmod 755 shut
fi
finish
