import vm from 'node:vm';

let names: ReadonlySet<string> | undefined;

/** The globals that every Node process has: those of the language and of Node, without what a program has added to globalThis. */
export const workerNames = async (): Promise<ReadonlySet<string>> => {
	if (names !== undefined) return names;
	const {default: globals} = await import('globals');
	// The list covers all versions of Node; this one has what is on globalThis.
	const ofNode = Object.keys(globals.nodeBuiltin).filter(name => name in globalThis);
	const ofLanguage: readonly string[] = vm.runInNewContext('Object.getOwnPropertyNames(globalThis)');
	names = new Set([...ofLanguage, ...ofNode]);
	return names;
};
