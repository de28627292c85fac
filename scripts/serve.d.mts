/** Types of `serve.mjs`. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export const CONTENT_SECURITY_POLICY: string;
export function serve(
  directory: string,
  options?: {
    port?: number;
    headers?: Record<string, string>;
    first?: (request: IncomingMessage, response: ServerResponse) => boolean;
  },
): Promise<{ url: string; port: number; close(): Promise<void> }>;
