# Training and measuring a classifier, and testing a colorizer with it. What the figures are is no matter here.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/classifier.net
expect 3 "$CAELUM" train "$net" --task classify --data synthetic:100 --out none
says err "the pictures have no labels, which a classifier needs"
holds "nothing is left of it" test ! -e none
expect 2 "$CAELUM" train "$net" --task classify --loss mse --data synthetic:100 --out none
says err "got the loss mse and the task classify; expected xent with classify"
expect 2 "$CAELUM" train "$SOURCE_DIR/models/standard.net" --loss=xent --data synthetic:100 --out none
says err "got the loss xent and the task reconstruct"
expect 3 "$CAELUM" train "$SOURCE_DIR/models/standard.net" --task classify --data synthetic:100 --out none
says err "standard.net: the output is 3x32x32; to classify it must be one number a class"
expect 0 "$CAELUM" bench --rounds 1 --seconds 0.001 -t 1 --batches 2 "$net"
says out "classifier.train.b2.t1"

printf 'section classes "Classes"\nrun class %s task=classify loss=xent\n' "$net" >class.study
expect 3 "$CAELUM" study class.study --out study --data synthetic:100
says err "class.study:2: run class: a study compares pictures, and classify makes none"
data=$(real_data)
[ -n "$data" ] || { echo "no CIFAR-10: the rest is skipped"; finish; }
printf 'input 3\nconv 8 stride=4 relu\navgpool 8\ndense 10\n' >small.net
expect 0 "$CAELUM" train small.net --task classify --data "$data" --limit 1000 --epochs 2 --flip --shift 2 --out class --progress never
says err "  acc 0."
holds "no PSNR is told" sh -c '! grep -q "psnr\|nan" err'
says out "(accuracy 0."
holds "no sheet" sh -c '! grep -q sheet out && ! test -e class/reconstructions.png'
holds "curves" test -s class/curves.svg
expect 0 "$CAELUM" train --resume class --epochs 3 --progress never
expect 0 "$CAELUM" compare class
expect 0 "$CAELUM" eval class/best.safetensors --data "$data" --split validation
says out "100 pictures of $data"
says out "cross_entropy nats"
expect 0 "$CAELUM" eval class/best.safetensors --data "$data" --json --record
says out '"cross_entropy": '
expect 0 "$CAELUM" inspect class/best.safetensors
says out "cross_entropy="
expect 3 "$CAELUM" eval class/best.safetensors --data synthetic:100
says err "the pictures have no labels"

printf 'input 1\nconv 2\n' >color.net
expect 0 "$CAELUM" train color.net --task colorize --data "$data" --limit 1000 --epochs 1 --out color -q
expect 0 "$CAELUM" eval color/best.safetensors --data "$data" --classifier class/best.safetensors --no-baselines
says out "in this model's colors"
expect 0 "$CAELUM" eval color/best.safetensors --data "$data" --classifier class/best.safetensors --no-baselines --json
says out '"semantic": {'
says out '"closed": '
expect 4 "$CAELUM" eval color/best.safetensors --data "$data" --classifier missing.safetensors
says err "missing.safetensors"
expect 3 "$CAELUM" eval color/best.safetensors --data "$data" --classifier color/best.safetensors
says err "the data has 10 classes"
expect 0 "$CAELUM" eval class/best.safetensors --data "$data" --classifier class/best.safetensors
says err "--vivid, --hints, --sheets and --classifier are for colorizers"
finish
