/** The engine over an injected log, clock and timers. */
export { type Codec, type OwnCodecs, requireCodec, withCodecs } from './codecs.js';
export { Engine } from './engine.js';
export type { Environment } from './environment.js';
export type { FeedPlace } from './feed.js';
export { type Operator, type OwnOperators, withOperators } from './operators.js';
export { type MakePolicy, type OwnPolicies, withPolicies } from './policies.js';
export type { Piece } from './scans.js';
