# Choices of a training run: recorded, resumed, refused; divergence keeps what there is.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
expect 0 "$CAELUM" train "$net" --data synthetic:300 --epochs 2 --out a --loss huber --huber-delta 0.2 --optimizer adamw \
    --weight-decay 0.01 --schedule cosine --warmup 1 --clip 1 --ema 0.9 --flip --early-stop 5 -q
for pair in '"loss": "huber"' '"huber_delta": "0.2' '"optimizer": "adamw"' '"weight_decay": "0.01' '"schedule": "cosine"' \
    '"warmup": "1"' '"clip": "1"' '"ema": "0.9' '"flip": "yes"' '"early_stop": "5"' '"epochs": "2"'; do
    holds "run.json has $pair" grep -qF "$pair" a/run.json
done
holds "the step size of an epoch stands in metrics.csv" grep -q ',lr.$' a/metrics.csv
expect 2 "$CAELUM" train --resume a --lr 0.1
says err "--lr can't change with --resume: the run knows its own"
expect 2 "$CAELUM" train --resume a -b 10
says err "--batch can't change with --resume"
expect 2 "$CAELUM" train --resume a --flip
says err "--flip can't change with --resume"
expect 0 "$CAELUM" train --resume a --epochs 3 --threads 1 -q
expect 0 "$CAELUM" train "$net" --data synthetic:300 --epochs 40 --lr 0.03 --early-stop 1 --out early -q
says out "ended early: no lower validation loss for 1 epochs"
expect 2 "$CAELUM" train "$net" --warmup 50 --out never
says err "warmup: expected less than the 50 epochs of the run, got 50"
expect 2 "$CAELUM" train "$net" --ema 1 --out never
says err "ema: expected a number from 0"
expect 2 "$CAELUM" train "$net" --schedule linear --out never
says err "--schedule: expected constant|step|cosine|onecycle|plateau, got 'linear'"
holds "nothing was written" test ! -e never

# only looking for a step size
expect 0 "$CAELUM" train "$net" --data synthetic:600 --lr-find
says out "the loss falls fastest at"
says out "chart runs/standard-lr-find/lr_find.svg"
holds "nothing is trained" test ! -e runs/standard-lr-find/best.safetensors
expect 0 "$CAELUM" train "$net" --data synthetic:600 --lr-find --json --out json
says out '"suggestion": 0.'
expect 4 "$CAELUM" train "$net" --data synthetic:600 --lr-find
says err "runs/standard-lr-find exists already"

# one linear layer whose step size rises until the loss explodes
printf 'input 3\nconv 3\n' >linear.net
expect 6 "$CAELUM" train linear.net --data synthetic:300 --optimizer sgd --momentum 0 --lr 1 --warmup 20 --epochs 40 --out d
says err "training diverged: the mean loss rose to"
says err "try a smaller learning rate"
epochs=$(($(wc -l <d/metrics.csv) - 1))
holds "the last epoch is $epochs in the message too" grep -qF "what epoch $epochs left is kept" err
expect 0 "$CAELUM" eval d/last.safetensors --data synthetic:300 --split validation
expect 6 "$CAELUM" train --resume d -q
# over an old run, in the first epoch: nothing of the old one is left, the new one can be resumed
expect 6 "$CAELUM" train linear.net --data synthetic:300 --optimizer sgd --lr 100 --out d --force
says err "the run is saved as it began"
holds "no model of the old run" test ! -e d/best.safetensors
expect 6 "$CAELUM" train --resume d -q
finish
