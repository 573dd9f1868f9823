# A study from end to end: what is run, what is not run again, killing, mistakes, the report.
. "$SOURCE_DIR/tests/cli/lib.sh"
study=$SOURCE_DIR/studies/example.study

# the worked example of docs/studies.md
first=$(grep -n '^    title' "$SOURCE_DIR/docs/studies.md" | cut -d: -f1)
sed -n "$first,\$p" "$SOURCE_DIR/docs/studies.md" | head -n "$(wc -l <"$study")" | sed 's/^    //' >shown
holds "docs/studies.md shows studies/example.study" cmp shown "$study"
expect 0 "$CAELUM" study "$study" --out whole
says out "4 of 4 runs finished, 4 of them now"
says err "4/4  "
for run in narrow-s1 standard-s1 narrow-s2 standard-s2; do
    for file in run.json metrics.csv best.safetensors eval.json reconstructions.png; do
        holds "whole/runs/$run/$file is there" test -s whole/runs/$run/$file
    done
done
holds "a run's model is that of caelum train" sh -c '
    "$CAELUM" train "$SOURCE_DIR/models/standard.net" --data synthetic:200 --epochs 3 --batch 20 --limit 200 --seed 2 \
        --out alone -q >/dev/null && cmp alone/last.safetensors whole/runs/standard-s2/last.safetensors'

# a second time nothing is run
before=$(cksum whole/runs/*/*)
expect 0 "$CAELUM" study "$study" --out whole
says out "4 of 4 runs finished, 0 of them now"
holds "finished runs are left alone" test "$(cksum whole/runs/*/*)" = "$before"
expect 0 "$CAELUM" study "$study" narrow --out part --jobs 1 --json
says out '"finished": 2'
holds "one after the other gives the same bits" cmp part/runs/narrow-s1/best.safetensors \
    whole/runs/narrow-s1/best.safetensors

# the first line that is drawn knows no pace yet
expect 0 "$CAELUM" study "$study" narrow --out drawn --progress always
holds "no time is told before there is a pace" sh -c "tr '\\r' '\\n' <err | grep -m1 ' left ' | grep -qF ' ? left'"

# a study of N epochs, killed without warning, resumed and asked to stop; false where this shell was too slow
# to do it in time
interrupted() {
    sed "s/epochs=3/epochs=$1/; s/limit=200/limit=0/; s/synthetic:200/synthetic:1000:16/; s|\.\./|$SOURCE_DIR/|" \
        "$study" >long.study
    rm -rf b
    start -9 3
    [ ! -e b/runs/standard-s2/eval.json ] || return
    begun=$(sed -n 's/^\([a-z]*-s1\)  epoch   1.*/\1/p' log)
    start -TERM 2 # an interrupt is ignored by whatever a shell starts in the background
    [ $status = 143 ]
}
# start SIGNAL EPOCHS: sends the signal after that number of epochs; sets status
start() {
    : >log
    "$CAELUM" study long.study --out b -v >stopped 2>log &
    pid=$!
    until_it $pid lines_of "$2" epoch log
    kill "$1" $pid 2>/dev/null
    wait $pid 2>/dev/null
    status=$?
}
interrupted 24 || interrupted 120 || interrupted 600
holds "killed in the middle, then exit status 143 after SIGTERM" test "$status" = 143
"$CAELUM" study long.study --out a -q >/dev/null
for run in $begun; do
    holds "$run is resumed, not begun again" sh -c "! grep -q '^$run  epoch   1/' log"
done
holds "it says how to resume" grep -q "stopped; the same command resumes" stopped
holds "the report says what is not finished" grep -q "not finished: \|not run" b/report/index.html
expect 0 "$CAELUM" study long.study --out b
for run in narrow-s1 standard-s1 narrow-s2 standard-s2; do
    holds "$run: killed, stopped and resumed gives the same as an uninterrupted run" \
        cmp a/runs/$run/last.safetensors b/runs/$run/last.safetensors
done

# another training in the directory
sed 's/batch=20/batch=25/' long.study >other.study
before=$(cksum a/runs/*/*)
expect 4 "$CAELUM" study other.study --out a
says err "a/runs/narrow-s1 holds another training: batch is 20 there, 25 here"
holds "and is left alone" test "$(cksum a/runs/*/*)" = "$before"
sed 's/^conv 4/conv 5/' "$SOURCE_DIR/tests/cli/narrow.net" >narrow.net
sed "s|run narrow .*|run narrow narrow.net|" long.study >net.study
expect 4 "$CAELUM" study net.study narrow --out a
says err "its network is another one"
expect 0 "$CAELUM" study net.study --out a --report
says_page() { holds "the report says: $1" grep -qF -e "$1" a/report/index.html; }
says_page "not run: its directory holds another training, its network is another one"

# a directory that is no UTF-8, has a blank and a long path: nothing is cut or lost
odd=$(printf 'o\344 d')/$(printf '%0200d/%0200d/%0200d' 0 0 0)
expect 0 "$CAELUM" study "$study" narrow --out "$odd" --json
says out '"out": "o\\xe4 d/0000'
expect 0 "$CAELUM" study "$study" narrow --out "$odd"
says out "2 of 2 runs finished, 0 of them now"
holds "its commands are whole" grep -qF "/runs/narrow-s2'\"," "$odd/report/results.json"

# one run that fails does not stop the others
mkdir -p f/runs
: >f/runs/narrow-s1
expect 4 "$CAELUM" study "$study" --out f
says err "narrow-s1: "
says out "3 of 4 runs finished"
holds "the others are finished" test -s f/runs/standard-s2/eval.json

# mistakes
expect 4 "$CAELUM" study nothing.study
says err "nothing.study: No such file"
printf 'section s "S"\nrun a standard.net bach=50\n' >bad.study
expect 3 "$CAELUM" study bad.study
says err "bad.study:2:20: no option of a run is called 'bach'"
printf 'section s "S"\nrun a nothing.net\n' >bad.study
expect 4 "$CAELUM" study bad.study
says err "bad.study:2: run a: "
expect 2 "$CAELUM" study "$study" nobody
says err "there is no run 'nobody' in it"

# the report
page=whole/report/index.html
for file in index.html study.md results.json; do
    holds "whole/report/$file is there" test -s whole/report/$file
done
holds "the page is well formed" awk -f "$SOURCE_DIR/tests/cli/wellformed.awk" "$page"
holds "it loads nothing" sh -c '! grep -oE "(src|href)=\"[^\"]{0,12}" '$page' | grep -vE "\"(data:image|#)"'
holds "and has no script, import or url()" sh -c '! grep -qiE "<script|<link|@import|url\(" '$page
for run in narrow standard; do
    holds "it has a row for $run" grep -q "<th scope=\"row\">$run</th>" $page
    holds "and a command for each seed" test "$(grep -c "caelum train .*/$run-s[12]$" $page)" = 2
done
holds "results.json has every training" test "$(grep -c '"seed":' whole/report/results.json)" = 4
holds "the claim is judged" grep -qF "more channels are better" whole/report/study.md

# runs compared
expect 0 "$CAELUM" compare whole/runs/* -o compare.html
says out "narrow-s2"
says out "test_mse"
holds "the comparison is well formed" awk -f "$SOURCE_DIR/tests/cli/wellformed.awk" compare.html
expect 0 "$CAELUM" compare whole/runs/* -o compare.svg --json
says out '"parameters": 4911'
expect 2 "$CAELUM" compare whole/runs/standard-s1 -o compare.txt
expect 4 "$CAELUM" compare nothing
says err "nothing is no run directory"

# everything of the real study, quickly, on generated pictures, by which nothing is judged
unjudged() {
    for file in $1/report/index.html $1/report/study.md; do
        holds "$file says why it judges nothing" grep -qF "$2" $file
        holds "$file judges nothing" sh -c "! grep -qiE 'reproduced|surpassed|so here|Correlation' $file"
        holds "$file has no published figures" sh -c "! grep -qF 'the Keras study' $file"
    done
    holds "nor do the figures for programs" sh -c "! grep -E '\"verdict\": ' $1/report/results.json | grep -qv '\"open\"'"
}
expect 0 "$CAELUM" study "$SOURCE_DIR/studies/assignment.study" shallower --report --data synthetic:300 --out none
unjudged none "Generated pictures stand in"
[ "$LONG" ] || finish
expect 0 "$CAELUM" study --data synthetic:300 --quick --out quick
unjudged quick "A quick pass"
for run in $(sed -n 's/^run \([^ ]*\).*/\1/p' "$SOURCE_DIR/studies/assignment.study"); do
    holds "quick: a row for $run" grep -q "<th scope=\"row\">$run[ <]" quick/report/index.html
done
holds "the quick page is well formed" awk -f "$SOURCE_DIR/tests/cli/wellformed.awk" quick/report/index.html
finish
