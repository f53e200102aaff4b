import {Refusal} from './answer.js';
import type {Range} from './elements.js';
import {checkPriority, parseArrayRange, parseConcurrency, yesOrNo} from './qsub-words.js';

/** What the options of one call of qsub ask for. */
export type QsubOptions = {
	terse: boolean;
	name?: string;
	queue?: string;
	shell?: string;
	outputPath?: string;
	errorPath?: string;
	isBinary: boolean;
	joinsOutput: boolean;
	usesShell: boolean;
	usesCallersDirectory: boolean;
	workingDirectory?: string;
	exportsAll: boolean;
	variables: string[];
	resources: string[];
	parallelEnvironment?: {name: string; slots: number};
	project?: string;
	/** `-t`: an array. */
	range?: Range;
	/** `-tc`: how many of its elements may run at a time, 0 for all. */
	maxRunning?: number;
	/** `-w e`: refused when no host would ever take it. */
	isVerified: boolean;
	isHeld: boolean;
	holdIds: string[];
	/** What lines of the script begin with that hold options; empty: no line does. */
	directivePrefix: string;
	/** Options that change nothing in the dummy queue, as given. */
	requested: string[];
	/** The script or program, and its arguments. */
	operands: string[];
};

/** The command line, with the options in the script (lines that begin with `#$`) taken first, so that the command line wins. */
export const parseQsubArguments = (words: readonly string[], embedded: readonly string[] = []): QsubOptions => {
	const options = createOptions();
	parseOptions(embedded, options);
	options.operands = parseOptions(words, options);
	return options;
};

/** The options in a script. */
export const embeddedWords = (script: string, prefix: string): string[] =>
	prefix === ''
		? []
		: script
				.split('\n')
				.filter(line => line.startsWith(prefix))
				.flatMap(line => line.slice(prefix.length).match(/"[^"]*"|'[^']*'|\S+/g) ?? [])
				.map(word => word.replace(/^(["'])(.*)\1$/, '$2'));

const createOptions = (): QsubOptions => ({
	terse: false,
	isBinary: false,
	joinsOutput: false,
	usesShell: true,
	usesCallersDirectory: false,
	exportsAll: false,
	variables: [],
	resources: [],
	isVerified: false,
	isHeld: false,
	holdIds: [],
	directivePrefix: '#$',
	requested: [],
	operands: [],
});

/** Options up to the first word that is none. Returns the words from there on. */
const parseOptions = (words: readonly string[], options: QsubOptions): string[] => {
	const rest = [...words];
	while (rest[0]?.startsWith('-')) {
		const option = rest.shift()!;
		const parse = PARSERS[option];
		if (parse === undefined) {
			throw new Refusal(2, `qsub: invalid option argument "${option}"`);
		}

		parse(options, () => takeWord(rest, option), option);
	}

	return rest;
};

const takeWord = (rest: string[], option: string): string => {
	const word = rest.shift();
	if (word === undefined) {
		throw new Refusal(2, `qsub: ${option} option must have argument`);
	}

	return word;
};

type Parser = (options: QsubOptions, take: () => string, option: string) => void;

const withoutEffect: Parser = (options, _take, option) => {
	options.requested.push(option);
};

const withoutEffectButArgument: Parser = (options, take, option) => {
	options.requested.push(option, take());
};

const onlyNo: Parser = (options, take, option) => {
	const word = take();
	if (yesOrNo(word, option)) {
		throw new Refusal(1, `Unable to run job: the dummy queue has no ${option} y\nExiting.`);
	}

	options.requested.push(option, word);
};

const PARSERS: Record<string, Parser> = {
	'-terse': options => {
		options.terse = true;
	},
	'-N': (options, take) => {
		options.name = take();
		if (options.name.includes('/')) {
			throw new Refusal(2, 'qsub: argument to -N option must not contain / ');
		}
	},
	'-q': (options, take) => {
		options.queue = take();
	},
	'-S': (options, take) => {
		options.shell = take();
	},
	'-o': (options, take) => {
		options.outputPath = take();
	},
	'-e': (options, take) => {
		options.errorPath = take();
	},
	'-b': (options, take, option) => {
		options.isBinary = yesOrNo(take(), option);
	},
	'-j': (options, take, option) => {
		options.joinsOutput = yesOrNo(take(), option);
	},
	'-r': (options, take, option) => {
		const word = take();
		yesOrNo(word, option);
		options.requested.push(option, word);
	},
	'-shell': (options, take, option) => {
		options.usesShell = yesOrNo(take(), option);
	},
	'-cwd': options => {
		options.usesCallersDirectory = true;
	},
	'-wd': (options, take) => {
		options.workingDirectory = take();
	},
	'-V': options => {
		options.exportsAll = true;
	},
	'-v': (options, take) => {
		options.variables.push(...take().split(','));
	},
	'-l': (options, take, option) => {
		const resources = take();
		options.resources.push(...resources.split(','));
		options.requested.push(option, resources);
	},
	'-p': (options, take, option) => {
		const word = take();
		options.requested.push(option, checkPriority(word));
	},
	'-pe': (options, take, option) => {
		const [name, slots] = [take(), take()];
		options.parallelEnvironment = {name, slots: Number.parseInt(slots, 10)};
		options.requested.push(option, name, slots);
	},
	'-P': (options, take, option) => {
		options.project = take();
		options.requested.push(option, options.project);
	},
	'-h': options => {
		options.isHeld = true;
	},
	'-hold_jid': (options, take) => {
		options.holdIds.push(...take().split(','));
	},
	'-m': (options, take, option) => {
		const word = take();
		if (!/^[beasn]+$/.test(word.replaceAll(',', ''))) {
			throw new Refusal(7, `qsub: Wrong mail options list format "${word}" specified to -m option`);
		}

		options.requested.push(option, word);
	},
	'-t': (options, take) => {
		options.range = parseArrayRange(take());
	},
	'-tc': (options, take) => {
		options.maxRunning = parseConcurrency(take());
	},
	'-C': (options, take) => {
		options.directivePrefix = take();
	},
	'-now': onlyNo,
	'-i': withoutEffectButArgument,
	'-M': withoutEffectButArgument,
	'-A': withoutEffectButArgument,
	'-R': withoutEffectButArgument,
	'-w': (options, take, option) => {
		const word = take();
		options.isVerified = word === 'e';
		options.requested.push(option, word);
	},
	'-notify': withoutEffect,
};
