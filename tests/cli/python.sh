# python.sh - the Python package, by pytest: tests/python.
. "$SOURCE_DIR/tests/cli/lib.sh"
: "${BUILD_DIR:?build directory}"
python=/usr/bin/python3
if ! $python -c 'import numpy, pytest' 2>/dev/null; then
    echo "skipped: $python has no numpy or no pytest"
    exit 77
fi
export SOURCE_DIR BUILD_DIR CAELUM_LIBRARY="$BUILD_DIR/libcaelum.so" PYTHONPATH="$SOURCE_DIR/python" PYTHONDONTWRITEBYTECODE=1
cd "$SOURCE_DIR" || exit 1
$python -m pytest -q -rs -p no:cacheprovider --basetemp "$scratch/pytest" tests/python && finish
exit 1
