// One CLIP for several verifiers: each picture goes through the image tower once, whoever asks first. Pictures are known
// by identity, so what is remembered goes when the picture does.

import { isAbortError } from '../../core/errors.js';
import type { Image } from '../../core/image.js';
import type { Runtime } from '../../runtime/index.js';
import { type ClipEncoder, type EmbedOptions, openClip } from './clip.js';

/** CLIPs that are opened once for all who ask for the same files. */
export interface ClipPool {
  /** A share of the CLIP of a folder; the caller closes it, and the CLIP goes with its last share. Throws CheckpointError. */
  open(folder: string, options?: { readonly weights?: string }): Promise<ClipEncoder>;
}

/** A pool whose CLIPs are loaded into `runtime`, which stays the caller's. */
export function createClipPool(runtime: Runtime): ClipPool {
  const open = new Map<string, { readonly clip: Promise<ClipEncoder>; shares: number }>();
  return {
    async open(folder, options = {}) {
      const key = JSON.stringify([folder, options.weights]);
      const entry = open.get(key) ?? {
        clip: openClip(runtime, folder, options).then(rememberPictures),
        shares: 0,
      };
      open.set(key, entry);
      entry.shares++;
      const giveBack = (): boolean => {
        entry.shares--;
        return entry.shares === 0 && open.delete(key);
      };
      try {
        const clip = await entry.clip;
        return shareOf(clip, () => {
          if (giveBack()) clip.close();
        });
      } catch (error) {
        giveBack();
        throw error;
      }
    },
  };
}

function shareOf(clip: ClipEncoder, release: () => void): ClipEncoder {
  let closed = false;
  return {
    width: clip.width,
    pictureFlops: clip.pictureFlops,
    embedImages: (...call) => clip.embedImages(...call),
    embedText: (...call) => clip.embedText(...call),
    unseen: (text) => clip.unseen(text),
    hashes: () => clip.hashes(),
    close: () => {
      if (!closed) release();
      closed = true;
    },
  };
}

/**
 * A CLIP that embeds each picture once and remembers it as long as the picture lives; calls under way are shared too.
 * Pictures must not be painted over afterwards. Closing it closes `clip`.
 */
export function rememberPictures(clip: ClipEncoder): ClipEncoder {
  const known = new WeakMap<Image, Promise<Float32Array>>();

  /** Starts one run for all pictures that nobody has asked for yet. */
  const start = (images: readonly Image[], options: EmbedOptions): void => {
    const fresh = [...new Set(images)].filter((image) => !known.has(image));
    if (fresh.length === 0) return;
    const run = clip.embedImages(fresh, options);
    fresh.forEach((image, i) => {
      const row = run.then((all) => all.slice(i * clip.width, (i + 1) * clip.width));
      known.set(image, row);
      row.catch(() => known.delete(image));
    });
  };

  /** A run that somebody else has cancelled is started again by those who still want it. */
  const embed = async (images: readonly Image[], options: EmbedOptions): Promise<Float32Array> => {
    options.signal?.throwIfAborted();
    start(images, options);
    try {
      const rows = await Promise.all(images.flatMap((image) => known.get(image) ?? []));
      options.signal?.throwIfAborted();
      const result = new Float32Array(images.length * clip.width);
      rows.forEach((row, i) => result.set(row, i * clip.width));
      return result;
    } catch (error) {
      if (!isAbortError(error) || options.signal?.aborted) throw error;
      return embed(images, options);
    }
  };
  return {
    width: clip.width,
    pictureFlops: clip.pictureFlops,
    embedImages: (images, options = {}) => embed(images, options),
    embedText: (...call) => clip.embedText(...call),
    unseen: (text) => clip.unseen(text),
    hashes: () => clip.hashes(),
    close: () => {
      clip.close();
    },
  };
}
