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
import {mkdirSync, readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {findProgram, run, time} from './programs.js';

/** @type {(directory: string, slots: number) => Promise<BenchEngine[]>} */
export const findEngines = async (directory, slots) => {
	const found = await Promise.all([findGridEngine(directory), findSlurm(directory)]);
	return [...found.flatMap(engine => engine ?? []), createLocal(slots)];
};

/** A browser of the queue must not be what is measured. */
const LOOK_MS = 250;

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
		array: (count, code) => time(() => run('qsub', [...output, '-t', `1-${count}`, '-sync', 'y', process.execPath, '-e', code])),
		singlesName: 'qsub, concurrently',
		singles: async (count, code) => {
			const name = `bench${process.pid}x${Date.now()}`;
			const startedMs = Date.now();
			await Promise.all(
				Array.from({length: count}, () => run('qsub', [...output, '-terse', '-N', name, process.execPath, '-e', code], {cwd: directory})),
			);
			for (;;) {
				if (!(await run('qstat', ['-r'])).includes(name)) break;
				await sleep(LOOK_MS);
			}
			return (Math.max(await lastEnd(name, count), startedMs) - startedMs) / 1000;
		},
	};
};

/** By its accounting, to the millisecond. @type {(name: string, count: number) => Promise<number>} */
const lastEnd = async (name, count) => {
	for (let triesLeft = 40; ; triesLeft--) {
		const accounted = await run('qacct', ['-j', name]).catch(() => '');
		const ends = [...accounted.matchAll(/^end_time +(.*\S)\s*$/gm)].map(([, text]) => Date.parse(text ?? ''));
		if (ends.length >= count && ends.every(Number.isFinite)) return ends.reduce((a, b) => Math.max(a, b));
		if (triesLeft === 0) throw new Error(`qacct knows the end of ${ends.length} of ${count} jobs`);
		await sleep(LOOK_MS);
	}
};

/** @type {(directory: string) => Promise<BenchEngine | undefined>} */
const findSlurm = async directory => {
	if (findProgram('sbatch') === undefined) return undefined;
	const version = await run('sbatch', ['--version']).catch(() => undefined);
	if (version === undefined || (await run('squeue', ['-h']).catch(() => undefined)) === undefined) return undefined;
	const common = ['--output=/dev/null', '--error=/dev/null', '--chdir=/', '--no-requeue', '--parsable'];
	// sbatch --wait looks every few seconds only: each job leaves a file, by the shell that Slurm runs it in anyway.
	/** @type {(body: (wrap: (file: string) => string, marks: string) => Promise<unknown>, count: number, code: string) => Promise<number>} */
	const untilMarked = async (body, count, code) => {
		const marks = path.join(directory, `slurm-${process.pid}-${Date.now()}`);
		mkdirSync(marks);
		try {
			return await time(async () => {
				await body(file => `'${process.execPath}' -e '${code}'; : >'${marks}/'${file}`, marks);
				while (readdirSync(marks).length < count) await sleep(20);
			});
		} finally {
			rmSync(marks, {recursive: true});
		}
	};
	return {
		name: 'slurm',
		version: version.trim(),
		options: {engine: 'slurm'},
		arrayName: 'sbatch --array',
		array: (count, code) =>
			untilMarked(wrap => run('sbatch', [...common, `--array=1-${count}`, `--wrap=${wrap('$SLURM_ARRAY_TASK_ID')}`]), count, code),
		singlesName: 'sbatch, concurrently',
		singles: (count, code) =>
			untilMarked(
				wrap => Promise.all(Array.from({length: count}, () => run('sbatch', [...common, `--wrap=${wrap('$SLURM_JOB_ID')}`]))),
				count,
				code,
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
