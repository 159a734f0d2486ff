// A worker of a benchmark with fake models.

import { serveHand } from '../../src/benchmarks/serve.js';
import { fakeCatalogs } from './catalogs.js';

serveHand(() => Promise.resolve(fakeCatalogs()));
