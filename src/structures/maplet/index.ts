/**
 * Maplets: maps of a few bytes an entry that may answer for a key they never
 * saw, and never miss one they hold.
 *
 * `Maplet` holds small values that merge by an operator. `IndexMaplet` says where the record of a key is; it is what a store keeps in
 * memory instead of its keys.
 */
export { hashString, lane, type Secret, secretFrom } from '../../base/hash.js';
export {
  decodeSegments,
  encodeSegments,
  IndexImage,
  type SavedSegment,
  type Saving,
} from './index-image.js';
export { IndexMaplet, type IndexMapletOptions, type IndexStats } from './index-maplet.js';
export { Maplet, type MapletEntry, type MapletOptions, type MapletStats } from './maplet.js';
export { OPERATORS, type Operator, type OperatorName, operatorOf } from './operators.js';
export { IndexPublisher, IndexReader } from './shared-index.js';
