// The entry of a worker's process.

import { builtInCatalogs } from '../engine/catalogs.js';
import { serveHand } from './serve.js';

serveHand(builtInCatalogs);
