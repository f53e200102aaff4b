/** As one word of any shell. No line of it begins with `#`: schedulers look for their own options in such lines (`#$ -h`, `#SBATCH`). */
export const quoteForShell = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll('\n', "\n''")}'`;

/** As people type it: quoted only where it must be. */
export const shellWord = (text: string): string => (/^[\w./:@%+,=-]+$/.test(text) ? text : quoteForShell(text));
