/** Values as streams on the page. */
import type { Commit, SetOptions, StreamOptions } from '../contract/store.js';
import { pour, streamOf } from './pieces.js';
import { type Remote, split } from './remote.js';

export async function setStream(
  remote: Remote,
  key: string,
  readable: ReadableStream<Uint8Array>,
  options: SetOptions | undefined,
): Promise<Commit> {
  const { signal, others } = split(options);
  return pour(readable, signal, {
    name: 'setStream',
    begin: () => remote.call<string>('streamBegin', [key, others], signal),
    write: (id, part) => remote.call<void>('streamWrite', [id, part], signal),
    end: (id) => remote.call<Commit>('streamEnd', [id], signal),
    release: (id) => remote.call('streamRelease', [id]),
  });
}

export async function getStream(
  remote: Remote,
  key: string,
  options: StreamOptions | undefined,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const { signal, others } = split(options);
  const begun = remote.call<string | undefined>('readBegin', [key, others], signal);
  const id = await begun;
  if (id === undefined) return undefined;
  return streamOf(signal, {
    begun,
    next: () => remote.call<[Uint8Array, boolean]>('readNext', [id], signal),
    release: () => {
      remote.call('readRelease', [id]).catch(() => {});
    },
  });
}
