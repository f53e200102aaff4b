/**
 * The engines that are there, and what each can do by itself: start many small programs.
 *
 * @typedef {object} BenchEngine
 * @property {'grid-engine' | 'slurm' | 'local'} name
 * @property {string} version
 * @property {Record<string, unknown>} options - of the pool
 * @property {string} arrayName - what `array` runs
 * @property {(count: number, code: string) => Promise<number>} array - seconds for so many `node -e CODE` in one job array
 * @property {string} singlesName - what `singles` runs
 * @property {(count: number, code: string) => Promise<number>} singles - seconds for so many `node -e CODE`, each submitted alone and all at once, until the last has ended
 */
import {spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {findProgram, run, time} from './programs.js';

/** @type {(directory: string, slots: number) => Promise<BenchEngine[]>} */
export const findEngines = async (directory, slots) => {
	const found = await Promise.all([findGridEngine(directory), findSlurm(directory)]);
	return [...found.flatMap(engine => engine ?? []), createLocal(slots)];
};

/** @type {(directory: string) => Promise<BenchEngine | undefined>} */
const findGridEngine = async directory => {
	if (findProgram('qsub') === undefined || findProgram('qstat') === undefined) return undefined;
	const help = await run('qstat', ['-help']).catch(() => '');
	const version = /^.*(?:SGE|Grid Engine|GE) *(\S*)$/m.exec(help.split('\n')[0] ?? '')?.[1];
	if (version === undefined || (await run('qstat', []).catch(() => undefined)) === undefined) return undefined;
	const output = ['-j', 'n', '-o', '/dev/null', '-e', '/dev/null', '-wd', '/', '-b', 'y'];
	return {
		name: 'grid-engine',
		version: `Grid Engine ${version}`,
		options: {engine: 'grid-engine'},
		arrayName: 'qsub -t -sync y',
		// A shell reads what is to be run.
		array: (count, code) => time(() => run('qsub', [...output, '-t', `1-${count}`, '-sync', 'y', process.execPath, '-e', `'${code}'`])),
		singlesName: 'qsub, concurrently',
		singles: (count, code) =>
			untilMarked(directory, count, async marks => {
				const script = path.join(marks, '.script');
				writeFileSync(script, `#!/bin/sh\n'${process.execPath}' -e '${code}'\n: >'${marks}/'$JOB_ID\n`);
				const args = ['-j', 'n', '-o', '/dev/null', '-e', '/dev/null', '-wd', '/', '-b', 'n', '-S', '/bin/sh', '-terse', script];
				await Promise.all(Array.from({length: count}, () => run('qsub', args)));
			}),
	};
};

/** How often it is looked whether all have ended. */
const LOOK_MS = 20;

/**
 * Seconds until each job has left a file, which the shell that runs it anyway makes when node has ended. Accounting knows full seconds only, and to ask the
 * queue would take the time that is measured.
 *
 * @type {(directory: string, count: number, submit: (marks: string) => Promise<unknown>) => Promise<number>}
 */
const untilMarked = async (directory, count, submit) => {
	const marks = mkdtempSync(path.join(directory, 'marks-'));
	try {
		return await time(async () => {
			await submit(marks);
			while (readdirSync(marks).filter(name => !name.startsWith('.')).length < count) await sleep(LOOK_MS);
		});
	} finally {
		rmSync(marks, {recursive: true});
	}
};

/** @type {(directory: string) => Promise<BenchEngine | undefined>} */
const findSlurm = async directory => {
	if (findProgram('sbatch') === undefined) return undefined;
	const version = await run('sbatch', ['--version']).catch(() => undefined);
	if (version === undefined || (await run('squeue', ['-h']).catch(() => undefined)) === undefined) return undefined;
	const common = ['--output=/dev/null', '--error=/dev/null', '--chdir=/', '--no-requeue', '--parsable'];
	// sbatch --wait looks every few seconds only.
	const wrap = (/** @type {string} */ marks, /** @type {string} */ code, /** @type {string} */ file) =>
		`--wrap='${process.execPath}' -e '${code}'; : >'${marks}/'${file}`;
	return {
		name: 'slurm',
		version: version.trim(),
		options: {engine: 'slurm'},
		arrayName: 'sbatch --array',
		array: (count, code) =>
			untilMarked(directory, count, marks => run('sbatch', [...common, `--array=1-${count}`, wrap(marks, code, '$SLURM_ARRAY_TASK_ID')])),
		singlesName: 'sbatch, concurrently',
		singles: (count, code) =>
			untilMarked(directory, count, marks =>
				Promise.all(Array.from({length: count}, () => run('sbatch', [...common, wrap(marks, code, '$SLURM_JOB_ID')]))),
			),
	};
};

/** @type {(slots: number) => BenchEngine} */
const createLocal = slots => {
	const xargs = (/** @type {number} */ count, /** @type {string} */ code) =>
		time(() => feed('xargs', ['-P', String(slots), '-n', '1', process.execPath, '-e', code], count));
	return {
		name: 'local',
		version: 'this machine',
		options: {engine: 'local', slots},
		arrayName: 'xargs -P',
		array: xargs,
		singlesName: 'xargs -P',
		singles: xargs,
	};
};

/** The numbers from 1 as lines of its input. @type {(program: string, args: readonly string[], count: number) => Promise<void>} */
export const feed = async (program, args, count) => {
	const child = spawn(program, args, {stdio: ['pipe', 'ignore', 'inherit']});
	child.stdin.end(Array.from({length: count}, (_, i) => `${i + 1}\n`).join(''));
	const code = await new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('exit', resolve);
	});
	if (code !== 0) throw new Error(`${program} has ended with ${code}`);
};
