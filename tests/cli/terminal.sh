# Colors, progress and binary on a terminal and elsewhere; closed pipes; versions.
. "$SOURCE_DIR/tests/cli/lib.sh"
esc=$(printf '\033')
# colored|plain out|err: the last command's
colored() { holds "colors in $1 ($2)" grep -q "$esc\[" "$1"; }
plain() { holds "no colors in $1 ($2)" [ -z "$(grep "$esc\[" "$1")" ]; }

# no terminal
TERM=xterm
export TERM
expect 2 "$CAELUM" train --color=always
colored err "flag"
expect 2 env NO_COLOR=1 "$CAELUM" train --color always
colored err "a flag beats NO_COLOR"
expect 2 "$CAELUM" train
plain err "no terminal"
for force in CLICOLOR_FORCE=1 FORCE_COLOR=1 "FORCE_COLOR=3 TERM=dumb" CAELUM_COLOR=always; do
    # shellcheck disable=SC2086
    expect 2 env $force "$CAELUM" train
    colored err "$force"
done
for never in "FORCE_COLOR=1 NO_COLOR=1" "CLICOLOR_FORCE=1 NO_COLOR=1" FORCE_COLOR=0 CLICOLOR_FORCE= \
    "FORCE_COLOR=1 CAELUM_COLOR=never"; do
    # shellcheck disable=SC2086
    expect 2 env $never "$CAELUM" train
    plain err "$never"
done
expect 2 env FORCE_COLOR=1 "$CAELUM" train --color never
plain err "flag"
expect 0 env FORCE_COLOR=1 "$CAELUM" help train
colored out "help"
expect 2 env FORCE_COLOR=1 "$CAELUM" trian
colored err "before any option"
echo 'color = always' >caelum.conf
expect 2 "$CAELUM" trian
colored err "a file, before any option"
expect 4 env NO_COLOR=1 "$CAELUM" inspect no.net
colored err "a file beats NO_COLOR"
rm caelum.conf
expect 2 "$CAELUM" train --color=alwys x.net
says err "color: expected auto|always|never, got 'alwys'; did you mean 'always'?"

# versions
expect 0 "$CAELUM" -q -V
version=$(cat out)
holds "a bare number: $version" [ -z "$(echo "$version" | tr -d 0-9.)" ]
for words in -qV "-V -q" "version -q" "--version --quiet"; do
    # shellcheck disable=SC2086
    expect 0 "$CAELUM" $words
    holds "$words" test "$(cat out)" = "$version"
done
expect 0 "$CAELUM" version
says out "caelum $version"
expect 0 "$CAELUM" version --json
for key in version compiler kernels parts instruction_set threads; do says out "\"$key\": "; done
says out "\"version\": \"$version\""
expect 2 "$CAELUM" version x

# one line an epoch elsewhere than on a terminal, none when quiet
net=$SOURCE_DIR/models/standard.net
expect 0 "$CAELUM" train "$net" --data synthetic:200 --epochs 2 --out a
holds "one line an epoch" test "$(grep -c '^epoch   [12]/2 ' err)" = 2
holds "nothing is redrawn" [ -z "$(tr -cd '\r' <err)" ]
expect 0 "$CAELUM" train "$net" --data synthetic:200 --epochs 1 --out b --progress always
holds "redrawn" [ -n "$(tr -cd '\r' <err)" ]
expect 0 "$CAELUM" train "$net" --data synthetic:200 --epochs 1 --out c -q --color always
holds "quiet" test ! -s err

# the reader has gone: no message, and the status of SIGPIPE
until_nobody_reads() { (trap '' PIPE; while echo; do sleep 0.02; done) 2>/dev/null; }
{ until_nobody_reads; "$CAELUM" man train 2>pipe.err; echo $? >pipe.status; } | true
holds "ended by SIGPIPE" test "$(cat pipe.status)" = 141
holds "no message" test ! -s pipe.err
{ trap '' PIPE; until_nobody_reads; "$CAELUM" man train 2>pipe.err; echo $? >pipe.status; } | true
holds "SIGPIPE ignored: status 4" test "$(cat pipe.status)" = 4
holds "SIGPIPE ignored: no message" test ! -s pipe.err
if [ -w /dev/full ]; then
    "$CAELUM" man train >/dev/full 2>err
    holds "a full disk: status 4" test $? = 4
    says err "could not be written"
fi

# on a terminal, which script(1) makes
if ! command -v script >/dev/null; then
    echo "script is not there: nothing was tried on a terminal"
    finish
fi
# terminal COMMAND: what it said on a terminal is in out
terminal() { script -qec "$1" /dev/null >out 2>&1 </dev/null; }
terminal "'$CAELUM' train"
colored out "terminal"
terminal "TERM=dumb '$CAELUM' train"
plain out "dumb terminal"
terminal "NO_COLOR=1 '$CAELUM' train"
terminal "TERM=dumb '$CAELUM' train '$net' --data synthetic:200 --epochs 1 --out e"
plain out "progress on a dumb terminal"
holds "nothing is redrawn on it" test "$(tr -cd '\r' <out | wc -c)" = "$(tr -cd '\n' <out | wc -c)"
says out "epoch   1/1  loss"
plain out "NO_COLOR on a terminal"
terminal "'$CAELUM' help train >plain; '$CAELUM' help"
colored out "stdout is the terminal"
plain plain "stdout is a file"
terminal "'$CAELUM' train '$net' --data synthetic:2000 --epochs 1 --out d"
says out "epoch   1/1 ["
says out "epoch   1/1  loss"
says out "$esc[32m  best"
printf 'P' >picture
if terminal "'$CAELUM' colorize --model '$SOURCE_DIR/models/colorize.safetensors' - <picture"; then
    echo "FAILED: a picture went to a terminal"
    failures=$((failures + 1))
fi
says out "the picture would go to the terminal"
terminal "'$CAELUM' colorize --model '$SOURCE_DIR/models/colorize.safetensors' --force - <picture"
says out "standard input: not a PNG, JPEG, WebP or TIFF picture"
finish
