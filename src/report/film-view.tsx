// The film strip of a result: the picture after each of its steps.

import type { VNode } from 'preact';

import type { GenerateResult } from '../run/result.js';
import { Section } from './components/parts.js';
import { type Illustrated, pixelClass } from './pictures.js';

/** Frames are at most this many pixels wide. */
export const FRAME = 160;

/** The section that shows how the result came to be; nothing where its film was not kept. */
export function FilmSection({ result }: { readonly result: Illustrated<GenerateResult> }): VNode | null {
  const { film } = result.pictures;
  if (!film) return null;
  const { unit, steps } = result.schedule;
  return (
    <Section
      id="film"
      title={`The picture, ${unit} by ${unit}`}
      lead={`The result after each of its ${film.length} ${unit}s: the sum of all codes until then, decoded. Large shapes come first. These decodes are not in the ledger.`}
    >
      <div
        class="strip"
        tabIndex={0}
        role="region"
        aria-label={`The picture after each of its ${film.length} ${unit}s`}
      >
        <ol class="film">
          {film.map((image, i) => (
            <li>
              <img
                class={pixelClass(image.width)}
                src={result.urlOf(image)}
                alt={`The result after ${unit} ${i + 1} of ${film.length}`}
                width={FRAME}
                height={FRAME}
              />
              <span>{steps[i]?.label}</span>
            </li>
          ))}
        </ol>
      </div>
    </Section>
  );
}
