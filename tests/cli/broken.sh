# Bad input gets a clear error, the right exit status, and leaves nothing behind.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
printf 'input 3\nconv 8 relu\nmaxpol\n' >typo.net
expect 3 "$CAELUM" train typo.net --data synthetic:100 --out run
says err "typo.net:3:1: no layer is called 'maxpol'; did you mean 'maxpool'?"
printf 'input 3\nconv 8 relu\nmaxpool\n' >half.net
expect 3 "$CAELUM" train half.net --data synthetic:100 --out run
says err "the output is 8x16x16, the pictures are 3x32x32"
expect 4 "$CAELUM" train "$net" --data nowhere --out run
says err "nowhere: No such file or directory; expected a directory of pictures, a file or directory of a data set"
holds "no run directory was made" test ! -e run

real=$(real_data)
if [ -n "$real" ]; then
    [ -d "$real/cifar-10-batches-bin" ] && real=$real/cifar-10-batches-bin
    mkdir cut
    cp "$real"/*.bin cut/ && chmod u+w cut/*
    truncate -s -1 cut/data_batch_2.bin
    expect 3 "$CAELUM" train "$net" --data cut --out run
    says err "data_batch_2.bin: 30730000 bytes expected (10000 records of 3073), got 30729999: it ends in record 10000"
    holds "no run directory was made" test ! -e run
    holds "no cache was made" test -z "$(ls cache 2>/dev/null)"
else
    echo "skipped: no CIFAR-10 to cut short; CAELUM_DATA names a place"
fi

# a full disk: no file larger than 8 blocks of 512 bytes can be written
(
    ulimit -f 8
    trap '' XFSZ
    "$CAELUM" train "$net" --data synthetic:100 --epochs 1 --out full
) >out 2>err
holds "exit status 4 on a full disk" test $? = 4
says err "not written"
holds "nothing half-written" test -z "$(find full -name '*.tmp*')"
for file in full/*.safetensors full/*.png; do
    [ -e "$file" ] && holds "$file is small enough to be whole" test "$(wc -c <"$file")" -le 4096
done

expect 3 "$CAELUM" eval "$net" --data synthetic:100
says err "not a safetensors file"
echo hello >hello.png
expect 4 "$CAELUM" reconstruct missing.safetensors hello.png -o o
says err "missing.safetensors: No such file"
finish
