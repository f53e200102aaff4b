import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';

/** Executables of this test's own, each made of lines for /bin/sh unless it begins with `#!` or is a module. */
export const makePrograms = <Name extends string>(
	programs: Readonly<Record<Name, string>>,
): {readonly directory: string; readonly paths: Readonly<Record<Name, string>>} => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-programs-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	const paths = Object.entries<string>(programs).map(([name, lines]) => {
		const path = join(directory, name);
		writeFileSync(path, lines.startsWith('#!') || name.endsWith('.mts') ? lines : `#!/bin/sh\n${lines}\n`, {mode: 0o755});
		return [name, path];
	});
	return {directory, paths: Object.fromEntries(paths) as Record<Name, string>};
};
