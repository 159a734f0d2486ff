#!/bin/bash
# Trains judges and toybox-flow on a GPU that is lent for some minutes, without Node.js and network:
#   bash training/lent-gpu.sh BAG OUT SECONDS DRAW-SECONDS [FLOW-PICTURES]
# BAG is the folder that training/pack-bag.sh fills. Pictures are drawn first, while toybox-flow trains; then the judges train side by
# side until SECONDS have passed. OUT gets the averaged weights in half precision (files below 16 MB) and the logs.
set -u
BAG=$1 OUT=$2 END=$(($(date +%s) + $3)) DRAW=$4 FLOW=${5:-305760}
W=${SCRATCH:-/dev/shm/varsearch}
export PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1
mkdir -p "$W/flow" "$W/train"
xz -dc "$BAG/node.xz" > "$W/node" && chmod +x "$W/node"
xz -dc "$BAG/scenes.bin.xz" > "$W/scenes.bin"
cp -r "$BAG/held-out" "$W/"
cp "$BAG"/flow/* "$W/flow/"
nproc; free -g | sed -n 2p

python3 training/train_flow.py flow --pictures "$FLOW" --pool 160000 --workers "${RENDERERS:-5}" --scenes "$W/scenes.bin" --out "$W/flow" \
  --log-every 200 > "$OUT/flow.log" 2>&1 &
flow=$!
python3 training/draw.py --scenes "$W/scenes.bin" --out "$W/on-policy" --pixels "$W/pixels/on-policy" --seconds "$DRAW" \
  --node "$W/node" --label "$BAG/label.mjs" ${DRAW_ARGS:-} > "$OUT/draw.log" 2>&1
tail -n 2 "$OUT/draw.log"

minutes=$(awk -v left=$((END - $(date +%s) - 45)) 'BEGIN { print left / 60 }')
for name in ${JUDGES:-image_reward llava clip}; do
  python3 training/judges.py "$name" --data "$W" --pixels "$W/pixels" --out "$W/train" --minutes "$minutes" --workers "${MAKERS:-5}" \
    --drawn 0.1 --rate 1.6 --measure-every 1.5 --log-every 200 ${JUDGE_ARGS:-} > "$OUT/$name.log" 2>&1 &
  judges="${judges:-} $!"
done
wait $flow; tail -n 2 "$OUT/flow.log"
python3 training/slim.py "$W/flow/flow.pt" "$W/flow/flow.pt:model" --to "$OUT"
wait ${judges:-}
for name in ${JUDGES:-image_reward llava clip}; do
  tail -n 2 "$OUT/$name.log" | cut -c1-1500
  python3 training/slim.py "$W/train/$name.pt" --to "$OUT"
done
tar -C "$OUT" -cf "$OUT/logs.tar" flow.log draw.log $(cd "$OUT" && ls ./*_*.log ./llava.log ./clip.log 2> /dev/null) && rm -f "$OUT"/*.log
ls -la "$OUT"
