import {readFileSync, realpathSync} from 'node:fs';
import {createRequire} from 'node:module';
import process from 'node:process';
import {fileURLToPath} from 'node:url';

/** True for the script that this process was started with, also through a symbolic link or without its extension. */
export const isEntryModule = (url: string): boolean => {
	const script = process.argv[1];
	if (script === undefined || !url.startsWith('file:')) return false;
	const entry = realFile(script) ?? realFile(`${script}.ts`);
	return entry !== undefined && entry === realFile(fileURLToPath(url));
};

const realFile = (file: string): string | undefined => {
	try {
		return realpathSync(createRequire(file).resolve(file));
	} catch {
		return undefined;
	}
};

/** What the usual ways to run a part of a script only in the main process have in common. */
const GUARDS = /\bisWorker\b|\bimport\.meta\.main\b|\bargv\s*\[\s*1\s*\]|\brequire\.main\b/;

/** Whether a main script seems to keep its start from running on a worker that imports it. */
export const isGuarded = (url: string): boolean => {
	try {
		return GUARDS.test(readFileSync(new URL(url), 'utf8'));
	} catch {
		return false;
	}
};
