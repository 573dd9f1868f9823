# The README's commands run (on fewer pictures and epochs, one run of the study), and the table that it shows is the one printed.
. "$SOURCE_DIR/tests/cli/lib.sh"
ln -s "$SOURCE_DIR/models" models
ln -s "$SOURCE_DIR/studies" studies
ln -s "$SOURCE_DIR/docs" docs
mkdir build && ln -s "$CAELUM" build/caelum
"$CAELUM" data export synthetic:100 --split train --count 60 -o photos >/dev/null || exit 1
commands_of "$SOURCE_DIR/README.md" commands
holds "the README shows commands" test "$(ls commands | wc -l)" -gt 10
run_commands commands
expect 0 build/caelum inspect models/standard.net
sed -n '/^    \$ build\/caelum inspect models\/standard/,/^    \$ build\/caelum train/p' "$SOURCE_DIR/README.md" | sed '1d;$d' |
    sed 's/^    //; s/ *$//' >shown
sed 's/ *$//' out >printed
echo >>printed
holds "the README's table is what inspect prints" diff shown printed
links_of "$SOURCE_DIR/README.md"
finish
