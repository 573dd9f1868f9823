# The models that come with the program have the error that their metadata claim: the fast ones, in the long set all.
. "$SOURCE_DIR/tests/cli/lib.sh"
data=$(real_data)
[ -n "$data" ] || { echo "skipped: no CIFAR-10; name its directory in CAELUM_DATA"; exit 77; }
for model in "$SOURCE_DIR"/models/*.safetensors; do
    case $LONG,$model in
    *,*/denoiser.safetensors) continue ;; # denoise.sh measures it, on other pictures
    ,*/colorize.safetensors | ,*/code*.safetensors) continue ;;
    esac
    expect 0 "$CAELUM" inspect "$model"
    # the first figure of the test split: mse, uv_mse or accuracy
    figure=$(sed -n 's/^test *\([a-z_]*\)=.*/\1/p' out)
    claim=$(sed -n 's/^test *[a-z_]*=\([^ ]*\) .*/\1/p' out)
    expect 0 "$CAELUM" eval "$model" --data "$data" --split test --no-baselines --json
    got=$(sed -n "s/^  \"$figure\": \([0-9.e-]*\),*\$/\1/p" out)
    holds "$model claims $figure '$claim' and has '$got'" \
        awk -v claim="$claim" -v got="$got" 'BEGIN { exit !(claim > 0 && got > claim * 0.9999 && got < claim * 1.0001) }'
done
finish
