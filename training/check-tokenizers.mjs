// Checks that @huggingface/tokenizers gives the ids that training used: node training/check-tokenizers.mjs [assets/toybox]
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';

const root = process.argv[2]
  ? pathToFileURL(`${resolve(process.argv[2])}/`)
  : new URL('../assets/toybox/', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));
const load = (folder) =>
  new Tokenizer(read(`${folder}/tokenizer.json`), read(`${folder}/tokenizer_config.json`));
const t5 = load('text-encoder');
const clip = load('clip');
// ImageReward's folder has no tokenizer_config.json, as the official one.
const bertJson = read('image-reward/tokenizer.json');
const bert = new Tokenizer(bertJson, {});
const pieces = read('text-encoder/tokenizer.json').model.vocab.map(([piece]) => piece.replace('\u2581', ''));
const vocabulary = read('clip/tokenizer.json').model.vocab;
const numbers = ['zero', 'one', 'two', 'three', 'four', 'five'];
const spoken = (text) => text.replaceAll('.', '').replace(/[1-5]/g, (digit) => numbers[Number(digit)]);
let wrong = 0;
for (const prompt of [
  '3 red stars and 2 blue rings.',
  'three red stars to the left of a blue circle',
  'A red star, a blue ring and an orange cross',
  'five small dotted crosses above two large striped hearts',
  pieces.slice(3).join(' ').replace(' ,', ','),
]) {
  const words = spoken(prompt.toLowerCase()).replaceAll(',', ' ,').split(' ');
  const wantedT5 = [...words.map((word) => pieces.indexOf(word)), 1].join();
  const wantedClip = ['<|startoftext|>', ...words.map((word) => `${word}</w>`), '<|endoftext|>']
    .map((s) => vocabulary[s])
    .join();
  const wantedBert = ['[CLS]', ...words, '[SEP]'].map((s) => bertJson.model.vocab[s]).join();
  const gotT5 = t5.encode(prompt).ids.join();
  const gotClip = clip.encode(prompt).ids.join();
  for (const [name, got, wanted] of [
    ['t5', gotT5, wantedT5],
    ['clip', gotClip, wantedClip],
    ['bert', bert.encode(prompt).ids.join(), wantedBert],
  ]) {
    if (got === wanted) continue;
    wrong++;
    console.error(`${name}: "${prompt}"\n  got    ${got}\n  wanted ${wanted}`);
  }
}
console.log(wrong === 0 ? 'tokenizers agree' : `${wrong} disagree`);
process.exitCode = wrong === 0 ? 0 : 1;
