// The public names of the RPC: a line to methods that run elsewhere, and the other end that serves them.

export { type Carrier, CARRIERS, elsewhere, ownPort } from './elsewhere.js';
export { Line } from './line.js';
export { serve, type ServedCall } from './serve.js';
