"""Averaged weights of checkpoints in half precision, one file each, to bring back from a lent machine: python3 training/slim.py FILE.pt ... --to FOLDER

With NAME.pt:model the weights of the last step. `load_averaged` of loop.py reads the files as it reads checkpoints.
"""
import argparse
from pathlib import Path

import torch

from loop import load


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+', metavar='FILE.pt[:model]')
    parser.add_argument('--to', type=Path, required=True)
    args = parser.parse_args()
    for name in args.files:
        path, _, which = name.partition(':')
        state = load(Path(path))
        weights = {k: v.half().cpu() if v.is_floating_point() else v.cpu() for k, v in state[which or 'ema'].items()}
        slim = {which or 'ema': weights, 'used': state['used'], 'step': state['step']}
        torch.save(slim, args.to / f"{Path(path).stem}{'-' + which if which else ''}.pt")


if __name__ == '__main__':
    main()
