# The source obeys the rules of scripts/check-style.sh, and the modules call each other in their order.
. "$SOURCE_DIR/tests/cli/lib.sh"
: "${BUILD_DIR:?build directory}"
expect 0 sh "$SOURCE_DIR/scripts/check-style.sh"
expect 0 sh "$SOURCE_DIR/scripts/check-modules.sh" "$BUILD_DIR/CMakeFiles/caelum_objects.dir/src"
finish
