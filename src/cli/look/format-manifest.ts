/** run.json in words. Pure. */
import {inspect} from 'node:util';
import type {Manifest} from '../../manifest.js';
import {shellWord} from '../../quote-for-shell.js';
import {toPlainLine} from '../plain-text.js';
import type {Colours} from '../terminal.js';
import {formatFunction} from './words.js';

export const formatManifest = (workDir: string, manifest: Manifest, {bold, dim}: Pick<Colours, 'bold' | 'dim'>): string => {
	const {processNode, function: reference} = manifest;
	const hash = reference.kind === 'module' && reference.sha256 !== undefined ? `, sha256 ${reference.sha256.slice(0, 12)}…` : '';
	const rows: readonly (readonly [name: string, text: string | undefined])[] = [
		['work_dir', workDir],
		['message', manifest.message || undefined],
		['tags', manifest.tags.join(', ') || undefined],
		['function', `${formatFunction(reference)} (${manifest.call})${hash}`],
		['tasks', manifest.numTasks === null ? 'a stream' : `${manifest.numTasks} in ${manifest.numChunks} chunks`],
		['shared', manifest.sharedBytes === undefined ? undefined : `${manifest.sharedBytes} bytes`],
		['seed', manifest.seed],
		['engine', manifest.engine],
		['options', formatOptions(manifest)],
		['of files', manifest.configFiles.join(', ') || undefined],
		['started', `${manifest.createdAt} by ${processNode.user} on ${processNode.host} (pid ${processNode.pid})`],
		['in', processNode.cwd],
		['by', processNode.command.map(shellWord).join(' ')],
		['versions', `${manifest.library.name} ${manifest.library.version}, Node ${manifest.node}`],
		[
			'git',
			manifest.gitCommit &&
				`commit ${manifest.gitCommit}${manifest.gitDiffBytes === undefined ? '' : `, and ${manifest.gitDiffBytes} bytes in git.diff`}`,
		],
		[
			'again',
			manifest.rerunOf &&
				`computes ${manifest.itasks === undefined ? 'all tasks' : `${manifest.itasks.length} tasks`} of ${manifest.rerunOf.workDir} again`,
		],
	];
	return [
		bold(manifest.session),
		...rows.flatMap(([name, text]) => (text === undefined ? [] : [`${dim(name.padEnd(NAME_WIDTH))}${toPlainLine(text)}`])),
		'',
		`One task: qmr show ${shellWord(workDir)} ITASK`,
	].join('\n');
};

const NAME_WIDTH = 12;

const formatOptions = ({options, incompleteOptions}: Manifest): string | undefined => {
	const texts = Object.entries(options).map(
		([name, value]) =>
			`${name}: ${incompleteOptions.includes(name) ? '(not written down)' : inspect(value, {breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 20})}`,
	);
	return texts.length === 0 ? undefined : texts.join(', ');
};
