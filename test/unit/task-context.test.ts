import {expect, test} from 'vitest';
import {isWorker, taskContext} from '../../src/task-context.js';

test('outside a queue-job there is no task, and asking for one is told', () => {
	expect(isWorker).toBe(false);
	expect(taskContext).toThrow(/^taskContext\(\) was called outside a task\. It works inside the function given to pool\.map/);
});
