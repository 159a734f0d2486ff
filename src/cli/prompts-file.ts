// Lists of pictures with a prompt each: CSV (commas, semicolons or tabs) with the columns image and prompt, or JSON lines with
// these keys; in UTF-8, or in UTF-16 with a mark.

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

import { UsageError } from '../core/errors.js';
import { cannotRead } from '../core/file-faults.js';
import { decodeText } from '../core/text-file.js';
import type { NamedPictures } from '../score/files.js';
import { parseCsv } from '../core/csv.js';

/** A picture of a list: a path, never a pattern. */
type ListedPicture = Required<NamedPictures> & { readonly listed: true };
type Pair = Pick<ListedPicture, 'image' | 'prompt'>;

/** Reads a list; its pictures' paths start from the folder of the list. Throws an error that names file and line. */
export function readPromptsFile(file: string, cwd: string): ListedPicture[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(cwd, file));
  } catch (cause) {
    throw cannotRead(file, cause);
  }
  const text = decodeText(bytes, file);
  const read = /^\s*\{/.test(text) ? fromLines : fromCsv;
  const pictures = read(text, file);
  if (pictures.length === 0) throw new UsageError(`${file} lists no pictures`);
  return pictures.map(({ image, prompt }) => ({
    image: isAbsolute(image) ? image : join(dirname(file), image),
    prompt,
    listed: true,
  }));
}

function fromCsv(text: string, file: string): Pair[] {
  const [head, ...rows] = parseCsv(text, file);
  const names = head?.cells ?? [];
  const [image, prompt] = [names.indexOf('image'), names.indexOf('prompt')];
  if (image < 0 || prompt < 0) {
    throw new UsageError(`${file} has the columns ${names.join(', ')}: it needs image and prompt`);
  }
  return rows.map(({ cells, line }) =>
    checked({ image: cells[image], prompt: cells[prompt] }, `line ${line} of ${file}`),
  );
}

function fromLines(text: string, file: string): Pair[] {
  return text.split(/\r\n?|\n/).flatMap((line, i) => {
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
): Pair {
  if (
    typeof image === 'string' &&
    image.trim() !== '' &&
    typeof prompt === 'string' &&
    prompt.trim() !== ''
  ) {
    return { image: image.trim(), prompt: prompt.trim() };
  }
  throw new UsageError(`${where} lacks the image or its prompt`);
}
