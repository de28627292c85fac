/** Types of `serve.mjs`. */
export const CONTENT_SECURITY_POLICY: string;
export function serve(
  directory: string,
  options?: { port?: number; headers?: Record<string, string> },
): Promise<{ url: string; port: number; close(): Promise<void> }>;
