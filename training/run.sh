#!/usr/bin/env bash
# The whole recipe in one command: scenes, four trainings, files, scores. Goes on where it was killed.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
WORK="${WORK:-.work}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"
mkdir -p "$WORK/train"
[ -f "$WORK/scenes.bin" ] || npx tsx src/toybox/export.ts --count 600000 --seed 1 --out "$WORK/scenes.bin"
"$PYTHON" training/train.py all --scenes "$WORK/scenes.bin" --out "$WORK/train" "$@" 2>&1 | tee -a "$WORK/train/train.log"
