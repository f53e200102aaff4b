// Adds up the results of all suites: `node .ci/count.js DIRECTORY`, whose files .ci/common.sh describes. Says what failed, and
// as its last line `N passed, N failed`. The exit code is 1 when anything failed or nothing passed.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const directory = process.argv[2] ?? '.';
let passed = 0;
/** @type {string[]} */
const failures = [];

for (const name of readdirSync(directory).sort()) {
	if (!name.endsWith('.exit-code')) continue;
	const suite = name.slice(0, -'.exit-code'.length);
	const exitCode = readFileSync(join(directory, name), 'utf8').trim();
	const numKnown = failures.length;
	countSuite(suite);
	// Errors outside any test, or no answer at all.
	if (exitCode !== '0' && failures.length === numKnown) failures.push(`${suite}: exit code ${exitCode}`);
}
const failedSteps = join(directory, 'failed-steps');
if (existsSync(failedSteps)) failures.push(...readFileSync(failedSteps, 'utf8').trim().split('\n'));

console.log('');
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;

/** @param {string} suite */
function countSuite(suite) {
	const file = join(directory, `${suite}.json`);
	if (!existsSync(file)) {
		failures.push(`${suite}: no results`);
		return;
	}
	const mustRun = /^(?:engines|long)/.test(suite);
	/** @type {{testResults: {name: string, status: string, assertionResults: {status: string, fullName: string}[]}[]}} */
	const {testResults} = JSON.parse(readFileSync(file, 'utf8'));
	for (const {name, status, assertionResults} of testResults) {
		if (status === 'failed' && assertionResults.length === 0) failures.push(`${suite}: ${name} could not be run`);
		for (const test of assertionResults) {
			if (test.status === 'passed') passed++;
			else if (test.status === 'failed' || mustRun) failures.push(`${suite}: ${test.status}: ${test.fullName}`);
		}
	}
}
