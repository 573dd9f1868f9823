# The README's commands run (on fewer pictures and epochs, one run of the study), and the table that it shows is the one printed.
. "$SOURCE_DIR/tests/cli/lib.sh"
ln -s "$SOURCE_DIR/models" models
ln -s "$SOURCE_DIR/studies" studies
ln -s "$SOURCE_DIR/docs" docs
mkdir build && ln -s "$CAELUM" build/caelum
"$CAELUM" data export synthetic:100 --split train --count 60 -o photos >/dev/null || exit 1
sed -n 's/^    \$ \(build\/caelum .*\)/\1/p' "$SOURCE_DIR/README.md" >commands
holds "the README shows twelve commands" test "$(wc -l <commands)" = 12
while read -r line; do
    short=$(echo "$line" | sed 's|\.\./shared/cifar10|synthetic:200|; s/--epochs 50/--epochs 1/; s/--quick/shallower --quick/')
    # shellcheck disable=SC2086 # the line's words are the arguments
    expect 0 $short
done <commands
expect 0 build/caelum inspect models/standard.net
sed -n '/^    \$ build\/caelum inspect models\/standard/,/^    \$ build\/caelum train/p' "$SOURCE_DIR/README.md" | sed '1d;$d' |
    sed 's/^    //; s/ *$//' >shown
sed 's/ *$//' out >printed
echo >>printed
holds "the README's table is what inspect prints" diff shown printed
for file in $(grep -o '(docs/[a-z/-]*\.[a-z]*)' "$SOURCE_DIR/README.md" | tr -d '()'); do
    holds "README links to $file, which is there" test -e "$SOURCE_DIR/$file"
done
finish
