# eval and reconstruct on a freshly trained model.
. "$SOURCE_DIR/tests/cli/lib.sh"
"$CAELUM" train "$SOURCE_DIR/models/standard.net" --data synthetic:1000 --epochs 2 --out run -q >/dev/null || exit 1
expect 0 "$CAELUM" eval run/best.safetensors --data synthetic:1000
says out "PCA 768"
says out "rounded to 8 bit"
expect 0 "$CAELUM" eval run/best.safetensors --data synthetic:1000 --json
for key in mse mse_float psnr psnr_mean ssim mae accuracy baselines bottleneck; do says out "\"$key\":"; done
expect 0 "$CAELUM" eval run/best.safetensors --data synthetic:1000 --split-seed 2 --no-baselines
says err "warning: the model was trained with --split-seed 1"
cp run/best.safetensors copy.safetensors
expect 0 "$CAELUM" eval copy.safetensors --data synthetic:1000 --record --no-baselines --json
mse=$(sed -n 's/^ *"mse": \(0.0[0-9]\{4\}\).*/\1/p' out)
expect 0 "$CAELUM" inspect copy.safetensors
says out "mse=$mse"
expect 0 "$CAELUM" eval copy.safetensors --data synthetic:1000 --no-baselines --json
says out "\"mse\": $mse"

# any picture will do: the run's own sheet, of another size than the network's
expect 0 "$CAELUM" reconstruct run/best.safetensors run/reconstructions.png -o out.d
says out "out.d/reconstructions.png  1220x612"
says out "overlapping tiles"
expect 4 "$CAELUM" reconstruct run/best.safetensors run/reconstructions.png -o out.d
says err "exists already; overwrite it with --force"
echo "no picture" >bad.jpg
expect 3 "$CAELUM" reconstruct run/best.safetensors bad.jpg run/reconstructions.png -o out.d --force
says err "bad.jpg: not a PNG, JPEG, WebP or TIFF picture"
says out "out.d/reconstructions.png"
finish
