# eval on a colorizer: the table, the keys, and a verdict on a model that says nothing.
. "$SOURCE_DIR/tests/cli/lib.sh"
# a model file by hand: a 1x1 convolution from Y to U and V, weights and biases 0
header='{"__metadata__":{"format":"caelum model 1","network":"input 1\nconv 2 k=1\n","height":"32","width":"32",'
header=$header'"task":"colorize","split_seed":"1"},"conv1.weight":{"dtype":"F32","shape":[2,1,1,1],"data_offsets":[0,8]},'
header=$header'"conv1.bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}'
while [ $((${#header} % 8)) != 0 ]; do header="$header "; done
printf "\\$(printf %o $((${#header} % 256)))\\$(printf %o $((${#header} / 256)))\\0\\0\\0\\0\\0\\0" >grey.safetensors
printf %s "$header" >>grey.safetensors
printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >>grey.safetensors

expect 0 "$CAELUM" eval grey.safetensors --data synthetic:100
says out "no color learned: colorfulness 0.00 of"
for row in "this model" "grey copy" "constant" "table by luminance  " "table by luminance and place" \
    "oracle: one color a picture" "oracle: UV of 8x8 blocks"; do says out "$row"; done
expect 0 "$CAELUM" eval grey.safetensors --data synthetic:100 --json
for key in uv_mse uv_mse_float r2 rgb_mse psnr psnr_mean ssim mae auc ciede2000 colorfulness colorfulness_truth \
    accuracy acc2 acc5; do
    holds "$key of the model and of six baselines" test "$(grep -c "\"$key\":" out)" = 7
done
says out '"verdict": "no color learned"'
expect 0 "$CAELUM" eval grey.safetensors --data synthetic:100 --json --no-baselines
holds "grey stays without baselines" test "$(grep -c '"name": "grey copy"' out)" = 1
holds "and only grey" test "$(grep -c '"name"' out)" = 1
expect 3 "$CAELUM" eval grey.safetensors --data synthetic:100:16
says err "the model colorizes pictures of 32x32, the data has 3x16x16"
finish
