#!/usr/bin/env bash
# toybox-flow in one command: scenes, autoencoder, transformer, files in FLUX's layout, scores. Goes on where it was killed.
# MEMBERS processes of one thread each train the transformer.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
WORK="${WORK:-.work/flow}"
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive
export GLIBC_TUNABLES="glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=100000000000:glibc.malloc.mmap_threshold=100000000000"
mkdir -p "$WORK"
[ -f "$WORK/scenes.bin" ] || npx tsx training/scenes/export.ts --count 600000 --seed 1 --out "$WORK/scenes.bin"
[ -f "$WORK/scenes-val.bin" ] || npx tsx training/scenes/export.ts --count 20000 --seed 2 --out "$WORK/scenes-val.bin"
[ -f "$WORK/heldout.json" ] || npx tsx training/scenes/export.ts --heldout --out "$WORK/heldout.json"
"$PYTHON" training/train_flow.py all --scenes "$WORK/scenes.bin" --out "$WORK" --members "${MEMBERS:-2}" "$@" 2>&1 | tee -a "$WORK/train.log"
"$PYTHON" training/export_flow.py --out "$WORK" --to "$WORK/export"
"$PYTHON" training/evaluate_flow.py --out "$WORK" --limit 0 --psnr
npx tsx training/draw-flow.ts "$WORK/export" "$WORK/heldout.json"
