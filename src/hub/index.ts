// The door of the room: facts about files on the Hub, where the cache has them, and how they are fetched.

export { findPart, isBegun, lookIn, type PartState } from './cache.js';
export { bytesOf, type HubLicence, type HubPart, type HubSet, namesOf, type WebFile } from './facts.js';
export { pull, type PullEvent, type PullOptions, type PullResult, type Terms, webPath } from './pull.js';
export { type Environment, hubCache } from './settings.js';
