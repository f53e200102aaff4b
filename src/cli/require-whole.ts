/** A manifest may have been cut short by hand, or be of something else that is called run.json: better told than stumbled over. */
import {MANIFEST} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {CommandError} from './command-error.js';

/** @throws CommandError when it lacks what is told of every map. */
export const requireWhole = (workDir: string, manifest: Manifest): Manifest => {
	const {session, createdAt, message, engine, tags, function: fn, processNode, library} = manifest as Partial<Manifest>;
	const texts = [session, createdAt, message, engine, fn?.name, fn?.kind, processNode?.host, processNode?.user, library?.version];
	const isWhole = texts.every(text => typeof text === 'string') && Array.isArray(tags) && !Number.isNaN(Date.parse(createdAt ?? ''));
	if (!isWhole) throw new CommandError(`${workDir}/${MANIFEST} is damaged: it lacks what every map has.`);
	return manifest;
};
