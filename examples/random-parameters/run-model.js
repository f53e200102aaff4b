/** The mapped function: runs the model for one row of parameters. */
import {execFile} from 'node:child_process';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {taskContext} from 'queue-map-reduce';

const MODEL = fileURLToPath(new URL('./model.js', import.meta.url));

/**
 * The files of every attempt are in a directory of their own, so none overwrites another's.
 *
 * @param {Readonly<Record<string, number>>} parameters
 * @returns {Promise<string>} What the names of its files begin with.
 */
export const runModel = async parameters => {
	const outputBase = path.join(taskContext().taskDir, 'model');
	const flags = Object.entries({...parameters, output_base: outputBase}).map(([name, value]) => `--${name}=${value}`);
	await promisify(execFile)(process.execPath, [MODEL, ...flags]).catch(error => {
		const [, reason = `it ended with ${error.code ?? error.signal}`] = /^\w*Error: (.*)$/m.exec(error.stderr) ?? [];
		throw new Error(reason);
	});
	return outputBase;
};
