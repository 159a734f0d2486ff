"""tokenizer.json files for the three text encoders, whole words as tokens, in the forms that Hugging Face's tokenizers read."""
from collections import Counter

# Digits are read as words and full stops dropped, so that neither becomes an unknown token (CLIP's unknown token is its end).
SPOKEN = [(r'\b1\b', 'one'), (r'\b2\b', 'two'), (r'\b3\b', 'three'), (r'\b4\b', 'four'), (r'\b5\b', 'five'), (r'\.', '')]
BOS, EOS = '<|startoftext|>', '<|endoftext|>'
# BERT ids: word i of the vocabulary is BERT_FIRST + i.
BERT_SPECIALS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']
BERT_FIRST = len(BERT_SPECIALS)


def spoken():
    return [{'type': 'Replace', 'pattern': {'Regex': pattern}, 'content': content} for pattern, content in SPOKEN]


def special(token_id, content):
    return {'id': token_id, 'content': content, 'single_word': False, 'lstrip': False, 'rstrip': False, 'normalized': False,
            'special': True}


def t5_tokenizer(words):
    """Unigram with Metaspace, as T5's: <pad> 0, </s> 1, <unk> 2, then the words (the comma without the space mark)."""
    pieces = [['<pad>', 0.0], ['</s>', 0.0], ['<unk>', -20.0]]
    pieces += [[word if word == ',' else '\u2581' + word, -2.0] for word in words]
    space = {'type': 'Metaspace', 'replacement': '\u2581', 'prepend_scheme': 'always', 'split': True}
    return {'version': '1.0', 'truncation': None, 'padding': None,
            'added_tokens': [special(0, '<pad>'), special(1, '</s>'), special(2, '<unk>')],
            'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'Lowercase'}, *spoken(),
                           {'type': 'Replace', 'pattern': {'Regex': ' {2,}'}, 'content': ' '}]},
            'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [{'type': 'WhitespaceSplit'}, space]},
            'post_processor': {'type': 'TemplateProcessing', 'single': [{'Sequence': {'id': 'A', 'type_id': 0}},
                               {'SpecialToken': {'id': '</s>', 'type_id': 0}}],
                               'pair': [{'Sequence': {'id': 'A', 'type_id': 0}}, {'SpecialToken': {'id': '</s>', 'type_id': 0}},
                                        {'Sequence': {'id': 'B', 'type_id': 0}}, {'SpecialToken': {'id': '</s>', 'type_id': 0}}],
                               'special_tokens': {'</s>': {'id': '</s>', 'ids': [1], 'tokens': ['</s>']}}},
            'decoder': space, 'model': {'type': 'Unigram', 'unk_id': 2, 'vocab': pieces, 'byte_fallback': False}}


def clip_merges(words):
    """Byte-pair merges learnt from the words until each is one symbol: [(left, right)]."""
    split, merges = {w: [*w[:-1], w[-1] + '</w>'] for w in words}, []
    while any(len(parts) > 1 for parts in split.values()):
        pairs = Counter(pair for parts in split.values() for pair in zip(parts, parts[1:]))
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, parts in split.items():
            out = []
            for part in parts:
                out = out[:-1] + [out[-1] + part] if out and (out[-1], part) == best else out + [part]
            split[word] = out
    return merges


def clip_vocabulary(words):
    """Symbol -> id: letters, letters that end a word, merged symbols, then bos and eos (the largest id)."""
    letters = sorted(set(''.join(words)) | set('abcdefghijklmnopqrstuvwxyz'))
    symbols = letters + [c + '</w>' for c in letters] + [a + b for a, b in clip_merges(words)] + [BOS, EOS]
    return {symbol: i for i, symbol in enumerate(dict.fromkeys(symbols))}


def clip_word_ids(words):
    """Id of every word of the vocabulary, then bos and eos."""
    table = clip_vocabulary(words)
    return [table[w + '</w>'] for w in words], table[BOS], table[EOS]


def clip_tokenizer(words, length):
    table = clip_vocabulary(words)
    bos, eos = table[BOS], table[EOS]
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    return {'version': '1.0', 'truncation': None, 'padding': None,
            'added_tokens': [special(bos, BOS), special(eos, EOS)],
            'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFC'},
                           {'type': 'Replace', 'pattern': {'Regex': '\\s+'}, 'content': ' '}, {'type': 'Lowercase'}, *spoken()]},
            'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [
                {'type': 'Split', 'pattern': {'Regex': pattern}, 'behavior': 'Removed', 'invert': True},
                {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True}]},
            'post_processor': {'type': 'RobertaProcessing', 'sep': [EOS, eos], 'cls': [BOS, bos], 'trim_offsets': False,
                               'add_prefix_space': False},
            'decoder': {'type': 'ByteLevel', 'add_prefix_space': True, 'trim_offsets': True},
            'model': {'type': 'BPE', 'dropout': None, 'unk_token': EOS, 'continuing_subword_prefix': '',
                      'end_of_word_suffix': '</w>', 'fuse_unk': False, 'vocab': table,
                      'merges': [f'{a} {b}' for a, b in clip_merges(words)]}}


def bert_tokenizer(words):
    """WordPiece as bert-base-uncased's, without pieces of words: the four special tokens, then the words."""
    table = {token: i for i, token in enumerate([*BERT_SPECIALS, *words])}
    cls, sep = ({'SpecialToken': {'id': token, 'type_id': 0}} for token in ('[CLS]', '[SEP]'))
    first, second = ({'Sequence': {'id': name, 'type_id': 0}} for name in 'AB')
    return {'version': '1.0', 'truncation': None, 'padding': None,
            'added_tokens': [special(table[token], token) for token in BERT_SPECIALS],
            'normalizer': {'type': 'Sequence', 'normalizers': [
                {'type': 'BertNormalizer', 'clean_text': True, 'handle_chinese_chars': True, 'strip_accents': None, 'lowercase': True},
                *spoken()]},
            'pre_tokenizer': {'type': 'BertPreTokenizer'},
            'post_processor': {'type': 'TemplateProcessing', 'single': [cls, first, sep], 'pair': [cls, first, sep, second, sep],
                               'special_tokens': {token: {'id': token, 'ids': [table[token]], 'tokens': [token]}
                                                  for token in ('[CLS]', '[SEP]')}},
            'decoder': {'type': 'WordPiece', 'prefix': '##', 'cleanup': True},
            'model': {'type': 'WordPiece', 'unk_token': '[UNK]', 'continuing_subword_prefix': '##',
                      'max_input_chars_per_word': 100, 'vocab': table}}
