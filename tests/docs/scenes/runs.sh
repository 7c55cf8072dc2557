# Small results under the names that pages use: a bundle, runs of it on two machines, an explanation, a sweep.
set -eu
SMALL="--model swin_t --input 224x224 --weights random --score random"
mixarray record $SMALL --ratio 0.4 --quiet -o runs/swin_t
mixarray simulate runs/swin_t --timeline --quiet -o runs/simulated
mixarray simulate runs/swin_t --quiet -o runs/packed
mixarray simulate runs/swin_t -a plain_int8_32x32 --quiet -o runs/plain
cp "$REPOSITORY/tests/docs/scenes/SPEC.yaml" .
mixarray sweep SPEC.yaml --jobs 1 --quiet -o runs/sweep
