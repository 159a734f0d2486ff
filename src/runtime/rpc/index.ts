// The public names of the RPC: a line to methods that run elsewhere, and the other end that serves them.

export { Line } from './line.js';
export { serve, type ServedCall } from './serve.js';
export { inThread, threadPort } from './thread.js';
