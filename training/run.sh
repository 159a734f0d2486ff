#!/usr/bin/env bash
# The whole recipe in one command: scenes, five trainings, files, scores. Goes on where it was killed.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
WORK="${WORK:-.work}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}" OMP_WAIT_POLICY=passive
# Large tensors stay in huge pages and are not given back to the system between two steps (a quarter faster on a CPU).
export GLIBC_TUNABLES="glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=100000000000:glibc.malloc.mmap_threshold=100000000000"
mkdir -p "$WORK/train"
[ -f "$WORK/scenes.bin" ] || npx tsx training/scenes/export.ts --count 600000 --seed 1 --out "$WORK/scenes.bin"
[ -f "$WORK/scenes-val.bin" ] || npx tsx training/scenes/export.ts --count 20000 --seed 2 --out "$WORK/scenes-val.bin"
[ -f "$WORK/heldout.json" ] || npx tsx training/scenes/export.ts --heldout --out "$WORK/heldout.json"
"$PYTHON" training/train.py all --scenes "$WORK/scenes.bin" --out "$WORK/train" "$@" 2>&1 | tee -a "$WORK/train/train.log"
"$PYTHON" training/evaluate.py --out "$WORK/train" --psnr --clip --aesthetic --reward --agreement 50 --sheet "$WORK/train/sheet.png"
