# The layer table of the study's network, letter by letter.
. "$SOURCE_DIR/tests/cli/lib.sh"
expect 0 "$CAELUM" inspect "$SOURCE_DIR/models/standard.net"
holds "the table is that of tests/cli/inspect.expected" diff "$SOURCE_DIR/tests/cli/inspect.expected" out
expect 0 "$CAELUM" inspect --json "$SOURCE_DIR/models/standard.net"
says out '"parameters": 4911'
says out '"bottleneck": 768'
expect 4 "$CAELUM" inspect missing.net
says err "caelum: missing.net: No such file or directory"
printf 'input 3\nconv 8 relu\nmaxpol\n' >typo.net
expect 3 "$CAELUM" inspect typo.net
says err "typo.net:3:1: no layer is called 'maxpol'; did you mean 'maxpool'?"
finish
