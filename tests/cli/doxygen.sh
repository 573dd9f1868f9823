# The public header's pages are made without a warning.
. "$SOURCE_DIR/tests/cli/lib.sh"
doxygen --version >/dev/null 2>&1 || { echo "skipped: no doxygen here"; exit 77; }
cp -r "$SOURCE_DIR/include" "$SOURCE_DIR/docs" . || exit 1
mkdir build
expect 0 doxygen docs/Doxyfile
holds "a page of the header" test -s build/html/caelum_8h.html
finish
