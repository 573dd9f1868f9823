# colorize: files, folders, patterns, standard input; what can't be colored is named and the rest is done.
. "$SOURCE_DIR/tests/cli/lib.sh"
"$CAELUM" data export synthetic:10 --split train -o in >/dev/null || exit 1
first=$(ls in | head -1)
# a colorizer that takes hints, trained for a moment
printf 'input 4\nspace_to_depth 2\nconv 16 gelu\nconv 8\ndepth_to_space 2\n' >tiny.net
expect 0 "$CAELUM" train tiny.net --task colorize --data synthetic:500 --epochs 2 --lr 0.01 --shift 1 --out run -q
model=run/best.safetensors

expect 0 "$CAELUM" colorize in -o done -m $model
for name in in/*; do holds "done has $name" test -s "done/${name#in/}"; done
says out "done/$first  32x32  colorfulness"
expect 4 "$CAELUM" colorize in -o done -m $model
says err "exists already; overwrite it with --force"
expect 0 "$CAELUM" colorize "in/*.png" -o patterns -m $model -q
holds "a pattern in quotes is all of them" test "$(ls patterns | wc -l)" = "$(ls in | wc -l)"
expect 0 "$CAELUM" colorize "in/$first" -m $model --format jpg
holds "without -o the result is next to the picture" test -s "in/${first%.png}-color.jpg"
rm "in/${first%.png}-color.jpg"
expect 0 "$CAELUM" colorize "in/$first" -m $model -o json --json
says out '"colorfulness":'
holds "standard input to output" sh -c "\"$CAELUM\" colorize - -m $model <in/$first >piped.png && cmp piped.png done/$first"

expect 4 "$CAELUM" colorize in -o tiny.net -m $model
says err "tiny.net: is there, but no directory"

expect 2 "$CAELUM" colorize "in/$first" -o in -m $model --force
says err "its result would replace it"

# the dial and hints change the result; the same call makes the same bytes, on any number of threads
expect 0 "$CAELUM" colorize "in/$first" -m $model -o threads -t 3
holds "threads don't matter" cmp "done/$first" "threads/$first"
expect 0 "$CAELUM" colorize "in/$first" -m $model -o vivid --vivid 1
holds "--vivid does something" sh -c "! cmp -s done/$first vivid/$first"
expect 0 "$CAELUM" colorize "in/$first" -m $model -o hints --hint 3,4,#ff0000 --hint 20,20,#0000FF
holds "--hint does something" sh -c "! cmp -s done/$first hints/$first"
expect 0 "$CAELUM" colorize "in/$first" -m $model -o picture --hint-picture "vivid/$first"
holds "--hint-picture does something" sh -c "! cmp -s done/$first picture/$first"
# grey, three strong pixels and two whose chroma is 12: five hints; five whose chroma is 11 are what JPEG leaves
printf %s \
    'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAU0lEQVR42mNsaGhgoCVgYqAxGPoWMJ6wsYGwdri40M' \
    'ICFhqZO4zigIX9Dwr/Jwu1LaC6icMvo3H8YeD4Q8tI/jEaB6MWjFowasGoBaMWjFpABAAAapULiNNqObAAAAAASUVO' \
    'RK5CYII=' |
    base64 -d >painted.png
expect 0 "$CAELUM" colorize "in/$first" -m $model -o painted --hint-picture painted.png
says err "painted.png: 5 hints"
for bad in 3,4 3,4,red 3,4,#12345 -1,2,#000000 3,4,#1234567 3,4,#12345g; do
    expect 2 "$CAELUM" colorize "in/$first" -m $model -o bad --hint=$bad
    says err "expected X,Y,#RRGGBB"
done
expect 2 "$CAELUM" colorize "in/$first" -m $model -o bad --hint 99,4,#112233
says err "hint at 99,4: the picture has 32x32 pixels"
expect 2 "$CAELUM" colorize "in/$first" -m $model -o bad --vivid 2
says err "vivid: expected 0 to 1"

# a folder with everything that can be wrong in it
mkdir mixed mixed/folder
cp "in/$first" mixed/good.png
: >mixed/empty.png
echo "no picture" >mixed/notes.txt
head -c 1000 "in/$first" >mixed/cut.png
# a PNG that declares 100,000 x 100,000 pixels
printf '\211PNG\r\n\032\n\0\0\0\015IHDR\0\001\206\240\0\001\206\240\010\002\0\0\0\047\060\234\237\0\0\0\0IDAT\065\257\006\036' >mixed/huge.png
expect 3 "$CAELUM" colorize mixed -o colored -m $model
for name in empty.png notes.txt cut.png huge.png; do says err "mixed/$name: "; done
says err "100000x100000"
says err "4 of 5 files were not colored"
says out "colored/good.png"
holds "nothing else was written" test "$(ls colored)" = good.png
mkdir nothing
expect 4 "$CAELUM" colorize nothing -o done -m $model
says err "nothing: there are no files in it that could be pictures"
expect 4 "$CAELUM" colorize missing.jpg -o done -m $model
says err "missing.jpg"

# a model that says nothing leaves grey, and the command says so; one that is no colorizer is refused
printf 'input 1\nconv 2 k=1 init=zero\n' >grey.net
expect 0 "$CAELUM" train grey.net --task colorize --data synthetic:100 --epochs 1 --lr 1e-9 --out grey -q
expect 0 "$CAELUM" colorize "in/$first" -m grey/best.safetensors -o grey-out
says err "the result is nearly grey (colorfulness 0.0)"
expect 2 "$CAELUM" colorize "in/$first" -m grey/best.safetensors -o grey-out --force --hint 1,1,#ff0000
says err "takes no hints"
expect 3 "$CAELUM" colorize "in/$first" -m "$SOURCE_DIR/models/standard.safetensors" -o no
says err "to colorize it must turn luminance"

# eval: hints and the dial are measured, --record fits the dial and keeps what was measured
expect 0 "$CAELUM" eval $model --data synthetic:500 --no-baselines --json
plain=$(sed -n 's/^  "uv_mse": \(0.[0-9]*\),/\1/p' out)
expect 0 "$CAELUM" eval $model --data synthetic:500 --no-baselines --hints 16 --json
hinted=$(sed -n 's/^  "uv_mse": \(0.[0-9]*\),/\1/p' out)
holds "hints are told: $plain $hinted" test -n "$plain" -a "$plain" != "$hinted"
expect 2 "$CAELUM" eval grey/best.safetensors --data synthetic:100 --no-baselines --hints 1
says err "a model that takes hints"
expect 0 "$CAELUM" eval $model --data synthetic:500 --no-baselines --split validation --record
expect 0 "$CAELUM" eval $model --data synthetic:500 --no-baselines --vivid 1 --record
expect 0 "$CAELUM" eval $model --data synthetic:500 --no-baselines --sheets sheets
for sheet in chosen best worst; do holds "a sheet of the $sheet" test -s sheets/$sheet.png; done
expect 0 "$CAELUM" inspect $model
says out "vivid_gain"
says out "test_vivid_1"
expect 0 "$CAELUM" export $model --half -o half.safetensors
holds "half the size" test "$(wc -c <half.safetensors)" -lt "$(wc -c <$model)"
expect 0 "$CAELUM" colorize "in/$first" -m half.safetensors -o half
finish
