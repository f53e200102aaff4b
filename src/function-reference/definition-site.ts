/**
 * V8 knows where a function was written and which variables it can see. The inspector tells it within the process: it opens no port
 * and prints nothing.
 */
import type {Session as InspectorSession} from 'node:inspector';
import {SourceMap} from 'node:module';
import process from 'node:process';
import {fileURLToPath, pathToFileURL} from 'node:url';
import type {AnyFunction} from './types.js';

export type DefinitionSite = {
	/** Of the script: `file:`, `node:`, or empty for code that was made from a string. */
	readonly url: string;
	/** The script is an ES module that Node itself has loaded: importing its URL gives the same instance and runs nothing. */
	readonly isModule: boolean;
	readonly file: string | undefined;
	/** From 1, in the file as its author wrote it. */
	readonly line: number;
	/** Every variable around the function that it, or a function next to it, uses. Globals are not among them. */
	readonly namesInScope: ReadonlySet<string>;
	/** It was written inside another function, of which it uses a variable. */
	readonly isClosure: boolean;
	/** The objects and functions among the variables at the top level of its module. */
	readonly moduleValues: ReadonlyMap<string, unknown>;
};

export type Inspection = {
	/** Undefined for a native, bound or proxied function, and where the inspector can't be used. */
	readonly site: DefinitionSite | undefined;
	/** ES modules that Node itself has loaded. Undefined where the inspector can't be used. */
	readonly moduleUrls: ReadonlySet<string> | undefined;
};

export const inspectFunction = async (fn: AnyFunction): Promise<Inspection> => {
	let session: InspectorSession | undefined;
	try {
		// Some builds of Node have no inspector, and `--permission` closes it.
		const {Session} = await import('node:inspector');
		session = new Session();
		session.connect();
		return inspect(session, fn);
	} catch {
		return {site: undefined, moduleUrls: undefined};
	} finally {
		session?.disconnect();
	}
};

type RemoteObject = {readonly type: string; readonly description?: string; readonly objectId?: string; readonly value?: unknown};
type Property = {readonly name: string; readonly value?: RemoteObject};
type Properties = {readonly result: readonly Property[]; readonly internalProperties?: readonly Property[]};
type Script = {
	readonly scriptId: string;
	readonly url: string;
	readonly isModule?: boolean | undefined;
	readonly sourceMapURL?: string | undefined;
};
type Location = {readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number};

// Values pass between this code and the inspector through a property of `process`: unlike globalThis it is the same object in every
// context, and some test runners use several.
const EXCHANGE = Symbol.for('queue-map-reduce.inspect');
const exchange = process as unknown as {[EXCHANGE]?: unknown};

const inspect = (session: InspectorSession, fn: AnyFunction): Inspection => {
	const scripts = new Map<string, Script>();
	session.on('Debugger.scriptParsed', ({params}) => scripts.set(params.scriptId, params));
	try {
		exchange[EXCHANGE] = fn;
		const {result} = post<{result: RemoteObject}>(session, 'Runtime.evaluate', {
			expression: `process[Symbol.for('${EXCHANGE.description}')]`,
		});
		const internals = properties(session, result).internalProperties ?? [];
		const location = internals.find(({name}) => name === '[[FunctionLocation]]')?.value?.value as Location | undefined;
		const scopes = internals.find(({name}) => name === '[[Scopes]]')?.value;
		post(session, 'Debugger.enable');
		const script = location && scripts.get(location.scriptId);
		return {
			site: location && {...place(location, script), ...variables(session, scopes)},
			moduleUrls: new Set([...scripts.values()].filter(({isModule}) => isModule).map(({url}) => url)),
		};
	} finally {
		delete exchange[EXCHANGE];
	}
};

// An in-process session answers before `post` returns.
const post = <T>(session: InspectorSession, method: string, params: object = {}): T => {
	let answer: {readonly error: Error | null; readonly result?: unknown} | undefined;
	session.post(method, params, (error, result) => {
		answer = {error, result};
	});
	if (answer === undefined || answer.error !== null) throw answer?.error ?? new Error(`No answer to ${method}`);
	return answer.result as T;
};

const properties = (session: InspectorSession, {objectId}: RemoteObject): Properties =>
	post(session, 'Runtime.getProperties', {objectId, ownProperties: true});

const place = (location: Location, script: Script | undefined): Pick<DefinitionSite, 'url' | 'isModule' | 'file' | 'line'> => {
	const named = script?.url ?? '';
	const url = named.startsWith('/') ? pathToFileURL(named).href : named;
	return {
		url,
		isModule: script?.isModule === true,
		file: url.startsWith('file:') ? fileURLToPath(url) : undefined,
		line: originalLine(location, script?.sourceMapURL),
	};
};

// tsx, vitest and the like put the source map into the code they make.
const originalLine = ({lineNumber, columnNumber = 0}: Location, sourceMapUrl = ''): number => {
	const [, base64] = /^data:application\/json[^,]*;base64,(.*)$/s.exec(sourceMapUrl) ?? [];
	if (base64 === undefined) return lineNumber + 1;
	try {
		const entry = new SourceMap(JSON.parse(Buffer.from(base64, 'base64').toString())).findEntry(lineNumber, columnNumber);
		return ('originalLine' in entry ? entry.originalLine : lineNumber) + 1;
	} catch {
		return lineNumber + 1;
	}
};

// V8 lists scopes from the innermost to the outermost; the last one before the global one is the module's top level.
const variables = (
	session: InspectorSession,
	scopes: RemoteObject | undefined,
): Pick<DefinitionSite, 'namesInScope' | 'isClosure' | 'moduleValues'> => {
	const listed = scopes === undefined ? [] : properties(session, scopes).result;
	const contents = listed
		.filter(({name, value}) => /^\d+$/.test(name) && value?.objectId !== undefined && value.description !== 'Global')
		.map(({value}) => properties(session, value as RemoteObject).result);
	return {
		namesInScope: new Set(contents.flat().map(({name}) => name)),
		isClosure: contents.length > 1,
		moduleValues: valuesOf(session, contents.at(-1) ?? []),
	};
};

const valuesOf = (session: InspectorSession, variablesOfScope: readonly Property[]): ReadonlyMap<string, unknown> => {
	const withObjects = variablesOfScope.filter(({value}) => value?.objectId !== undefined);
	const [first] = withObjects;
	if (first === undefined) return new Map();
	post(session, 'Runtime.callFunctionOn', {
		objectId: first.value?.objectId,
		functionDeclaration: `function (...values) { process[Symbol.for('${EXCHANGE.description}')] = values; }`,
		arguments: withObjects.map(({value}) => ({objectId: value?.objectId})),
	});
	const values = exchange[EXCHANGE] as readonly unknown[];
	return new Map(withObjects.map(({name}, index) => [name, values[index]]));
};
