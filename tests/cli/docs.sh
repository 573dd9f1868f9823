# Every link of a page leads somewhere, the README leads to every page, and every command line that a page shows does
# what it says there. Those of a page run in order in one directory, which has the models, the studies and some pictures;
# tutorial.md has a test of its own.
. "$SOURCE_DIR/tests/cli/lib.sh"

mkdir bin && ln -s "$CAELUM" bin/caelum
PATH=$scratch/bin:$PATH CAELUM_DATA=synthetic:200
export CAELUM_DATA
caelum data export synthetic:100 --split train --count 40 -o photos >/dev/null || exit 1
for document in "$SOURCE_DIR"/docs/*.md "$SOURCE_DIR"/docs/results/*.md "$SOURCE_DIR"/bench/README.md; do
    name=${document#"$SOURCE_DIR/"}
    links_of "$document"
    case $name in docs/tutorial.md | bench/*) continue ;; esac
    holds "the README links to $name" grep -qF "]($name)" "$SOURCE_DIR/README.md"
    grep -q '^    \$ ' "$document" || continue
    mkdir -p "$name" && cd "$name" || exit 1
    cp -r "$SOURCE_DIR/models" "$SOURCE_DIR/studies" "$scratch/photos" .
    cp "$SOURCE_DIR/docs/images/colorize.jpg" photos/
    cp photos/colorize.jpg old.jpg
    cp photos/00000.png photo.png
    ln -s "$scratch/bin" build
    commands_of "$document" "$scratch/commands/$name"
    run_commands "$scratch/commands/$name"
    cd "$scratch" || exit 1
    rm -r "$name"
done

# what command-line.md lists is what there is
document=$SOURCE_DIR/docs/command-line.md
for command in $("$CAELUM" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    holds "command-line.md has $command" grep -q "^| .*\`$command\`.* |" "$document"
done
# training.md has every option of train, but for those of all commands
for option in $("$CAELUM" train --help | sed -n 's/^ *-\(., -\)*\(-[a-z-]*\).*/-\2/p'); do
    case $option in --color | --progress | --quiet | --json) file=command-line ;; *) file=training ;; esac
    holds "$file.md has $option" grep -qe "$option[^a-z-]" "$SOURCE_DIR/docs/$file.md"
done
"$CAELUM" man | sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It "\(.*\)"/\1/p' >statuses
sed -n '/^## Exit status/,/^## Signals/s/^| \([0-9][0-9, ]*\) |.*/\1/p' "$document" >shown
holds "command-line.md has the exit statuses of caelum(1)" diff statuses shown
finish
