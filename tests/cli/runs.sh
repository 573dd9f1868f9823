# What a run says of itself, and what it leaves where things go wrong.
. "$SOURCE_DIR/tests/cli/lib.sh"
printf 'input 3\nconv 4 relu\nmaxpool\nupsample\nconv 3\n' >small.net
train() { expect 0 "$CAELUM" train "$@" -q; }

# the command in a model's metadata is one that makes it again, whatever the options
commands=0
for options in "--epochs 3" "--epochs 3 --schedule cosine --warmup 0.5" "--epochs 2 --warmup 1 --batch 20 --flip --shift 2" \
    "--epochs 3 --optimizer sgd --lr 0.2 --momentum 0.8 --weight-decay 0.001 --clip 1 --split-seed 3 --limit 90" \
    "--epochs 2 --loss huber --huber-delta 0.2 --ema 0.9 --seed 9 --early-stop 1" "--epochs 2 --init start.safetensors"; do
    commands=$((commands + 1))
    rm -rf first again
    [ -e start.safetensors ] || { train small.net --data synthetic:100:16 --epochs 1 --out start &&
        cp start/last.safetensors start.safetensors; }
    # shellcheck disable=SC2086
    train small.net --data synthetic:100:16 --out first $options
    for model in best last; do
        "$CAELUM" inspect first/$model.safetensors | sed -n 's/^command  *//p' >command
        holds "the command names the program: $(cat command)" grep -q '^caelum train small.net ' command
        sed -i "s|^caelum|\"\$CAELUM\"|; s|\$| --out again -q --force|" command
        expect 0 sh command
        holds "$options: $(cat command) makes $model again" cmp first/$model.safetensors again/last.safetensors
    done
done
holds "all were tried" test $commands = 6

# so with a folder of pictures, and a name that a shell would take apart
expect 0 "$CAELUM" data export synthetic:300:40 -o "my photos"
train small.net --data "my photos" --crop 16 --limit 25 --epochs 1 --out folder
"$CAELUM" inspect folder/last.safetensors | sed -n 's/^command  *//p' >command
holds "the data are in it: $(cat command)" grep -qF " --data 'my photos' " command
sed -i "s|^caelum|\"\$CAELUM\"|; s|\$| --out again -q --force|" command
expect 0 sh command
holds "it makes the model again" cmp folder/last.safetensors again/last.safetensors

# eval takes the data of the training
expect 0 "$CAELUM" eval folder/best.safetensors --no-baselines --json
says out "\"data\": \"$PWD/my photos\""
holds "no warning" test ! -s err
cp out told
expect 0 "$CAELUM" eval folder/best.safetensors --data "my photos" --no-baselines --json
holds "the same figures" test "$(grep -v '"data"' out)" = "$(grep -v '"data"' told)"
expect 0 "$CAELUM" eval folder --no-baselines # a run directory is its best model
says out "of $PWD/my photos; outputs"
expect 0 "$CAELUM" eval folder --data synthetic:100:16 --no-baselines
says err "synthetic:100:16: these are not the pictures that the model was trained on"
cp folder/best.safetensors alone.safetensors
mkdir elsewhere && cp alone.safetensors elsewhere
expect 2 "$CAELUM" eval elsewhere/alone.safetensors --no-baselines
says err "was trained on a folder of pictures, and there is no run.json in its directory"
says err "name the pictures by --data"
cp first/run.json elsewhere # of another run
expect 2 "$CAELUM" eval elsewhere/alone.safetensors --no-baselines
train small.net --data synthetic:77:16 --epochs 1 --out generated
cp generated/best.safetensors elsewhere/generated.safetensors
expect 0 "$CAELUM" eval elsewhere/generated.safetensors --no-baselines --json
says out '"data": "synthetic:77:16"'
holds "no warning" test ! -s err
says out "except mse_float and accuracy"

# runs below a directory
mkdir -p all/below
mv first generated all
mv folder all/below
expect 0 "$CAELUM" compare all
holds "three rows below the heading: $(cat out)" test "$(wc -l <out)" = 4
holds "in their order" test "$(awk 'NR > 1 { printf "%s ", $1 }' out)" = "folder first generated "
expect 4 "$CAELUM" compare elsewhere/../start/..//elsewhere all "my photos"
says err "my photos is no run directory, and there is none below it"

# run.json keeps the command that began the run
expect 0 "$CAELUM" train small.net --data synthetic:60:16 --epochs 1 --out kept -q
expect 0 "$CAELUM" train --resume kept --epochs 2
holds "the command is the first" \
    grep -qF 'train small.net --data synthetic:60:16 --epochs 1 --out kept -q' kept/run.json

# a name ends at its last dot
cp small.net my.v2.net
expect 0 "$CAELUM" train my.v2.net --data synthetic:60:16 --epochs 1 -q
holds "runs/my.v2" grep -qF '"name": "my.v2"' runs/my.v2/run.json

# killed at any time: what is there can be resumed, after which no temporary file is left
for i in 1 2 3 4 5 6 7 8 9 10; do
    "$CAELUM" train small.net --data synthetic:400:16 --epochs 5000 --out killed$i -q >/dev/null 2>&1 &
    pid=$!
    until_it $pid test -e killed$i/checkpoint.safetensors
    sleep 0.0$i
    kill -9 $pid
    wait $pid 2>/dev/null
    done=1
    [ -e killed$i/metrics.csv ] && done=$(wc -l <killed$i/metrics.csv)
    expect 0 "$CAELUM" train --resume killed$i --epochs $done -q
    holds "nothing is left of $i: $(ls -A killed$i)" test -z "$(find killed$i -name '*.tmp*')"
done

# nohup's hang-up is ignored
: >log
nohup "$CAELUM" train small.net --data synthetic:400:16 --epochs 100000 --out hung >/dev/null 2>log &
pid=$!
until_it $pid lines_of 2 '^epoch' log
kill -HUP $pid
until_it $pid lines_of $(($(grep -c '^epoch' log) + 3)) '^epoch' log
holds "it trains on" kill -0 $pid
kill -TERM $pid
wait $pid
holds "SIGTERM stops it" test $? = 143

# the parent may have closed standard error: messages must not end up in a file of ours
"$CAELUM" train small.net --data synthetic:60:16 --epochs 2 --out closed </dev/null >&- 2>&-
holds "status 0 or that of a lost result" test $? -le 4
holds "no message in a file" test -z "$(grep -la 'epoch   [12]/2\|epochs in ' closed/*)"

# a pipe that nobody writes into: the first signal ends the waiting
mkfifo x.png
"$CAELUM" reconstruct all/first/best.safetensors x.png -o nothing >/dev/null 2>&1 &
pid=$!
sleep 0.3 # by then it waits, on most machines
kill -TERM $pid
wait $pid 2>/dev/null
holds "it has ended by the signal" test $? = 143
for command in "inspect x.png" "eval x.png" "train x.png" "train small.net --init x.png --data synthetic:60:16" "compare x.png"; do
    # shellcheck disable=SC2086
    "$CAELUM" $command >out 2>err
    holds "$command is refused at once" test $? -ge 2
done
# one that somebody writes into
cp "$(find "my photos" -name '*.png' | head -n 1)" one.png
expect 0 "$CAELUM" reconstruct all/first/best.safetensors one.png -o whole
cat one.png >x.png &
expect 0 "$CAELUM" reconstruct all/first/best.safetensors x.png -o piped
wait
holds "the same result" cmp whole/one.png piped/x.png

# control characters of a file's name don't reach the terminal
name=$(printf 'a\033[31m\nb.net')
expect 4 "$CAELUM" inspect "$name"
says err 'a\x1b[31m\x0ab.net'

# more threads than help are not started
expect 0 "$CAELUM" train small.net --data synthetic:60:16 --epochs 1 --threads 4096 --out many -q
holds "fewer are recorded" test "$(sed -n 's/^  "threads": \([0-9]*\),*$/\1/p' many/run.json)" -lt 4096
finish
