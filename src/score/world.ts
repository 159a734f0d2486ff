// The embedded verifiers know the pictures of the embedded model only: a word of warning when they are shown others.

import { PICTURE_SIDE } from '../toybox/world/scene.js';
import type { VerifierEntry } from '../verifiers/catalog.js';

/** What is known of a picture before it is scored. */
interface SizedFile {
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

const isToybox = ({ width, height }: SizedFile): boolean => width === PICTURE_SIDE && height === PICTURE_SIDE;

/** A line that names verifiers of the toybox world, pictures that are not from there, and who can judge those; or null. */
export function worldWarning(
  entries: readonly VerifierEntry[],
  pictures: readonly SizedFile[],
  catalogue: readonly VerifierEntry[],
): string | null {
  const small = entries.filter(({ world }) => world === 'toybox').map(({ name }) => name);
  const others = pictures.filter((picture) => !isToybox(picture));
  const [first] = others;
  if (small.length === 0 || !first) return null;
  const which =
    others.length === 1 && pictures.length === 1
      ? `${first.path} is`
      : `${others.length} of ${pictures.length} pictures are others, such as ${first.path} with`;
  const instead = counterparts(small, catalogue);
  return (
    `${small.join(', ')} can judge the embedded model's pictures of ${PICTURE_SIDE} x ${PICTURE_SIDE} pixels only, and ` +
    `${which} ${first.width} x ${first.height}: the scores say little` +
    (instead.length === 0 ? '' : `; take ${instead.join(', ')} (see varsearch verifiers)`)
  );
}

/** The verifiers for any picture that are called like the small ones, or all of them where none is. */
function counterparts(small: readonly string[], catalogue: readonly VerifierEntry[]): string[] {
  const any = catalogue.filter(({ world }) => world === 'any').map(({ name }) => name);
  const alike = any.filter((name) => small.some((each) => name.startsWith(`${each}-`)));
  return alike.length > 0 ? alike : any;
}
