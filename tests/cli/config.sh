# Options from files and the environment: what wins, where it says to come from, what is refused.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
user=$XDG_CONFIG_HOME/caelum/config
mkdir -p "$(dirname "$user")"
# is OPTION VALUE ORIGIN: what config says of train
is() {
    "$CAELUM" config train >out 2>err || { echo "FAILED: caelum config train"; cat err; failures=$((failures + 1)); }
    line=$(sed -n "s/^\(# \)\{0,1\}train\.$1 /&/p" out | tr -s ' ')
    [ "$line" = "train.$1 = $2 # $3" ] && return
    echo "FAILED: expected 'train.$1 = $2 # $3', got '$line'"
    failures=$((failures + 1))
}

# each level beats those below
is epochs 50 default
echo 'epochs = 2' >"$user"
is epochs 2 "$user:1"
printf '# a comment\n\n  epochs=3  # another\r\n' >caelum.conf
is epochs 3 caelum.conf:3
printf 'train.epochs = 4\nepochs = 5\n' >"$user"
is epochs 3 caelum.conf:3
printf 'train.epochs = 4\nepochs = 5\n' >caelum.conf
is epochs 4 caelum.conf:1
export CAELUM_EPOCHS=6
is epochs 6 CAELUM_EPOCHS
CAELUM_EPOCHS=
is epochs 4 caelum.conf:1
unset CAELUM_EPOCHS
printf 'epochs = 7\nepochs = 8\n' >caelum.conf
is epochs 8 caelum.conf:2
XDG_CONFIG_HOME=relative
rm caelum.conf
is epochs 4 "$HOME/.config/caelum/config:1"
XDG_CONFIG_HOME=$HOME/.config
rm "$user"

# a training obeys, its flags win, and it remembers a command that does the same without them
printf 'epochs = 1\ndata = synthetic:200\ntrain.loss = huber\nquiet = yes\nvivid = 1\neval.hints = 3\n' >caelum.conf
expect 0 "$CAELUM" train "$net" --out a
holds "quiet" test ! -s err
holds "one epoch" test "$(wc -l <a/metrics.csv)" = 2
holds "huber" grep -qF '"loss": "huber"' a/run.json
holds "the command of a" grep -qF "\"command\": \"caelum train $net --out a --data=synthetic:200 --cache-dir=$CAELUM_CACHE --epochs=1 --loss=huber --quiet=yes\"" a/run.json
expect 0 env CAELUM_BATCH=20 CAELUM_JSON=on "$CAELUM" train "$net" --out b --epochs 2 --loss mse --quiet=no
says err "epoch   2/2"
says out '"epochs": 2'
holds "batch" grep -qF '"batch": "20"' b/run.json
holds "mse" grep -qF '"loss": "mse"' b/run.json
# a resumed run has its own settings
expect 0 env CAELUM_LR=0.5 "$CAELUM" train --resume b --epochs 3
expect 0 env CAELUM_EPOCHS=9 "$CAELUM" train --resume b
holds "no epoch more than the flag asked for" test "$(wc -l <b/metrics.csv)" = 4
holds "lr of b" grep -qF '"lr": "0.001' b/run.json
expect 0 env CAELUM_DATA=synthetic:150 "$CAELUM" config train
says out "train.data = synthetic:150"
says out "# CAELUM_DATA"
rm -f caelum.conf
expect 0 env CAELUM_DATA=synthetic:150 "$CAELUM" eval a/best.safetensors --no-baselines --split test
says out "15 pictures"
expect 0 env CAELUM_CACHE_DIR=elsewhere "$CAELUM" config train
says out "train.cache-dir = elsewhere"
expect 0 "$CAELUM" config train
says out "train.cache-dir = $CAELUM_CACHE"
printf 'hint = 1,2,#ff0000 # red\nhint = 3,4,#00ff00\n' >caelum.conf
expect 0 "$CAELUM" config colorize
says out "colorize.hint = 1,2,#ff0000 "
says out "colorize.hint = 3,4,#00ff00 "
expect 0 "$CAELUM" config --json
says out '"origin": "caelum.conf:2"'
holds "no file is meant for version" [ -z "$(grep '"command": "version"' out)" ]
# what config prints is a file
echo 'schedule = cosine' >caelum.conf
"$CAELUM" config >all || exit 1
grep -v 'cache-dir\|threads\|jobs' all | sed 's/  *# .*//' >caelum.conf
"$CAELUM" config | sed 's/  *# .*//' | grep -v 'cache-dir\|threads\|jobs' >again
holds "config reads what it prints" cmp caelum.conf again

# refused: file and line, and what may have been meant
# refuses TEXT MESSAGE: of train with that file
refuses() {
    printf "$1\n" >caelum.conf
    expect 2 "$CAELUM" train "$net" --out never
    says err "caelum: caelum.conf:$2"
}
refuses 'vivid = 1\nepocs = 3' "2: there is no option 'epocs'; did you mean 'epochs'?"
refuses 'train.vivid = 1' "1: there is no option 'vivid' of caelum train"
refuses 'trian.epochs = 1' "1: there is no command 'trian'; did you mean 'train'?"
refuses 'eval.hint = 3' "1: there is no option 'hint' of caelum eval; did you mean 'hints'?"
refuses 'epochs = three' "1: epochs: expected a whole number, got 'three'"
refuses 'train.loss = mes' "1: loss: expected mse|bce|l1|huber|xent, got 'mes'; did you mean 'mse'?"
refuses 'flip = maybe' "1: flip: expected yes or no, got 'maybe'"
refuses 'lr-gamma = 2' "1: lr_gamma: expected a number above 0, at most 1, got 2"
refuses 'force = yes' "1: force can't be set in a file; give --force on the command line"
refuses 'train.force = yes' "1: force can't be set in a file; give --force on the command line"
refuses '\nepochs 3' "2: expected 'key = value', got 'epochs 3'"
refuses 'epochs =' "1: expected 'key = value', the value is missing"
refuses '= 3' "1: expected 'key = value', the key is missing"
printf 'epochs\0 = 3\n' >caelum.conf
expect 2 "$CAELUM" train "$net" --out never
says err "caelum.conf:1: not text"
expect 2 "$CAELUM" config
# a wrong value is one under a flag too
echo 'epochs = three' >caelum.conf
expect 2 "$CAELUM" train "$net" --epochs 3 --out never
# no file keeps anybody from the help
for words in "help train" "train --help" "--version" "man train" "completion bash"; do
    # shellcheck disable=SC2086
    expect 0 "$CAELUM" $words
done
expect 0 "$CAELUM" help train
says out "[50]"
rm caelum.conf
mkdir caelum.conf
expect 4 "$CAELUM" train "$net" --out never
says err "caelum.conf: can't be read: Is a directory"
rmdir caelum.conf
expect 2 env CAELUM_EPOCHS=three "$CAELUM" train "$net" --out never
says err "caelum: CAELUM_EPOCHS: epochs: expected a whole number, got 'three'"
expect 2 env CAELUM_LR=1000 "$CAELUM" train "$net" --out never
says err "caelum: CAELUM_LR: lr: expected a number above 0, at most 100, got 1000"
expect 2 env CAELUM_FORCE=1 "$CAELUM" train "$net" --out never
says err "CAELUM_FORCE: can't be set in the environment; give --force on the command line"
expect 2 "$CAELUM" config trian
says err "did you mean 'train'?"
holds "nothing was written" test ! -e never
# an argument is never an option's value
echo 'epochs = 1' >caelum.conf
expect 2 "$CAELUM" train
says err "expected one NET, got 0"
# variables that mean something else must not become an option's
for name in cpu models cache log; do
    holds "no option is called --$name" [ -z "$("$CAELUM" config | grep -E "^(# )?[a-z]+\.$name ")" ]
done
rm caelum.conf
# editors put a mark before UTF-8
printf '\357\273\277epochs = 7\n' >caelum.conf
is epochs 7 caelum.conf:1
rm caelum.conf

# the user's file is a comfort: where it can't be read, for HOME may be somebody else's, that is said once
rm -rf "$user" && mkdir "$user"
expect 0 "$CAELUM" config train
says err "caelum: warning: $user: can't be read: Is a directory"
expect 0 "$CAELUM" bench --filter nothing
holds "once" [ "$(grep -c "can't be read" err)" = 1 ]
rmdir "$user" && mkfifo "$user"
expect 0 timeout 20 "$CAELUM" config train
says err "can't be read: not a file"
rm "$user"

# the command is recorded whole, as it could be typed again
here="it's a folder; with \$things"
mkdir "$here" && cp "$net" "$here/my.net"
long=$(printf '%03000d' 0)
expect 0 "$CAELUM" train "$here/my.net" --out $long --out $long --data synthetic:100 --epochs 1 -q --out quoted
cat >quoted.expected <<'END'
"command": "caelum train 'it'\\''s a folder; with $things/my.net' --out 000
END
holds "quotes in it" grep -qFf quoted.expected quoted/run.json
holds "its end" grep -qF -e "0 --data synthetic:100 --epochs 1 -q --out quoted" quoted/run.json
finish
