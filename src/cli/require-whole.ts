/** A manifest may have been changed by hand, or be of something else that is called run.json: better told than stumbled over. */
import type {FunctionReference} from '../function-reference.js';
import {MANIFEST} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {CommandError} from './command-error.js';

/** @throws CommandError unless what is told of every map is there, and is what it must be. */
export const requireWhole = (workDir: string, manifest: Manifest): Manifest => {
	if (isWhole(manifest)) return manifest;
	throw new CommandError(`${workDir}/${MANIFEST} is damaged: it lacks what every map has.`);
};

/** What is read may be anything. */
type Unknown<T> = {readonly [Key in keyof T]?: unknown};

const isWhole = (manifest: Unknown<Manifest>): boolean => {
	const {session, workDir, createdAt, message, seed, engine, call, node, library, function: fn, processNode, rerunOf} = manifest;
	const {tags, configFiles, incompleteOptions, numTasks, numChunks, sharedBytes, gitCommit, gitDiffBytes, itasks, options} = manifest;
	if (!isObject(library) || !isObject(fn) || !isObject(processNode) || !isObject(options)) return false;
	const {host, user, cwd, pid, command} = processNode as Unknown<Manifest['processNode']>;
	return (
		[session, workDir, message, seed, engine, call, node, library.name, library.version, host, user, cwd].every(isText) &&
		isText(createdAt) &&
		!Number.isNaN(Date.parse(createdAt)) &&
		[tags, configFiles, incompleteOptions, command].every(isTexts) &&
		isNumber(pid) &&
		[numTasks, numChunks].every(number => number === null || isNumber(number)) &&
		[sharedBytes, gitDiffBytes].every(number => number === undefined || isNumber(number)) &&
		(gitCommit === undefined || isText(gitCommit)) &&
		(rerunOf === undefined || (isObject(rerunOf) && isText(rerunOf.workDir))) &&
		(itasks === undefined || (Array.isArray(itasks) && itasks.every(isNumber))) &&
		isReference(fn as Unknown<FunctionReference>)
	);
};

const isReference = (reference: Unknown<FunctionReference>): boolean => {
	if (!isText(reference.name)) return false;
	const {url, exportPath, module, path, file, sha256} = reference as Readonly<Record<string, unknown>>;
	switch (reference.kind) {
		case 'module':
			return isText(url) && URL.canParse(url) && isTexts(exportPath) && (sha256 === undefined || isText(sha256));
		case 'builtin':
			return isText(module) && isTexts(exportPath);
		case 'global':
			return isTexts(path);
		case 'source':
			return file === undefined || isText(file);
		default:
			return false;
	}
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
