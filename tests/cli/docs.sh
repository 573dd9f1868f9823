# Every command line that a document shows, "    $ ...", does what it says there: it ends with status 0, or with the one in
# a comment behind it, "# exit status N". The lines of a document run in their order in one directory, as a user would.
. "$SOURCE_DIR/tests/cli/lib.sh"
documents="command-line"

mkdir bin && ln -s "$CAELUM" bin/caelum
PATH=$scratch/bin:$PATH
for name in $documents; do
    document=$SOURCE_DIR/docs/$name.md
    mkdir "$scratch/$name" && cd "$scratch/$name" || exit 1
    ln -s "$SOURCE_DIR/models" models
    ln -s "$SOURCE_DIR/studies" studies
    # a line that ends with \ goes on in the next
    sed -n '/^    \$ /{:more
        /\\$/{N
        s/\\\n */ /
        b more
        }
        s/^    \$ //p
        }' "$document" >../lines
    holds "$name.md shows command lines" test -s ../lines
    while read -r line; do
        wanted=$(echo "$line" | sed -n 's/.*  # exit status \([0-9]*\)$/\1/p')
        expect "${wanted:-0}" sh -c "$line"
    done <../lines
    # links to other documents
    for link in $(grep -o '([a-z-]*\.md)' "$document" | tr -d '()' | sort -u); do
        holds "$name.md links to $link, which is there" test -e "$SOURCE_DIR/docs/$link"
    done
done

# what command-line.md lists is what there is
cd "$scratch" || exit 1
document=$SOURCE_DIR/docs/command-line.md
for command in $("$CAELUM" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    holds "command-line.md has $command" grep -q "^| .*\`$command\`.* |" "$document"
done
"$CAELUM" man | sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It "\(.*\)"/\1/p' >statuses
sed -n '/^## Exit status/,/^## Signals/s/^| \([0-9][0-9, ]*\) |.*/\1/p' "$document" >shown
holds "command-line.md has the exit statuses of caelum(1)" diff statuses shown
finish
