# run.sh TORTURE.PY ARGUMENTS... - where there is Python.
[ -x /usr/bin/python3 ] || { echo "skipped: no /usr/bin/python3"; exit 77; }
exec /usr/bin/python3 -B "$@"
