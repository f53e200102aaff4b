// Adds up the results of all suites: `node .ci/count.js DIRECTORY`, whose files .ci/common.sh describes. Says what failed, and
// as its last line `N passed, N failed`. The exit code is 1 when anything failed or nothing passed.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {basename, join} from 'node:path';

const directory = process.argv[2] ?? '.';
const suites = readdirSync(directory)
	.filter(name => name.endsWith('.exit-code'))
	.map(name => name.slice(0, -'.exit-code'.length))
	.sort();

/** @typedef {{name: string, status: string, assertionResults: {status: string, fullName: string, failureMessages?: string[]}[]}} TestFile */
/** @type {Map<string, TestFile[]>} */
const results = new Map();
/** On the engines a test shows nothing by being skipped: it must have passed in one of their suites, as root or as an ordinary user. */
const passedOnEngines = new Set();
for (const suite of suites) {
	const file = join(directory, `${suite}.json`);
	if (!existsSync(file)) continue;
	results.set(suite, JSON.parse(readFileSync(file, 'utf8')).testResults);
	if (!mustRun(suite)) continue;
	for (const [title, status] of titlesOf(suite)) if (status === 'passed') passedOnEngines.add(title);
}

let passed = 0;
/** @type {string[]} */
const failures = [];
for (const suite of suites) {
	const numKnown = failures.length;
	if (!results.has(suite)) failures.push(`${suite}: no results`);
	for (const {name, status, assertionResults} of results.get(suite) ?? []) {
		if (status === 'failed' && assertionResults.length === 0) failures.push(`${suite}: ${name} could not be run`);
	}
	for (const [title, status, why] of titlesOf(suite)) {
		if (status === 'passed') passed++;
		else if (status === 'failed' || (mustRun(suite) && !passedOnEngines.has(title))) failures.push(`${suite}: ${status}: ${title}${why}`);
	}
	// Errors outside any test.
	const exitCode = readFileSync(join(directory, `${suite}.exit-code`), 'utf8').trim();
	if (exitCode !== '0' && failures.length === numKnown) failures.push(`${suite}: exit code ${exitCode}`);
}
const failedSteps = join(directory, 'failed-steps');
if (existsSync(failedSteps)) failures.push(...readFileSync(failedSteps, 'utf8').trim().split('\n'));

console.log('');
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;

/** @param {string} suite */
function mustRun(suite) {
	return /^(?:engines|long)/.test(suite);
}

/** @param {string} suite */
function titlesOf(suite) {
	return (results.get(suite) ?? []).flatMap(({name, assertionResults}) =>
		assertionResults.map(({status, fullName, failureMessages = []}) => [`${basename(name)}: ${fullName}`, status, indent(failureMessages)]),
	);
}

/**
 * The beginning of what was expected and of the stack: what comes before it in the log may be long, or lost.
 *
 * @param {string[]} messages
 */
function indent(messages) {
	const lines = messages.flatMap(message => message.split('\n').slice(0, 30));
	return lines.map(line => `\n        ${line}`).join('');
}
