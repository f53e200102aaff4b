/** Says how a worker gets a function back. Plain data: it is written into the manifest of the map. */
export type FunctionReference = {
	/** For people. */
	readonly name: string;
} & (ModuleReference | BuiltinReference | GlobalReference | SourceReference);

/** An export of a module. */
export type ModuleReference = {
	readonly kind: 'module';
	/** A `file:` URL. */
	readonly url: string;
	/** From the module's namespace (or `module.exports`) to the function; empty when `module.exports` is the function. */
	readonly exportPath: readonly string[];
	/** The function was found in `require.cache`: the worker gets it by `require` too, so that the path starts at `module.exports`. */
	readonly commonjs?: true;
	/** Of the module's file at submission: for people and for those who go on with the map. */
	readonly sha256?: string;
	/** The same for workers, which look whether it has changed. */
	readonly crc32?: number;
};

/** An export of a module of Node itself, as `node:path`. */
export type BuiltinReference = {readonly kind: 'builtin'; readonly module: string; readonly exportPath: readonly string[]};

/** A function on globalThis, as `['Math', 'sqrt']`. */
export type GlobalReference = {readonly kind: 'global'; readonly path: readonly string[]};

/** A self-contained function. */
export type SourceReference = {
	readonly kind: 'source';
	/** An expression whose value is the function. */
	readonly source: string;
	/** Where it was written: its `import()` and `require` start here, and stack traces name it. */
	readonly file?: string;
	readonly line?: number;
	/** It was no strict code where it was written. */
	readonly sloppy?: true;
};

/** Names a function by its module and export: `{module: new URL('./work.js', import.meta.url), name: 'square'}`. */
export type FunctionMark = {
	/** A `file:` URL or an absolute path. */
	readonly module: URL | string;
	/** The name of the export; an array for a function inside an exported object, as `['operations', 'add']`. */
	readonly name: string | readonly string[];
};

export type AnyFunction = (...args: never[]) => unknown;
