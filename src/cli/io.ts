// What the command line needs of its surroundings, so that tests can stand in for them.

import type { Catalogs } from '../engine/catalogs.js';

/** A stream that text is written to. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** The surroundings of a command. */
export interface CliIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
  readonly catalogs: () => Promise<Catalogs>;
  /** Calls the handler when the user asks to stop; gives the function that ends the listening. */
  readonly onInterrupt: (handler: (signal: InterruptSignal) => void) => () => void;
  /** Puts a question to the user, whose answer is yes or no. @default nobody is there */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
}

/** The signals that ask a program to stop, with their exit codes. */
export const INTERRUPT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** One of the signals that ask a program to stop. */
export type InterruptSignal = keyof typeof INTERRUPT_CODES;

/** A text without control characters: what comes from a file must not steer the terminal. */
export function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- exactly the control characters are meant
  return text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** The size of a terminal in characters; some say 0 when they do not know theirs. */
export function sizeOf({ columns = 0, rows = 0 }: Output): {
  readonly columns: number;
  readonly rows: number;
} {
  return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
}

/** Writes one line. */
export function line(output: Output, text = ''): void {
  output.write(`${text}\n`);
}
