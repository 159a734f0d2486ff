// The toybox world: its palettes, shapes, textures and sizes, and the value that describes one picture.
// Everything is drawn by this project itself; training/ holds a Python port that reads shapes.json.

/** Side of a toybox picture in pixels. */
export const PICTURE_SIDE = 64;

/** The most objects that one scene holds. */
export const MAX_OBJECTS = 5;

/** Names of the object colours, in the order of their indices in exported files. */
export const COLOURS = ['red', 'orange', 'yellow', 'green', 'cyan', 'blue', 'purple', 'pink'] as const;
/** Names of the shapes, in the order of their indices in exported files. */
export const SHAPES = ['circle', 'square', 'triangle', 'star', 'heart', 'diamond', 'cross', 'ring'] as const;
/** Names of the textures, in the order of their indices in exported files. */
export const TEXTURES = ['plain', 'striped', 'dotted'] as const;
/** Names of the sizes; prompts leave the medium one unsaid. */
export const SIZES = ['small', 'medium', 'large'] as const;
/** Names of the backgrounds, in the order of their indices in exported files; prompts never name them. */
export const BACKGROUNDS = ['white', 'grey', 'cream', 'mist'] as const;

/** One of the eight object colours. */
export type Colour = (typeof COLOURS)[number];
/** One of the eight shapes. */
export type Shape = (typeof SHAPES)[number];
/** A fill of one colour, or with stripes or dots of its dark shade. */
export type Texture = (typeof TEXTURES)[number];
/** A class of radii. */
export type Size = (typeof SIZES)[number];
/** One of the four pale backgrounds. */
type Background = (typeof BACKGROUNDS)[number];
/** Red, green and blue, each 0..255. */
export type Rgb = readonly [number, number, number];

/** sRGB bytes of the object colours. */
export const COLOUR_RGB: Readonly<Record<Colour, Rgb>> = {
  red: [214, 39, 40],
  orange: [247, 140, 30],
  yellow: [248, 214, 40],
  green: [44, 150, 60],
  cyan: [60, 200, 215],
  blue: [40, 80, 210],
  purple: [135, 55, 175],
  pink: [245, 125, 185],
};

/** sRGB bytes of the backgrounds. */
export const BACKGROUND_RGB: Readonly<Record<Background, Rgb>> = {
  white: [248, 248, 248],
  grey: [214, 214, 214],
  cream: [250, 240, 215],
  mist: [214, 228, 242],
};

/** Brightness of the dark shade in stripes and dots, as a factor on the object's colour. */
export const DARK_SHADE = 0.35;

/** Middle and half width, in pixels, of the radii drawn for each size. */
export const SIZE_RADII: Readonly<Record<Size, { readonly middle: number; readonly spread: number }>> = {
  small: { middle: 7, spread: 0.4 },
  medium: { middle: 9.5, spread: 0.5 },
  large: { middle: 14, spread: 0.7 },
};

/** One object: centre and radius in pixels, x to the right and y downwards from the picture's upper left corner. */
export interface SceneObject {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly texture: Texture;
  readonly radius: number;
  readonly x: number;
  readonly y: number;
}

/** A whole picture as data; objects are painted in order. */
export interface Scene {
  readonly background: Background;
  readonly objects: readonly SceneObject[];
}
