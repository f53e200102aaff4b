import {expect, onTestFinished, test, vi} from 'vitest';
import {watchOutput} from '../../src/worker/watch-output.js';
import {systemError} from '../helpers/memory-files.js';

test('a full disk under the output loses what a task says, not the task, and is told once', () => {
	const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => {
		throw systemError('ENOSPC');
	});
	const errorWrite = process.stderr.write;
	onTestFinished(() => {
		write.mockRestore();
		process.stderr.write = errorWrite;
	});
	const warnings: string[] = [];
	watchOutput(message => warnings.push(message));
	for (let i = 0; i < 3; i++) process.stdout.write('said');
	expect(write).toHaveBeenCalledTimes(3);
	expect(warnings).toEqual([expect.stringContaining('ENOSPC')]);
});
