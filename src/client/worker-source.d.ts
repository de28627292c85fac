/** The worker in one self-contained script, made by the build. */
export const source: string;
