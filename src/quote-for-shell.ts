/** As one word of any shell. No line of it begins with `#`: schedulers look for their own options in such lines (`#$ -h`, `#SBATCH`). */
export const quoteForShell = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll('\n', "\n''")}'`;
