// The Node.js that this package needs. Nothing here is newer than what the oldest ones can read.

/** As package.json says it under engines. */
export const NEEDED_NODE = '20.10';

/** What is wrong with a version of Node.js, in one line, or undefined. */
export function nodeFault(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = NEEDED_NODE.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return `varsearch needs Node.js ${NEEDED_NODE} or newer, and this is ${version}: install a newer one (nodejs.org)`;
}
