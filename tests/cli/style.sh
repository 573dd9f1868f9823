# The source obeys the rules of scripts/check-style.sh.
exec sh "$SOURCE_DIR/scripts/check-style.sh"
