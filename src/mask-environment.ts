/**
 * Takes values of the environment out of what is written down or printed: tokens and passwords are handed over in variables, and find their way into
 * command lines, options and what programs say.
 */
import {existsSync} from 'node:fs';
import {isOwnedByJob} from './environment-names.js';
import type {PoolOptions} from './options.js';

/** The text, with `${NAME}` in place of each value of the environment: in braces, for anything may follow it. */
export type Mask = (text: string) => string;

/** What is shorter is no secret worth its name, and would be found in ordinary words and numbers (`true`, `1000`, `node1`). */
const MIN_LENGTH = 6;

/** Whose values say who and where one is, or how a program behaves: no secrets, and in every path, command line and sentence. */
const NO_SECRETS =
	/^(?:HOME|PATH|USER|LOGNAME|USERNAME|SHELL|HOST|LANG|LANGUAGE|LC_.*|TZ|TERM|TERM_.*|COLORTERM|NO_COLOR|FORCE_COLOR|EDITOR|VISUAL|PAGER|DISPLAY|MAIL|XDG_.*|DEBIAN_FRONTEND|CI|NODE|NODE_ENV|NODE_OPTIONS|INIT_CWD|npm_.*|NVM_.*|VITEST.*|GRID_ENGINE_INSTANCE|MODULEPATH|LOADEDMODULES|_LMFILES_|MANPATH|CONDA_.*)$/;

/** Whatever list they are on. */
const SECRETS = /auth(?!or)|token|passw|secret|credential|api_?key|private/i;

/** For a map: the values that its option `env` gives are as much a secret as those of this process. */
export const maskFor = ({env}: Pick<PoolOptions, 'env'>): Mask =>
	createMask({...process.env, ...(typeof env === 'object' && !Array.isArray(env) ? (env as Readonly<Record<string, string>>) : {})});

/**
 * Left as they are: variables on the list above and the scheduler's own, unless their names speak of a secret; values of less than six characters; and paths of
 * files that are there, for a path is no secret and what is written must lead to the file.
 */
export const createMask = (
	environment: Readonly<Record<string, string | undefined>>,
	isThere: (path: string) => boolean = existsSync,
): Mask => {
	const hidden = Object.entries(environment)
		.flatMap(([name, value]) => (value !== undefined && isHidden(name, value, isThere) ? [{name, value}] : []))
		// Of two values one of which is a part of the other, the whole one first.
		.sort((a, b) => b.value.length - a.value.length);
	return text => hidden.reduce(hide, [{text, isMask: false}]).reduce((whole, piece) => whole + piece.text, '');
};

const isHidden = (name: string, value: string, isThere: (path: string) => boolean): boolean => {
	if (value.trim().length < MIN_LENGTH) return false;
	if (SECRETS.test(name)) return true;
	return !NO_SECRETS.test(name) && !isOwnedByJob(name) && !(value.startsWith('/') && isThere(value));
};

/** A mask is not looked into again: a name may be another variable's value. */
type Piece = {readonly text: string; readonly isMask: boolean};

const hide = (pieces: readonly Piece[], {name, value}: {readonly name: string; readonly value: string}): readonly Piece[] => {
	// What was read from a file often has a newline at its end, which is no part of the secret.
	const secret = value.trim();
	if (!pieces.some(({text, isMask}) => !isMask && text.includes(secret))) return pieces;
	return pieces.flatMap(piece => (piece.isMask ? [piece] : split(piece.text, secret, `\${${name}}`)));
};

const split = (text: string, secret: string, mask: string): Piece[] =>
	text.split(secret).flatMap((between, i) => [...(i === 0 ? [] : [{text: mask, isMask: true}]), {text: between, isMask: false}]);

/** Plain data, with every text in it masked; names of properties stay. */
export const maskData = (data: unknown, mask: Mask): unknown => {
	if (typeof data === 'string') return mask(data);
	if (Array.isArray(data)) return data.map(item => maskData(item, mask));
	if (typeof data !== 'object' || data === null) return data;
	return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, maskData(value, mask)]));
};
