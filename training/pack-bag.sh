#!/bin/bash
# What training/lent-gpu.sh takes along, 30 MB: bash training/pack-bag.sh BAG [HELD-OUT] [FLOW]
# The Node.js binary of this machine and the bundled detector, 200,000 scenes, the held-out pictures, and of toybox-flow the autoencoder.
set -e
BAG=$1 HELD=${2:-.work/judges/held-out} FLOW=${3:-.work/flow}
mkdir -p "$BAG/flow" "$BAG/held-out"
cp "$(node -p process.execPath)" "$BAG/node" && strip "$BAG/node"
xz -T2 -9 -f "$BAG/node"
npx esbuild training/label.ts --bundle --platform=node --format=esm --outfile="$BAG/label.mjs"
npx tsx training/scenes/export.ts --count 200000 --seed 1 --out "$BAG/scenes.bin"
xz -9 -f "$BAG/scenes.bin"
cp "$HELD"/part-*.bin "$BAG/held-out/"
cp "$FLOW/clip-text.safetensors" "$FLOW/latents.json" "$BAG/flow/"
python3 training/slim.py "$FLOW/autoencoder.pt" --to "$BAG/flow"
