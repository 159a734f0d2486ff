// Imported first, for its effect: an old Node.js fails by one line that says so, not by the first thing that it does not know.

import { UsageError } from './errors.js';
import { nodeFault } from './node-version.js';

const fault = nodeFault();
if (fault !== undefined) throw new UsageError(fault);
