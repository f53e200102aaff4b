/**
 * Calls a program of Grid Engine. Those of Debian and Ubuntu are one shell script, `gridengine-wrapper`, that finds out at each call where Grid Engine is and what
 * machine this is, with a C preprocessor among others: ten times the processor time of the program itself. Here it is asked once.
 */
import {accessSync, constants, readFileSync, realpathSync} from 'node:fs';
import {basename, join} from 'node:path';
import {type ProgramResult, runProgram} from './run-program.js';

type Settings = {readonly timeoutMs: number; readonly environment: NodeJS.ProcessEnv};

/** As `runProgram`. */
export const runGridEngineProgram = async (program: string, args: readonly string[], settings: Settings): Promise<ProgramResult> => {
	let wrapped = known.get(program);
	if (wrapped === undefined) {
		wrapped = unwrap(program, settings);
		known.set(program, wrapped);
	}
	const found = await wrapped;
	if (found === undefined) return runProgram(program, args, settings);
	return runProgram(found.path, args, {
		...settings,
		environment: {...settings.environment, ...chooseVariables(settings.environment, found)},
	});
};

/** A program, and what the script puts into its environment: besides these three what the site's `/etc/default/gridengine` exports, as `SGE_QMASTER_PORT`. */
type Wrapped = {readonly path: string; readonly variables: Readonly<Record<string, string>>};

const VARIABLES: readonly string[] = ['SGE_ROOT', 'SGE_CELL', 'SGE_ARCH'];

/** By the path of the program; undefined in it for one that is called as it is. */
const known = new Map<string, Promise<Wrapped | undefined>>();

/** Of the three what the caller has in its environment goes first, as with the script. */
const chooseVariables = (environment: NodeJS.ProcessEnv, {variables}: Wrapped): NodeJS.ProcessEnv => ({
	...variables,
	...Object.fromEntries(VARIABLES.map(name => [name, environment[name] || variables[name]])),
});

const unwrap = async (program: string, settings: Settings): Promise<Wrapped | undefined> => {
	try {
		const script = realpathSync(program);
		if (basename(script) !== 'gridengine-wrapper') return undefined;
		const text = readFileSync(script, 'utf8');
		const call = CALL.exec(text);
		const head = text.slice(0, call?.index);
		if (call === null || LOOKS_AT_ARGUMENTS.test(head)) return undefined;
		const path = join(call[1] as string, basename(program));
		accessSync(path, constants.X_OK);
		const environment = Object.fromEntries(Object.entries(settings.environment).filter(([name]) => !VARIABLES.includes(name)));
		// What the script says by itself comes before the first NUL.
		const print = "printf '\\0'; exec env -0";
		const {ending, exitCode, stdout} = await runProgram('/bin/sh', ['-c', `${head}\n${print}`, program], {...settings, environment});
		if (ending !== 'exited' || exitCode !== 0) return undefined;
		const variables = findChanged(stdout.split('\0').slice(1, -1), environment);
		return VARIABLES.every(name => variables[name]) ? {path, variables} : undefined;
	} catch {
		// Then it is called as it is, and says itself what is wrong.
		return undefined;
	}
};

/** @param entries - As `NAME=value`. */
const findChanged = (entries: readonly string[], before: NodeJS.ProcessEnv): Record<string, string> =>
	Object.fromEntries(
		entries
			.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const)
			.filter(([name, value]) => before[name] !== value && !OF_THE_CALL.test(name)),
	);

/** The shell's own, and what `runProgram` sets by itself. */
const OF_THE_CALL = /^(?:PWD|OLDPWD|SHLVL|_|LC_ALL|LANGUAGE)$/;

/** The last line of the script. */
const CALL = /\nexec (\/[\w./-]+)\/\$\{?PROG\}? "\$@"\s*$/;

/** Words by which it would do this for one call and that for another. */
const LOOKS_AT_ARGUMENTS = /\$\{?[@*#1-9]|\bshift\b|\bgetopts\b/;
