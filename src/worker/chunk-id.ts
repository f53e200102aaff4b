/** Which attempt at which chunk this worker is. */
export type ChunkId = {readonly workDir: string; readonly ichunk: number; readonly attempt: number};
