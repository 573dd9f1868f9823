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
# what comes with the program is found by its name from anywhere; a file of that name wins
for word in standard standard.net; do
    expect 0 "$CAELUM" inspect $word
    holds "$word is the network that comes with the program" diff "$SOURCE_DIR/tests/cli/inspect.expected" out
done
expect 0 "$CAELUM" inspect standard.safetensors
says out "val_loss"
printf 'input 3\nconv 8 relu\nlatent\nconv 3\n' >standard
expect 0 "$CAELUM" inspect standard
says out "8 x 32 x 32"
rm standard
mkdir own && printf 'input 3\nconv 5 relu\nlatent\nconv 3\n' >own/standard.net
CAELUM_MODELS=own expect 0 "$CAELUM" inspect standard
says out "5 x 32 x 32"
expect 4 "$CAELUM" inspect no-such-network
# by all commands that take one
expect 0 "$CAELUM" train standard --data synthetic:100 --epochs 1 --init standard -q
holds "the run of standard" [ -s runs/standard/best.safetensors ]
expect 0 "$CAELUM" eval best --data synthetic:100 --no-baselines
expect 0 "$CAELUM" eval colorize --data synthetic:100 --no-baselines --json
expect 2 "$CAELUM" eval best --data synthetic:100 --no-baselines --record
says err "--record writes into the model, and best came with the program; copy it"
expect 0 "$CAELUM" export standard -o standard.npz
expect 0 "$CAELUM" import standard.npz --net standard -o imported.safetensors
expect 0 "$CAELUM" bench standard one-pool --filter nothing
expect 4 "$CAELUM" eval missing --data synthetic:100
says err "missing: No such file or directory"

# a network that no picture of this size can train is said to be so before anything is read
printf 'input 3\nconv 3 stride=2\n' >half.net
expect 0 "$CAELUM" inspect half.net
says err "it turns 3 x 32 x 32 into 3 x 16 x 16: of pictures of this size it can learn nothing"
says out "latent size  none: no line \`latent\` marks the code"
expect 0 "$CAELUM" inspect half.net --json
says out '"task": null'
expect 0 "$CAELUM" inspect standard
holds "a network that fits brings no warning" [ ! -s err ]
printf 'input 3\nconv 1\n' >detect.net
expect 0 "$CAELUM" inspect detect.net --json
says out '"task": "detect"'
holds "a network that detects is no cause for a warning" [ ! -s err ]
expect 0 "$CAELUM" inspect classifier --json
says out '"task": "classify"'
expect 0 "$CAELUM" inspect colorize --json
says out '"task": "colorize"'
finish
