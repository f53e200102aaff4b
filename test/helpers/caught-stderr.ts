/** What the library says to people while it maps, for the tests that look at it. */
import {afterEach, beforeEach, vi} from 'vitest';

/** Called where hooks are: during each of the tests that these hooks are for, what this process writes to stderr goes nowhere. Gives what that was in this test. */
export const catchStderr = (): (() => string) => {
	let said = '';
	beforeEach(() => {
		said = '';
		vi.spyOn(process.stderr, 'write').mockImplementation(text => {
			said += String(text);
			return true;
		});
	});
	afterEach(() => {
		vi.restoreAllMocks();
	});
	return () => said;
};
