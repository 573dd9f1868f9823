# A training run from end to end: files, bits, stopping, resuming, refusing.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
expect 0 "$CAELUM" train "$net" --data synthetic:400 --epochs 3 --threads 2 --out whole
says out "in the best epoch, "
says err "epoch   3/3  loss 0."
for file in run.json metrics.csv last.safetensors best.safetensors checkpoint.safetensors curves.svg \
    reconstructions.png; do
    holds "whole/$file is there" test -s whole/$file
done
holds "metrics.csv has a header and a row an epoch" test "$(wc -l <whole/metrics.csv)" = 4

expect 0 "$CAELUM" train "$net" --data synthetic:400 --epochs 3 --threads 1 --out other -q
holds "no word with --quiet" test ! -s err
holds "1 and 2 threads give one model" cmp whole/last.safetensors other/last.safetensors
if grep -q avx2 /proc/cpuinfo; then
    expect 0 env CAELUM_CPU=avx2 "$CAELUM" train "$net" --data synthetic:400 --epochs 3 --out avx2
    holds "AVX2 gives the same model" cmp whole/last.safetensors avx2/last.safetensors
fi

before=$(cksum whole/*)
expect 4 "$CAELUM" train "$net" --data synthetic:400 --epochs 1 --out whole
says err "whole exists already; resume it with --resume whole, or overwrite it with --force"
holds "a run that exists is left alone" test "$(cksum whole/*)" = "$before"

# killed without warning in the third epoch, then resumed
"$CAELUM" train "$net" --data synthetic:2000 --epochs 4 --out a -q >/dev/null
: >log
"$CAELUM" train "$net" --data synthetic:2000 --epochs 4 --threads 1 --out b >/dev/null 2>log &
pid=$!
until_it $pid lines_of 2 '' log
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
expect 0 "$CAELUM" train --resume b
holds "killed and resumed is the same as not" cmp a/last.safetensors b/last.safetensors
holds "best as well" cmp a/best.safetensors b/best.safetensors

# asked to stop: saves, says how to go on, dies by the signal
: >log
"$CAELUM" train "$net" --data synthetic:2000 --epochs 100000 --out c >stopped 2>log &
pid=$!
until_it $pid lines_of 2 '' log
expect 4 "$CAELUM" train --resume c
says err "c: another caelum is at work in this directory"
expect 4 "$CAELUM" train "$net" --data synthetic:2000 --out c --force
says err "another caelum is at work"
kill -TERM $pid
wait $pid
holds "exit status 143 after SIGTERM" test $? = 143
holds "it says how to go on" grep -q "resume with: caelum train --resume c" stopped
epochs=$(($(wc -l <c/metrics.csv) + 1)) # two more than are done
expect 0 "$CAELUM" train --resume c --epochs $epochs --checkpoint-minutes 10
holds "two more epochs after resuming" test "$(wc -l <c/metrics.csv)" = $((epochs + 1))
expect 2 "$CAELUM" train --resume c --epochs 9 --checkpoint-minutes -1
says err "checkpoint_minutes: expected 0 or more, got -1"
expect 2 "$CAELUM" train --resume c --epochs 1
says err "$epochs epochs are done already, 1 were asked for in all"
expect 4 "$CAELUM" train --resume nothing
says err "no run to resume"
finish
