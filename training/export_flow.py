"""Writes toybox-flow in FLUX's layout: python3 training/export_flow.py --out .work/flow --to FOLDER

flux.safetensors, ae.safetensors (the decoder, all that drawing needs), config.json with the entries of the official code, and the
text encoders: clip-text/ (CLIP's text tower as it was when the training began) and text-encoder/ (the embedded Infinity's T5; --link
leaves it out, for a package that has it already). Matrices in half precision, vectors in float32.
"""
import argparse
import json
import shutil
from pathlib import Path

from export import half, write_json
from files import read_safetensors, write_safetensors
from train_flow import TEXT, load_autoencoder, load_flow

ROOT = Path(__file__).resolve().parent.parent


def config_of(flow, autoencoder, figures, recommended):
    return {'name': 'toybox-flow', 'params': flow.params,
            'ae_params': {'resolution': 64, 'in_channels': 3, 'out_ch': 3, **autoencoder.sizes, **figures},
            'shift': True, 'base_shift': 0.5, 'max_shift': 1.15, 'height': 64, 'width': 64, 'one_size': True, 'text_length': TEXT,
            'dtype': 'float16', 'ae_dtype': 'float16', **recommended}


def export(folder, flow, autoencoder, figures, assets, frozen, recommended, link):
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / 'flux.safetensors', half(flow.state_dict()))
    decoder = {k: v for k, v in autoencoder.state_dict().items() if k.startswith('decoder.')}
    write_safetensors(folder / 'ae.safetensors', half(decoder))
    write_json(folder / 'config.json', config_of(flow, autoencoder, figures, recommended))
    clip = folder / 'clip-text'
    clip.mkdir(exist_ok=True)
    state = read_safetensors(frozen)
    write_safetensors(clip / 'model.safetensors', half(state))
    whole = json.loads((assets / 'clip/config.json').read_text())
    # The verifier may have grown since.
    layers = len({k.split('.')[3] for k in state if k.startswith('text_model.encoder.layers.')})
    write_json(clip / 'config.json', {'architectures': ['CLIPTextModel'], 'model_type': 'clip_text_model', 'torch_dtype': 'float16',
                                      **whole['text_config'], 'num_hidden_layers': layers})
    for name in ('tokenizer.json', 'tokenizer_config.json'):
        shutil.copyfile(assets / 'clip' / name, clip / name)
    if not link:
        shutil.copytree(assets / 'text-encoder', folder / 'text-encoder', dirs_exist_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('.work/flow'))
    parser.add_argument('--to', type=Path, required=True)
    parser.add_argument('--assets', type=Path, default=ROOT / 'assets/toybox')
    parser.add_argument('--weights', default='model', choices=('ema', 'model'), help='averaged, or of the last step')
    parser.add_argument('--steps', type=int, default=16)
    parser.add_argument('--cfg', type=float, default=5.0, help='real guidance')
    parser.add_argument('--guidance', type=float, default=1.0, help="the embedding's")
    parser.add_argument('--link', action='store_true', help='leave the T5 encoder out')
    args = parser.parse_args()
    recommended = {'num_steps': args.steps, 'guidance': args.guidance, 'cfg': args.cfg}
    figures = json.loads((args.out / 'latents.json').read_text())
    export(args.to, load_flow(args.out, args.weights), load_autoencoder(args.out), figures, args.assets,
           args.out / 'clip-text.safetensors', recommended, args.link)
    print({p.name: p.stat().st_size for p in sorted(args.to.rglob('*')) if p.is_file()})


if __name__ == '__main__':
    main()
