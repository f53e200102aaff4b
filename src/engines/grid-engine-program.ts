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

/** A program, and what it must find in its environment. */
type Wrapped = {readonly path: string; readonly variables: Readonly<Record<Variable, string>>};

type Variable = (typeof VARIABLES)[number];

const VARIABLES = ['SGE_ROOT', 'SGE_CELL', 'SGE_ARCH'] as const;

/** By the path of the program; undefined in it for one that is called as it is. */
const known = new Map<string, Promise<Wrapped | undefined>>();

/** What the caller has in its environment goes first, as with the script. */
const chooseVariables = (environment: NodeJS.ProcessEnv, {variables}: Wrapped): Record<string, string> =>
	Object.fromEntries(VARIABLES.map(name => [name, environment[name] || variables[name]]));

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
		const print = `printf '%s\\0' ${VARIABLES.map(name => `"$${name}"`).join(' ')}`;
		const environment = Object.fromEntries(
			Object.entries(settings.environment).filter(([name]) => !(VARIABLES as readonly string[]).includes(name)),
		);
		const {ending, exitCode, stdout} = await runProgram('/bin/sh', ['-c', `${head}\n${print}`, program], {...settings, environment});
		const values = stdout.split('\0').slice(0, -1);
		if (ending !== 'exited' || exitCode !== 0 || values.length !== VARIABLES.length || values.includes('')) return undefined;
		return {path, variables: Object.fromEntries(VARIABLES.map((name, i) => [name, values[i]])) as Wrapped['variables']};
	} catch {
		// Then it is called as it is, and says itself what is wrong.
		return undefined;
	}
};

/** The last line of the script. */
const CALL = /\nexec (\/[\w./-]+)\/\$\{?PROG\}? "\$@"\s*$/;

/** Words by which it would do this for one call and that for another. */
const LOOKS_AT_ARGUMENTS = /\$\{?[@*#1-9]|\bshift\b|\bgetopts\b/;
