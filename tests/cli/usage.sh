# Help, versions and usage errors.
. "$SOURCE_DIR/tests/cli/lib.sh"
expect 2 "$CAELUM"
says err "usage: caelum COMMAND"
expect 0 "$CAELUM" help
says out "trains, measures and runs convolutional autoencoders"
expect 0 "$CAELUM" --version
says out "kernels in use:"
for command in train eval reconstruct inspect data bench version; do
    expect 0 "$CAELUM" help $command
    says out "usage: caelum $command"
    expect 0 "$CAELUM" $command --help
    says out "example:"
done
expect 0 "$CAELUM" train -h
says out "--epochs N             passes over the training pictures, 1 to 1,000,000 [50]"
expect 2 "$CAELUM" trian
says err "did you mean 'train'?"
expect 2 "$CAELUM" train --epoch 3 x.net
says err "there is no option --epoch; did you mean --epochs?"
expect 2 "$CAELUM" train --epochs three x.net
says err "--epochs: expected a whole number, got 'three'"
expect 2 "$CAELUM" train --epochs
says err "--epochs: a value is missing: N"
expect 2 "$CAELUM" train --lr 1e-3x x.net
says err "--lr: expected a number"
expect 2 "$CAELUM" train
says err "expected one NET, got 0"
expect 2 "$CAELUM" train --lr 0 "$SOURCE_DIR/models/standard.net"
says err "lr: expected a number above 0, at most 100, got 0"
expect 2 "$CAELUM" train --loss mae "$SOURCE_DIR/models/standard.net"
says err "--loss: expected mse|bce|l1|huber|xent, got 'mae'; did you mean 'mse'?"
expect 2 "$CAELUM" train --loss bce --task colorize "$SOURCE_DIR/models/standard.net"
says err "loss: bce needs targets in [0, 1]"
expect 2 "$CAELUM" eval m.safetensors --split tset
says err "--split: expected train|validation|test, got 'tset'; did you mean 'test'?"
expect 2 env CAELUM_CPU=pentium "$CAELUM" version
says err "expected generic, avx2 or avx512"
finish
