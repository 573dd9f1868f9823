# serve: the page and runs on loopback, for clients of all kinds (serve_clients.py); what can't be served is said.
. "$SOURCE_DIR/tests/cli/lib.sh"
"$CAELUM" version | grep -q ' microhttpd' || {
    expect 2 "$CAELUM" serve
    says err "this build has no server"
    echo "no libmicrohttpd in this build: nothing more was tried"
    finish
}
expect 2 "$CAELUM" serve one two
says err "expected one directory of runs, got 2"
expect 2 "$CAELUM" serve --port 65536
says err "--port: expected 0 to 65535"
expect 4 "$CAELUM" serve nowhere
says err "nowhere: is no directory"
[ -e "$BUILD_DIR/caelum.html" ] || { echo "the page was not built: nothing more was tried"; finish; }
python3=/usr/bin/python3
[ -x $python3 ] || { echo "no python3 here: nothing more was tried"; finish; }

printf 'input 4\nspace_to_depth 2\nconv 12\ndepth_to_space 2\n' >denoiser.net
expect 0 "$CAELUM" train denoiser.net --task denoise --data synthetic:100 --epochs 1 --out runs/first -q
cp runs/first/best.safetensors denoiser.safetensors
export CAELUM_MODELS=.
cp "$SOURCE_DIR/models/standard.net" .
"$CAELUM" data export synthetic:10 --split train -o in >/dev/null || exit 1
first=$(ls in | head -1)
expect 0 "$CAELUM" denoise "in/$first" -o done
# a hidden directory, a file, a link out of the run: not shown
mkdir runs/.hidden runs/empty
cp runs/first/metrics.csv runs/.hidden
echo secret >secret
ln -s ../../secret runs/first/reconstructions.png

# a sanitizer, if there is one, keeps little of what was freed
ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1" "$CAELUM" serve runs --port 0 >served 2>&1 &
server=$!
trap 'kill $server; rm -rf "$scratch"' EXIT
until_it $server grep -q http served
at=$(sed -n 's|^http://\([^/]*\)/.*|\1|p' served)
expect 4 "$CAELUM" serve runs --port "${at#*:}"
says err "port ${at#*:} is in use; --port 0 takes one that is free"
expect 0 $python3 "$SOURCE_DIR/tests/cli/serve_clients.py" "$at" $server runs "in/$first" "done/$first"
cat out
trap 'rm -rf "$scratch"' EXIT
kill -TERM $server
wait $server
holds "a signal ends it well" [ $? = 0 ]

# train --open: the address goes to a desktop's browser, and the result to standard output as ever
mkdir desktop
printf '#!/bin/sh\necho "$1" >%s/opened\n' "$scratch" >desktop/xdg-open
chmod +x desktop/xdg-open
expect 0 env PATH="$scratch/desktop:$PATH" DISPLAY=:9 "$CAELUM" train standard.net --data synthetic:100 --epochs 1 --out runs/third --open --json
says err "/#runs shows the run until it ends"
holds "a browser gets the address" grep -q '^http://127.0.0.1:[0-9]*/#runs$' opened
holds "the result is JSON" python3 -m json.tool out /dev/null
expect 2 "$CAELUM" train standard.net --data synthetic:100 --lr-find --open
says err "--lr-find makes no run that --open could show"
expect 0 "$CAELUM" train --resume runs/third --epochs 2 --open -q
finish
