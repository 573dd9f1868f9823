# caelum data fetch, from servers on loopback that cut, lie, refuse and say nothing (fetch_server.py); $SHAM is the program
# with a table of data sets that these have. Nothing here asks for more than loopback.
. "$SOURCE_DIR/tests/cli/lib.sh"
: "${SHAM:?program with the table of sham/data_sets.c}"
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
"$CAELUM" version | grep -q ' curl' || {
    expect 2 "$CAELUM" data fetch mnist -o mnist
    says err "made without libcurl"
    echo "no libcurl in this build: nothing more was tried"
    finish
}

# words, without any server
expect 2 "$CAELUM" data fetch
says err "fetch: expected cifar-10|cifar-100|mnist|fashion-mnist|stl-10, got ''"
expect 2 "$CAELUM" data fetch cifar10
says err "did you mean 'cifar-10'?"
expect 2 "$CAELUM" data fetch mnist --from nearby
says err "from: expected http://..., https://... or file:///..., got 'nearby'"
expect 4 "$CAELUM" data info cifar-10
says err "\`caelum data fetch cifar-10\` gets it"
expect 5 env https_proxy=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 "$CAELUM" data fetch cifar-10
says err "cifar-10-binary.tar.gz: no server can be reached; is this machine offline?; --from"
says err "https://www.cs.toronto.edu/~kriz: Failed to connect to 127.0.0.1"
holds "nothing is left" [ -z "$(find home -type f)" ]

python3=/usr/bin/python3
[ -x $python3 ] || { echo "no python3 here: nothing from a server was tried"; finish; }
$python3 "$SOURCE_DIR/tests/cli/fetch_server.py" log port >server 2>&1 &
server=$!
trap 'kill $server; rm -rf "$scratch"' EXIT
until_it $server test -e port
[ -e port ] || { cat server; exit 1; }
at=http://127.0.0.1:$(cat port)
# sums DIRECTORY: that the files there are whole, and nothing else is
sums() {
    (cd "$1" && sha256sum -c --quiet <<END
2ee2be7bd31d1be83b275093f427f44402e04e5d78936d0f6b0dd8b7f2226a19  images.gz
6a8b741d56eca002a9040598c22f75a981ebb55f7d4d74726740fb8d1ec38c16  labels.gz
END
    ) && [ "$(find "$1" | wc -l)" = 3 ]
}
more_than() { [ "$(wc -c 2>/dev/null <"$2" || echo 0)" -gt "$1" ]; }
# right MODE N: that a fetch from this server succeeds, having asked for images.gz N times
right() {
    : >log
    expect 0 "$SHAM" data fetch pictures --from "$at/$1" -o "$1"
    holds "$1: files as published" sums "$1"
    holds "$1: $2 requests" lines_of "$2" images.gz log
    holds "$1: no more" [ "$(grep -c images.gz log)" = "$2" ]
}
right ok 1
says out "pictures is here as published; use it by --data ok"
: >log
expect 0 "$SHAM" data fetch pictures --from "$at/none" -o ok
holds "what is there is not fetched again" [ ! -s log ]
right cut 4
holds "it asks for what is missing" grep -q 'bytes=75000-' log
holds "and for no more each time" grep -q 'bytes=225000-' log
right norange-cut 4 # each time a quarter comes, only the fourth time all
right redirect 3
right changed 5 # a part of another file, three quarters of this one, a wrong sum; then the whole
right unsized 1

# wrong MODE WORDS: that a fetch from this server fails with these words and leaves nothing
wrong() {
    expect 5 "$SHAM" data fetch pictures --from "$at/$1" -o "$1"
    says err "images.gz: not fetched; $at/$1: $2"
    holds "$1: nothing is left" [ -z "$(find "$1" -type f)" ]
}
wrong none "The requested URL returned error: 404"
wrong wrong "its bytes are not those that were published"
wrong short "it has 299999 bytes there, 300000 expected"
wrong long "it has 300004 bytes there, 300000 expected"
wrong endless "it has more than 300000 bytes there"
wrong page "it has fewer than 300000 bytes there"
wrong round "Maximum (10) redirects followed"
# partly MODE WORDS: that it fails with these words, and 1000 bytes are kept, which the next call takes up
partly() {
    expect 5 "$SHAM" data fetch pictures --from "$at/$1" -o "$1"
    says err "$2"
    says err "1000 of 300000 bytes have come, and the same command continues from there"
    holds "$1: they are kept" [ "$(wc -c <"$1/images.gz.part")" = 1000 ]
    : >log
    expect 0 "$SHAM" data fetch pictures --from "$at/ok" -o "$1"
    holds "$1: the rest is asked for" grep -q 'images.gz bytes=1000-' log
    holds "$1: files as published" sums "$1"
}
partly gone "transfer closed with"
mkdir silent && head -c 1000 gone/images.gz >silent/images.gz.part
export PATIENCE=1
partly silent "$at/silent: silent for 1 s"
unset PATIENCE
# a disk that is full after 1 MB, or rather a limit of files' length: of blocks of 512 bytes
expect 4 sh -c 'trap "" XFSZ; ulimit -f 200; exec "$0" "$@"' "$SHAM" data fetch pictures --from "$at/ok" -o full
says err "full/images.gz.part: can't be written: File too large; it will have 300000 bytes"
says err "102400 of 300000 bytes have come, and the same command continues from there"
expect 0 "$SHAM" data fetch pictures --from "$at/ok" -o full
holds "with more room: files as published" sums full

# what is there under the names
mkdir other && echo mine >other/images.gz
expect 4 "$SHAM" data fetch pictures --from "$at/ok" -o other
says err "other/images.gz is there, but it is not the published file; move it away and fetch again"
holds "it is as it was" grep -q mine other/images.gz
rm other/images.gz && mkfifo other/images.gz.part
expect 4 "$SHAM" data fetch pictures --from "$at/ok" -o other
says err "other/images.gz.part: not a regular file"
holds "a pipe is left alone" test -p other/images.gz.part
rm other/images.gz.part && ln -s ../ok/images.gz other/images.gz.part
expect 4 "$SHAM" data fetch pictures --from "$at/ok" -o other
says err "other/images.gz.part: can't be written: Too many levels of symbolic links"
holds "a link is left alone" test -L other/images.gz.part
seq 100000 >ok/images.gz.part && rm ok/images.gz
expect 0 "$SHAM" data fetch pictures --from "$at/ok" -o ok
holds "a part that is too long: files as published" sums ok
expect 0 "$SHAM" data fetch pictures --from "file://$scratch/ok" -o file
holds "from a directory: files as published" sums file
head -c 1000 ok/images.gz >file/images.gz.part && rm file/images.gz
expect 0 "$SHAM" data fetch pictures --from "file://$scratch/ok" -o file
holds "from a directory, the rest: files as published" sums file
touch plain
expect 4 "$SHAM" data fetch pictures --from "$at/ok" -o plain
says err "plain"

# the table's servers, through a proxy: the first has nothing
: >log
expect 0 env http_proxy="$at" "$SHAM" data fetch pictures
says out "use it by --data pictures"
holds "one after the other" grep -q '^first.invalid /one/images.gz -$' log
holds "then the second" grep -q '^second.invalid /two/images.gz -$' log
holds "in the user's directory: files as published" sums home/.local/share/caelum/pictures

# a data set of CIFAR-10's form, killed three times in three ways; then it is found
: >log
part=home/.local/share/caelum/cifar-10/cifar-10-binary.tar.gz.part have=0
for wanted in 130 143 137; do
    env --default-signal=INT "$SHAM" data fetch cifar-10 --from "$at/slow" >out 2>err &
    process=$!
    until_it $process more_than "$have" $part
    kill -$((wanted - 128)) $process
    wait $process
    status=$?
    holds "ended by this signal, $wanted" [ $status = $wanted ]
    have=$(wc -c <$part)
    [ $wanted = 137 ] || says err "of 184405768 bytes have come, and the same command continues from there"
done
expect 0 "$SHAM" data fetch cifar-10 --from "$at/ok"
holds "each time from where it was" [ "$(grep -c 'cifar-10-binary.tar.gz bytes=[1-9]' log)" = 3 ]
holds "the archive as published" grep -q afdd28ad02c2b2f89e4ff42b35addf6e69dae38d363b1dc0d657345642bf77ff \
    "$(sha256sum home/.local/share/caelum/cifar-10/cifar-10-binary.tar.gz >sum; echo sum)"
expect 0 "$SHAM" train "$SOURCE_DIR/models/standard.net" --limit 100 --epochs 1 -q
holds "train finds it" grep -q '"data_spec": "[^"]*/caelum/cifar-10/cifar-10-binary.tar.gz"' runs/standard/run.json
expect 0 "$SHAM" data cache cifar-10
says out "60000 pictures are ready"
mkdir cifar-10 && cp -r ok/. cifar-10
expect 4 "$SHAM" data cache cifar-10
says err "cifar-10"
expect 0 env CAELUM_DATA=synthetic:200 "$SHAM" data cache
says out "200 pictures are ready"
finish
