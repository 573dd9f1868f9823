# Event files: what a reader of its own, which knows the format from TensorFlow's sources alone, finds in them.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
"$CAELUM" --version | grep -q protobuf || { echo "skipped: built without protobuf-c"; exit 77; }
[ -x /usr/bin/python3 ] || { echo "skipped: no /usr/bin/python3"; exit 77; }
# reads DIR SHEET FILES TORN: that the events of DIR are those of its other files
reads() { expect 0 /usr/bin/python3 "$SOURCE_DIR/tests/reference/read_events.py" "$@"; }

expect 0 "$CAELUM" train "$net" --data synthetic:200 --epochs 2 --out a
reads a reconstructions 1 0
says out "caelum train $net --data synthetic:200 --epochs 2 --out a"
if command -v protoc >/dev/null; then
    # the first record's payload is 24 bytes, as in every event file
    tail -c +13 a/events.* | head -c 24 | protoc --decode_raw >decoded
    holds "protoc reads the first event" grep -qx '3: "brain.Event:2"' decoded
fi

# an epoch is done again, since its checkpoint did not come to be; the second time its event is torn as well
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH
expect 0 "$CAELUM" train "$net" --data synthetic:200 --epochs 1 --out b
cp b/checkpoint.safetensors first
expect 0 "$CAELUM" train --resume b --epochs 2
for file in b/events.*00.*; do tail -c +72 b/events.*01.* >>"$file"; done # all but version and START: as of one run
rm b/events.*01.*
cp first b/checkpoint.safetensors
expect 0 "$CAELUM" train --resume b --epochs 2
reads b reconstructions 2 0
holds "eight figures and a sheet were orphans" grep -qx 'dropped 9' out
cp first b/checkpoint.safetensors
for file in b/events.*01.*; do
    head -c 250 "$file" >half
    mv half "$file"
done
expect 0 "$CAELUM" train --resume b --epochs 3
reads b reconstructions 3 1
holds "the files are in order, though all are of one second" test \
    "$(ls b | sed -n 's/^events.*tfevents\.\([0-9]*\)\..*/\1/p' | tr '\n' ' ')" = "1700000000 1700000001 1700000002 "
unset SOURCE_DATE_EPOCH

# a new run leaves nothing of the old one, and a colorizer has its own sheet
expect 0 "$CAELUM" train "$SOURCE_DIR/models/colorize.net" --task colorize --data synthetic:200 --epochs 1 \
    --out b --force
reads b colorizations 1 0

# the reader does see what is wrong
cp -r a bad
sed -i 's/^2,0/2,1/' bad/metrics.csv
expect 1 /usr/bin/python3 "$SOURCE_DIR/tests/reference/read_events.py" bad reconstructions 1 0
says err "loss/train at 2 is"
for file in bad/events.*; do sed -i 's/accuracy/accurate/' "$file"; done
expect 1 /usr/bin/python3 "$SOURCE_DIR/tests/reference/read_events.py" bad reconstructions 1 0
says err "checksum of a record"

expect 2 env SOURCE_DATE_EPOCH=today "$CAELUM" train "$net" --data synthetic:200 --epochs 1 --out c
says err "SOURCE_DATE_EPOCH=today: expected seconds since 1970"
finish
