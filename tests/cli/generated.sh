# Manual pages and completions: made from the tables, valid and complete.
. "$SOURCE_DIR/tests/cli/lib.sh"
commands=$("$CAELUM" help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
holds "help lists commands" test "$(echo "$commands" | wc -l)" -ge 17
# options_of COMMAND: the long names in its help
options_of() { "$CAELUM" help "$1" | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p'; }

# manual pages: every command, every option
expect 0 "$CAELUM" man
cp out caelum.1
for command in $commands; do
    says out ".Xr caelum-$command 1"
    says out ".It Cm $command"
    "$CAELUM" man "$command" >"caelum-$command.1" || exit 1
    for option in $(options_of "$command"); do
        name=$(echo "$option" | sed 's/-/\\-/g')
        holds "caelum-$command(1) has --$option" grep -qF -e "Fl \"\\-$name\"" "caelum-$command.1"
    done
done
for status in 0 1 2 3 4 6 7; do says out ".It \"$status\""; done
says out '.It Ev "CAELUM_CPU"'
says out '.It Pa "./caelum.conf"'
expect 2 "$CAELUM" man trian
says err "did you mean 'train'?"
holds "the pages don't depend on the machine" grep -q 'The default is the processors at hand' caelum-train.1
if command -v mandoc >/dev/null; then
    expect 0 mandoc -Tlint -Wwarning ./*.1
    holds "mandoc has nothing to say" test ! -s out
    mandoc -Tascii caelum-train.1 | sed 's/.\x08//g' >page
    holds "caelum-train(1) reads well" grep -q -e '-e N, --epochs N' page
else
    echo "mandoc is not there: the pages were not checked by it"
fi

# completions
expect 2 "$CAELUM" completion
expect 2 "$CAELUM" completion tcsh
says err "expected bash, zsh or fish, got 'tcsh'"
for shell in bash zsh fish; do
    "$CAELUM" completion $shell >script.$shell || exit 1
    for command in $commands; do
        for option in $(options_of "$command"); do
            holds "$shell completes $command --$option" grep -q -e "[ '-]$option[] '=[}]" script.$shell
        done
    done
    # the shell itself, where it is there
    if command -v $shell >/dev/null; then expect 0 $shell -n script.$shell; else echo "$shell is not there: not tried"; fi
done

# bash: what is offered behind these words, the last of which is being typed
cat >ask <<'E2'
source ./script.bash
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_caelum
echo "${COMPREPLY[*]}"
E2
# offers WORDS... -- EXPECTED
offers() {
    expected=$1
    shift
    got=$(bash ask "$@")
    [ "$got" = "$expected" ] && return
    echo "FAILED: behind '$*' bash offers '$got', expected '$expected'"
    failures=$((failures + 1))
}
if command -v bash >/dev/null; then
    offers "train" caelum tr
    offers "compare completion" caelum comp
    offers "--huber-delta --help" caelum train --h
    offers "mse" caelum train x.net --loss m
    offers "adam adamw" caelum train --optimizer = ad
    offers "adam adamw sgd rmsprop muon" caelum train --optimizer =
    offers "" caelum train --data so
    offers "" caelum train mod
    offers "info cache export fetch" caelum data ""
    offers "bash zsh fish" caelum completion ""
    offers "train" caelum help tra
    offers "png jpg webp" caelum colorize old.jpg --format ""
    offers "auto always" caelum eval --color a
    offers "" caelum bench --rounds ""
fi
if command -v zsh >/dev/null; then
    # _caelum with the functions that it calls replaced: what it hands to them
    cat >ask.zsh <<'E2'
_describe() { print -r -- ${(P)2}; }
_arguments() { print -rl -- $@; }
compdef() { :; }
source ./script.zsh
words=(caelum) CURRENT=2; _caelum
words=(caelum train '') CURRENT=3; _caelum
words=(caelum data '') CURRENT=3; _caelum
E2
    expect 0 zsh -f ask.zsh
    says out "train:train a network on pictures"
    says out "--loss=[what is minimized"
    says out "(mse bce l1 huber xent)"
    says out "1:word:(info cache export fetch)"
fi
if command -v fish >/dev/null; then
    # answers WORD LINE: that fish offers it there
    answers() { fish -N -c "source script.fish; complete -C '$2'" 2>/dev/null | grep -q -e "^$1" ; }
    holds "fish: commands" answers train "caelum tr"
    holds "fish: options" answers --huber-delta "caelum train --hub"
    holds "fish: words" answers adamw "caelum train --optimizer ad"
    holds "fish: words of data" answers export "caelum data "
fi

# what the build has written is what the program prints
share=$(dirname "$CAELUM")/share
if [ -d "$share" ]; then
    holds "one page a command and one for all" test "$(ls "$share/man/man1" | wc -l)" = "$(($(echo "$commands" | wc -l) + 1))"
    holds "share has the page" cmp "$share/man/man1/caelum-train.1" caelum-train.1
    holds "share has bash's script" cmp "$share/bash-completion/completions/caelum" script.bash
    holds "share has zsh's script" cmp "$share/zsh/site-functions/_caelum" script.zsh
    holds "share has fish's script" cmp "$share/fish/vendor_completions.d/caelum.fish" script.fish
fi
finish
