// The film of a result: kept where it is asked for, drawn from the winner's packed state, and written as an animation.

import sharp from 'sharp';
