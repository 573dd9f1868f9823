# mpi.sh - trainings on ranks, for each MPI that is installed: the same bits, a rank that differs, one that is killed.
. "$(dirname "$0")/lib.sh"

if grep -q '^CAELUM_SANITIZE:STRING=.' "$BUILD_DIR/CMakeCache.txt"; then
    echo "skipped: MPI's libraries are not made for sanitizers"
    exit 77
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers may forbid it, with a warning
net=$SOURCE_DIR/models/one-pool.net
train="$CAELUM train $net --data synthetic:150 --batch 40"

expect 0 $train --epochs 2 --out alone
same() { holds "$1 has the bits of one process" cmp -s "$1/last.safetensors" alone/last.safetensors; }

# noise by the place of a picture among all, codes as bytes; a denoiser that is told the level; a colorizer
printf 'input 3\nnoise 0.1\nconv 8 stride=2 relu\nconv 4\nquantize 0.1\nlatent\ndeconv 3 k=4 stride=2\n' >noisy.net
expect 0 $CAELUM train noisy.net --task denoise --data synthetic:150 --epochs 1 --out noisy
expect 0 $CAELUM train "$SOURCE_DIR/models/colorize-standard.net" --task colorize --data synthetic:150 --epochs 1 --out color
printf 'input 4\nspace_to_depth 2\nconv 12\ndepth_to_space 2\n' >told.net
expect 0 $CAELUM train told.net --task denoise --data synthetic:150 --epochs 1 --out told
evaluate="eval --split train --json"
for model in noisy told color; do
    expect 0 $CAELUM $evaluate $model
    mv out $model-figures
done
says noisy-figures '"price"'

# pictures in files
expect 0 $CAELUM data export synthetic:60 --split train -o photos
cp -r photos copies
cp -r photos others
cp others/$(ls others | head -1) others/$(ls others | tail -1)
expect 0 $CAELUM train "$net" --batch 40 --epochs 1 --data photos --out photos-alone

# the report, without the times in its last columns
figures_of() { cut -d'|' -f1-9 "$1/report/study.md" >"$1/figures"; }
expect 0 $CAELUM study "$SOURCE_DIR/studies/example.study" narrow --out study
figures_of study

# the launcher without its plugin, and one that connects nobody
cp "$CAELUM" bare
expect 2 env OMPI_COMM_WORLD_SIZE=2 ./bare train "$net" --data synthetic:150 --out nothing
says err "caelum-openmpi.so can't be loaded"
says err "--mpi none"
expect 2 env SLURM_STEP_NUM_TASKS=2 $train --out nothing
says err "srun --mpi=pmix"
holds "nothing was begun" test ! -e nothing
expect 0 env SLURM_STEP_NUM_TASKS=1 $train --epochs 1 --out step

tried=
for mpi in openmpi mpich; do
    run=mpirun.$mpi
    if [ ! -e "$(dirname "$CAELUM")/caelum-$mpi.so" ] || ! command -v $run >/dev/null; then
        echo "skipped $mpi: needs $run, and its headers when caelum is built"
        continue
    fi
    tried="$tried $mpi"
    expect 0 $run -n 2 $train --epochs 2 --threads 1 --out $mpi-2
    same $mpi-2
    holds "each epoch is told once" test "$(grep -c '^epoch' err)" = 2
    expect 0 $run -n 3 $train --epochs 1 --threads 2 --out $mpi-3
    expect 0 $CAELUM train --resume $mpi-3 --epochs 2
    same $mpi-3

    for ranks in 2 3; do
        expect 0 $run -n $ranks $CAELUM $evaluate noisy
        holds "$mpi: figures by $ranks ranks" cmp out noisy-figures
    done
    for model in told color; do
        expect 0 $run -n 3 $CAELUM $evaluate $model
        holds "$mpi: figures of $model" cmp out $model-figures
    done
    expect 2 $run -n 1 $CAELUM $evaluate alone : -n 1 $CAELUM $evaluate noisy
    says err "rank 1 on "
    says err ": its model, pictures or settings are not those of rank 0"
    expect 4 $run -n 1 $CAELUM $evaluate alone : -n 1 $CAELUM $evaluate none.safetensors
    says err ": none.safetensors: No such file"

    expect 0 $run -n 2 "$CAELUM" study "$SOURCE_DIR/studies/example.study" narrow --out $mpi-study
    says out "2 of 2 runs finished, 2 of them now"
    for file in narrow-s1/best.safetensors narrow-s2/eval.json; do
        holds "$mpi: $file of the study" cmp $mpi-study/runs/$file study/runs/$file
    done
    figures_of $mpi-study
    holds "$mpi: the report" cmp $mpi-study/figures study/figures

    # a host's own cache and copy of the pictures; then another picture in one
    photos="train $net --batch 40 --epochs 1 --threads 1 -q"
    expect 0 $run -n 1 $CAELUM $photos --data photos --cache-dir $mpi-one --out $mpi-photos : \
        -n 2 $CAELUM $photos --data copies --cache-dir $mpi-two --out $mpi-photos
    holds "$mpi: two caches, the same bits" cmp $mpi-photos/last.safetensors photos-alone/last.safetensors
    holds "$mpi: each cache has its file" test "$(ls $mpi-one $mpi-two | grep -c '^data-')" = 2
    expect 2 $run -n 1 $CAELUM $photos --data photos --out $mpi-others : -n 1 $CAELUM $photos --data others --out $mpi-others
    says err "its 'data_fingerprint' is"

    # another seed on rank 1
    expect 2 $run -n 1 $train --out $mpi-other : -n 1 $train --seed 2 --out $mpi-other
    says err "caelum: rank 1 on "
    says err "its 'seed' is '2', that of rank 0 '1'"
    expect 4 $run -n 2 $train --out alone
    says err "alone exists already"
    holds "nothing was begun" test ! -e $mpi-other

    # a rank is killed in the midst; the others end, and another number goes on
    $run -n 3 sh -c 'echo $$ >>'$mpi-ranks'; exec "$@"' rank $train --epochs 200 --threads 1 --out $mpi-killed >log 2>&1 &
    launcher=$!
    until_it $launcher test -e $mpi-killed/metrics.csv
    kill -9 "$(tail -n 1 $mpi-ranks)"
    wait $launcher
    holds "the launcher tells of the rank" test $? != 0
    done=$(tail -n 1 $mpi-killed/metrics.csv | cut -d, -f1)
    expect 0 $run -n 2 "$CAELUM" train --resume $mpi-killed --epochs $((done + 1))
    expect 0 $train --epochs $((done + 1)) --out $mpi-whole
    holds "killed and resumed, the same bits" cmp -s $mpi-killed/last.safetensors $mpi-whole/last.safetensors

    # the launcher is told to stop
    $run -n 2 $train --epochs 400 --threads 1 --out $mpi-stopped >out 2>err &
    launcher=$!
    until_it $launcher test -e $mpi-stopped/metrics.csv
    kill -USR1 $launcher
    wait $launcher
    says out "resume with: caelum train --resume $mpi-stopped"
    holds "one rank says so" test "$(grep -c 'stopped in epoch' out)" = 1
done
[ -n "$tried" ] || [ $failures != 0 ] || { echo "skipped: needs Open MPI or MPICH"; exit 77; }
finish
