"""The tokenizer of the toybox's LLaVA in the form of Qwen2's: byte-level BPE with the chat's marks as added tokens. The merges make
one symbol of every word of the toybox and of the question; a normaliser lowers letters and reads digits as words.
"""
from collections import Counter

from tokenizers_json import SPOKEN

ADDED = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<image>', '<video>']
QUESTION = ['does', 'Ġthis', 'Ġimage', 'Ġshow', 'Ġ"'], ['"?', 'Ġplease', 'Ġanswer', 'Ġyes', 'Ġor', 'Ġno', '.']
CHAT = ['user', 'assistant', 'Ċ', 'Ġ']
# In front of the picture, and behind the question.
BEFORE, AFTER = ['<|im_start|>', 'user', 'Ġ'], ['<|im_end|>', '<|im_start|>', 'assistant', 'Ċ']
ANSWER = {'yes': ['yes', 'Ġyes'], 'no': ['no', 'Ġno']}
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_letters():
    """Every byte as the printable letter that byte-level tokenizers write for it."""
    plain = [*range(ord('!'), ord('~') + 1), *range(ord('¡'), ord('¬') + 1), *range(ord('®'), ord('ÿ') + 1)]
    table = {byte: chr(byte) for byte in plain}
    others = [byte for byte in range(256) if byte not in table]
    table.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return [table[byte] for byte in range(256)]


def merges_for(wanted):
    """Byte-pair merges learnt until each wanted text is one symbol: [(left, right)]."""
    split, merges = {text: list(text) for text in wanted}, []
    while any(len(parts) > 1 for parts in split.values()):
        pairs = Counter(pair for parts in split.values() for pair in zip(parts, parts[1:]))
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for text, parts in split.items():
            out = []
            for part in parts:
                out = out[:-1] + [out[-1] + part] if out and (out[-1], part) == best else out + [part]
            split[text] = out
    return merges


def vocabulary(words):
    """(symbols in the order of their ids, merges)"""
    spoken = [form for word in words if word != ',' for form in (word, 'Ġ' + word)]
    wanted = dict.fromkeys([*spoken, *QUESTION[0], *QUESTION[1], *CHAT, 'yes', 'no'])
    merges = merges_for(wanted)
    symbols = dict.fromkeys([*byte_letters(), *(a + b for a, b in merges)])
    return [*symbols, *ADDED], merges


def question_ids(words, ids):
    """What follows <image> in the chat, up to where the answer begins."""
    named = [word if word == ',' or i == 0 else 'Ġ' + word for i, word in enumerate(words)]
    return [ids[symbol] for symbol in ('Ċ', *QUESTION[0], *named, *QUESTION[1], *AFTER)]


def added(content, symbols):
    return {'id': symbols.index(content), 'content': content, 'single_word': False, 'lstrip': False, 'rstrip': False,
            'normalized': False, 'special': True}


def tokenizer_json(words):
    symbols, merges = vocabulary(words)
    byte_level = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': False, 'use_regex': False}
    digits = [{'type': 'Replace', 'pattern': {'Regex': pattern}, 'content': content} for pattern, content in SPOKEN if content]
    return {'version': '1.0', 'truncation': None, 'padding': None, 'added_tokens': [added(content, symbols) for content in ADDED],
            'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFC'}, {'type': 'Lowercase'}, *digits]},
            'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [
                {'type': 'Split', 'pattern': {'Regex': PATTERN}, 'behavior': 'Isolated', 'invert': False}, byte_level]},
            'post_processor': byte_level, 'decoder': byte_level,
            'model': {'type': 'BPE', 'dropout': None, 'unk_token': None, 'continuing_subword_prefix': '', 'end_of_word_suffix': '',
                      'fuse_unk': False, 'vocab': {symbol: i for i, symbol in enumerate(symbols[:-len(ADDED)])},
                      'merges': [f'{a} {b}' for a, b in merges]}}
