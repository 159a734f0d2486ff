// Lists of pictures with a prompt each: CSV with the columns image and prompt, or JSON lines with these keys.

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

import { UsageError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import type { NamedPictures } from '../score/files.js';
import { parseCsv } from './csv.js';

/** Reads a list; its pictures' paths start from the folder of the list. Throws an error that names file and line. */
export function readPromptsFile(file: string, cwd: string): Required<NamedPictures>[] {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (cause) {
    throw cannotRead(file, cause);
  }
  const read = /^\s*\{/.test(text) ? fromLines : fromCsv;
  const pictures = read(text, file);
  if (pictures.length === 0) throw new UsageError(`${file} lists no pictures`);
  return pictures.map(({ image, prompt }) => ({
    image: isAbsolute(image) ? image : join(dirname(file), image),
    prompt,
  }));
}

function fromCsv(text: string, file: string): Required<NamedPictures>[] {
  const [head = [], ...rows] = parseCsv(text, file);
  const [image, prompt] = [head.indexOf('image'), head.indexOf('prompt')];
  if (image < 0 || prompt < 0) {
    throw new UsageError(`${file} has the columns ${head.join(', ')}: it needs image and prompt`);
  }
  // The head is row 1.
  return rows.map((row, i) => checked({ image: row[image], prompt: row[prompt] }, `row ${i + 2} of ${file}`));
}

function fromLines(text: string, file: string): Required<NamedPictures>[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const where = `line ${i + 1} of ${file}`;
    let value: unknown;
    try {
      // The byte order mark of some editors is white space to trim.
      value = JSON.parse(line.trim());
    } catch (cause) {
      throw new UsageError(`${where} is not JSON: every line has to be {"image": ..., "prompt": ...}`, {
        cause,
      });
    }
    return [checked(typeof value === 'object' && value !== null ? value : {}, where)];
  });
}

function checked(
  { image, prompt }: { readonly image?: unknown; readonly prompt?: unknown },
  where: string,
): Required<NamedPictures> {
  if (
    typeof image === 'string' &&
    image.trim() !== '' &&
    typeof prompt === 'string' &&
    prompt.trim() !== ''
  ) {
    return { image, prompt };
  }
  throw new UsageError(`${where} lacks the image or its prompt`);
}
